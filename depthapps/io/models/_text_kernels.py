"""The compiled loop that formats numbers."""

import math

import numpy as np
from numpy.typing import NDArray

from depthapps.runtime.inlining import within

_FINEST = 9  # decimals at most: a nanometre
_ENOUGH = 99999.5  # from here on a rounded number has six digits before the point
_MINUS, _POINT, _ZERO = 45, 46, 48


@within
def _put(value, text, at):
    """Write a number to `text` from position `at` on and return the position behind it."""
    size = abs(value)
    scale, decimals = 1.0, 0
    if size != math.floor(size):
        while size * scale < _ENOUGH and decimals < _FINEST:
            scale *= 10.0
            decimals += 1
    digits = np.int64(math.floor(size * scale + 0.5))
    while decimals > 0 and digits % 10 == 0:
        digits //= 10
        decimals -= 1
    if value < 0 and digits > 0:
        text[at] = _MINUS
        at += 1
    shown = decimals + 1
    left = digits
    for _ in range(decimals + 1):
        left //= 10
    while left > 0:
        left //= 10
        shown += 1
    end = at + shown + (decimals > 0)
    place = end
    for k in range(shown):
        if k == decimals and k > 0:
            place -= 1
            text[place] = _POINT
        place -= 1
        text[place] = _ZERO + digits % 10
        digits //= 10
    return end


def format_rows(
    rows: NDArray[np.float64],
    columns: NDArray[np.int64],
    pieces: NDArray[np.uint8],
    ends: NDArray[np.int64],
    text: NDArray[np.uint8],
    length: NDArray[np.int64],
) -> None:
    """Format rows (R, C) into `text`: in each row the pieces of text, with the numbers of `columns` between them.

    pieces: the letters of all pieces, one behind the other. ends: the position in them behind each piece; there is one
    piece more than numbers. length: (1,), is set to the number of letters written.
    """
    at = 0
    for row in range(len(rows)):
        begin, start, end = 0, 0, 0
        for k in range(len(ends)):
            for letter in range(begin, ends[k]):
                text[at] = pieces[letter]
                at += 1
            begin = ends[k]
            if 0 < k < len(columns) and columns[k] == columns[k - 1]:  # a face of an OBJ repeats each index
                for letter in range(start, end):
                    text[at] = text[letter]
                    at += 1
            elif k < len(columns):
                start, end = at, _put(rows[row, columns[k]], text, at)
                at = end
    length[0] = at
