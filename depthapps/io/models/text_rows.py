"""Format tables of numbers as text, one line a row, for OBJ and 3MF."""

from __future__ import annotations

from collections.abc import Iterator
from string import Formatter

import numpy as np
from numpy.typing import NDArray

from depthapps.runtime.kernel import Kernel

_ROWS_AT_ONCE = 50_000
_LONGEST = 20  # characters that a number takes at most
LARGEST = 1e15  # larger numbers would overflow the 64-bit integer that holds their digits
_format_rows = Kernel(
    "depthapps.io.models._text_kernels",
    "format_rows",
    "float64[:,::1] int64[::1] uint8[::1] int64[::1] uint8[::1] int64[::1]",
)


def format_rows(line: str, rows: NDArray) -> Iterator[bytes]:
    """Format a table (R, C) in pieces of many rows.

    line: the text of a row, such as "v {0} {1} {2}\\n", with the numbers of columns in braces. Whole numbers are
    written in full, others to six significant digits or nine decimals, whichever is coarser, without zeros at the end.
    All numbers are finite and at most LARGEST.
    """
    pieces, columns = [], []
    for piece, column, _, _ in Formatter().parse(line):
        pieces.append(piece.encode("ascii"))
        if column is not None:
            columns.append(int(column))
    if len(pieces) == len(columns):
        pieces.append(b"")
    letters = np.frombuffer(b"".join(pieces), np.uint8)
    ends = np.cumsum([len(piece) for piece in pieces])
    text = np.empty(min(len(rows), _ROWS_AT_ONCE) * (len(letters) + _LONGEST * len(columns)), np.uint8)
    length = np.empty(1, np.int64)
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        part = np.ascontiguousarray(rows[first : first + _ROWS_AT_ONCE], np.float64)
        _format_rows(part, np.array(columns), letters, ends, text, length)
        yield text[: length[0]].tobytes()
