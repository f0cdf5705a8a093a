"""Tell whether a lone picture may show a scene twice, quickly and without numpy: `look` then looks closely.

Most lone pictures are single views given by mistake, which are to be refused at once.
"""

from __future__ import annotations

import math
import warnings
from io import BytesIO

from PIL import Image, ImageChops, ImageFilter, ImageStat

from depthapps.runtime.quiet import silent_libraries

_SIDE = 192  # pixels of the longer side that are looked at
_REACH = 0.12  # of a side: how far the same thing may stand apart in the two views
_ALIKE = 0.86  # remaining difference of two halves over that of two that have nothing to do with each other
# difference of one colour and each other one over its contrast, and over the difference of these two
_PARTED, _PAIRED = 0.45, 1.7
_FLAT = 0.8  # levels; fainter contrast is noise
_SPHERE = 0.02  # relative deviation from the shape of a whole sphere, 2:1


def may_show_twice(data: bytes) -> bool:
    """Whether a picture's bytes may hold two views: beside or above each other, as an anaglyph, or as a panorama.

    True where Pillow cannot tell, because it does not know the format.
    """
    try:
        with silent_libraries(), warnings.catch_warnings(action="ignore"), Image.open(BytesIO(data)) as picture:
            picture.draft("RGB", (2 * _SIDE, 2 * _SIDE))
            width, height = picture.size
            small = picture.convert("RGB")
            small.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    except Exception:  # Pillow raises errors of every kind for broken files; the decoder will tell
        return True
    if abs(width / height - 2) < 2 * _SPHERE:
        return True
    details = _details(small.convert("L"))
    (across, down), half, middle = details.size, details.width // 2, details.height // 2
    beside = details.crop((0, 0, half, down)), details.crop((across - half, 0, across, down))
    above = details.crop((0, 0, across, middle)), details.crop((0, down - middle, across, down))
    return _is_parted(small) or _are_alike(*beside) or _are_alike(*above)


def _details(grey: Image.Image) -> Image.Image:
    """What differs from its surroundings, around 128."""
    return ImageChops.subtract(grey, grey.filter(ImageFilter.BoxBlur(4)), offset=128)


def _difference(a: Image.Image, b: Image.Image) -> float:
    return ImageStat.Stat(ImageChops.difference(a, b)).mean[0]


def _contrast(details: Image.Image) -> float:
    return _difference(details, Image.new("L", details.size, 128))


def _is_parted(small: Image.Image) -> bool:
    """Whether one colour shows other edges than the two others, which show the same ones: an anaglyph."""
    bands = [_details(band) for band in small.split()]
    apart = [_difference(bands[k - 2], bands[k - 1]) for k in range(3)]  # of the two bands other than k
    return any(
        (contrast := _contrast(bands[k])) > _FLAT
        and min(apart[k - 2], apart[k - 1]) > max(_PARTED * contrast, _PAIRED * apart[k])
        for k in range(3)
    )


def _are_alike(first: Image.Image, second: Image.Image) -> bool:
    """Whether the details of two halves are those of the same things, perhaps shifted along the rows."""
    width, height = first.size
    reach = max(int(_REACH * width), 2)
    if width < 4 * reach or height < 8:
        return False
    inner = first.crop((reach, 0, width - reach, height))
    by_chance = math.hypot(_contrast(inner), _contrast(second))
    shifted = (second.crop((at, 0, at + inner.width, height)) for at in range(2 * reach + 1))
    return by_chance > _FLAT and min(_difference(inner, each) for each in shifted) < _ALIKE * by_chance
