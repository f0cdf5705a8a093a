"""Look at a lone picture for two views that nothing describes: halves, stereo cards, anaglyphs, whole panoramas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.choices import Layout
from depthapps.core.errors import InputError
from depthapps.core.scene import Image
from depthapps.io.photos.card import prints_on_card

MAKESHIFT = "the anaglyph is split into a grey left view, red, and a grey right one, cyan: a makeshift for two photos"
_WIDE_PX = 288  # width at which two views are compared
_BLOCK_PX = 24
_ACROSS, _DOWN = 0.22, 0.05  # of a view's sides: how far the same thing may stand apart in two views
_CONTRAST = 4.0  # levels; blocks without as much have nothing to compare
_MATCHED = 0.75  # correlation of two blocks that show the same thing
_AHEAD = 0.06  # by which it is better than that of any other place: repeated patterns fit in many
_LEAST_BLOCKS = 12
_SURE, _LIKELY = 0.4, 0.22  # share of blocks found again: at most 0.17 in 52 single photos, 0.30 to 0.83 in 26 pairs
_PARTED = 0.15  # correlation gained by shifting red over cyan
_SPHERE = 0.02  # relative deviation of a shape
_WIDEST_BAR = 0.03  # of a picture's width or height, on each side of its middle
_PLAIN, _ENDS, _BESIDE = (
    0.04,
    0.08,
    3,
)  # mean difference from a bar's colour, of the range: in it, and so near beside it
_CYAN = 0.5  # correlation of green and blue, which are of one view
# share of blocks: at most 0.05 in 52 photos, 0.16 to 0.73 in 26 anaglyphs
_ANAGLYPH_SURE, _ANAGLYPH_LIKELY = 0.25, 0.12
_LEAST_SIDE = 2  # px, of a picture that has halves


@dataclass(frozen=True, eq=False)
class Seen:
    """What a lone picture seems to hold: views, if that is sure, and how it holds them. All None for a single view."""

    views: tuple[Image, Image] | None = None
    layout: Layout | None = None
    on_card: bool = False


def look(image: Image) -> Seen:
    """Look for two views in a picture (H, W, 3) that says nothing about them.

    The views are returned where it is sure that there are two, and only the layout where it is likely.
    """
    grey = _grey(image)
    prints = prints_on_card(_eight_bits(image))
    if prints is not None:
        views = tuple(image[rows, columns] for rows, columns in prints)
        share = likeness(*(grey[rows, columns] for rows, columns in prints))
        if share >= _SURE:
            return Seen((views[0], views[1]), Layout.SIDE_BY_SIDE, on_card=True)
    shares = {layout: likeness(*halves(grey, layout)) for layout in (Layout.SIDE_BY_SIDE, Layout.TOP_BOTTOM)}
    layout = max(shares, key=shares.__getitem__)
    if shares[layout] >= _LIKELY:
        return Seen(halves(image, layout) if shares[layout] >= _SURE else None, layout)
    share = parted_share(image)
    if share >= _ANAGLYPH_LIKELY:
        return Seen(split_anaglyph(image) if share >= _ANAGLYPH_SURE else None, Layout.ANAGLYPH)
    return Seen()


def halves(picture: NDArray, layout: Layout) -> tuple[NDArray, NDArray]:
    """The two halves of a picture (H, W, ...); a middle line or bar that belongs to neither is left out."""
    beside = layout is Layout.SIDE_BY_SIDE
    half = picture.shape[1 if beside else 0] // 2
    half -= _bar(np.moveaxis(picture, 1, 0) if beside else picture)
    return (picture[:, :half], picture[:, -half:]) if beside else (picture[:half], picture[-half:])


def _bar(lines: NDArray) -> int:
    """How many lines on each side of the middle of a picture (lines, ...) are a bar of one colour."""
    middle, most = len(lines) // 2, int(_WIDEST_BAR * len(lines))
    if most < 2 or lines.dtype.kind == "f":
        return 0
    near = lines[middle - most - _BESIDE : middle + most + _BESIDE]
    near = near.reshape(len(near), -1).astype(np.float32) / np.iinfo(lines.dtype.name).max
    unlike = np.abs(near - np.median(near[len(near) // 2])).mean(axis=1)
    sides = unlike[: len(near) // 2][::-1], unlike[len(near) // 2 :]
    wide = [int(np.argmax(side > _PLAIN)) for side in sides]
    # a bar ends at once, on both sides alike; dark edges of the views themselves do neither
    ends = [side[n : n + _BESIDE].max() > _ENDS for side, n in zip(sides, wide, strict=True)]
    return min(wide) if all(ends) and min(wide) > 1 and abs(wide[0] - wide[1]) <= 1 else 0


def likeness(first: NDArray, second: NDArray) -> float:
    """Share of the blocks of a grey view (H, W) that stand in the other one, at about the same place and only there."""
    if not first.size:  # a half of a picture of one row or column
        return 0.0
    width = min(_WIDE_PX, first.shape[1])
    size = width, max(round(first.shape[0] * width / first.shape[1]), 1)
    a, b = (np.asarray(cv2.resize(view, size, interpolation=cv2.INTER_AREA)) for view in (first, second))
    found = [_is_found(a, b, x, y) for x, y in _textured(a)]
    return sum(found) / len(found) if len(found) >= _LEAST_BLOCKS else 0.0


def parted_share(image: Image) -> float:
    """Share of the blocks whose red (H, W, 3) fits over their cyan only when it is shifted, as in an anaglyph."""
    width = min(2 * _WIDE_PX, image.shape[1])
    size = width, max(round(image.shape[0] * width / image.shape[1]), 1)
    red, green, blue = cv2.split(cv2.resize(_eight_bits(image), size, interpolation=cv2.INTER_AREA))
    reach, parted, blocks = round(_ACROSS / 2 * width), 0, 0
    for x, y in _textured(red):
        block, there = red[y : y + _BLOCK_PX, x : x + _BLOCK_PX], slice(max(x - reach, 0), x + _BLOCK_PX + reach)
        scores = cv2.matchTemplate(green[y : y + _BLOCK_PX, there], block, cv2.TM_CCOEFF_NORMED)[0]
        home = x - there.start
        cyan = green[y : y + _BLOCK_PX, x : x + _BLOCK_PX], blue[y : y + _BLOCK_PX, x : x + _BLOCK_PX]
        blocks += 1
        near = scores[max(home - 1, 0) : home + 2].max()  # lenses shift red by a pixel, too
        if scores.max() > max(_MATCHED, near + _PARTED):
            parted += bool(cv2.matchTemplate(*cyan, cv2.TM_CCOEFF_NORMED)[0, 0] > _CYAN)
    return parted / blocks if blocks >= _LEAST_BLOCKS else 0.0


def split_anaglyph(image: Image) -> tuple[Image, Image]:
    """The two grey views (H, W, 3) of a red-cyan anaglyph: the left eye looks through the red glass."""
    red, green, blue = (image[..., k] for k in range(3))
    cyan = (0.8 * green.astype(np.float32) + 0.2 * blue.astype(np.float32)).round().astype(image.dtype)
    return tuple(np.repeat(view[..., None], 3, axis=2) for view in (red, cyan))  # pyright: ignore[reportReturnType]


def refuse_other_anaglyphs(image: Image, name: str) -> None:
    """Raise InputError if a picture (H, W, 3) looks like an anaglyph of other colours than red and cyan."""
    for band, eye, other, rest in ((1, "green", "magenta", "red and blue"), (2, "blue", "amber", "red and green")):
        order = [band, *(k for k in range(3) if k != band)]
        if parted_share(image[..., order]) >= _ANAGLYPH_LIKELY:
            raise InputError(
                f"{name} looks like an anaglyph of {eye} and {other}, which is not split",
                hint=f"save its {eye} as one grey picture and its {rest} as another, and pass both, the left one first",
            )


def refuse_panoramas(views: Sequence[Image], name: str, parts: str = "both views") -> None:
    """Raise InputError if all views (H, W, 3) are panoramas of a full turn.

    name: what is refused, for the message. parts: what has to be made flat instead, for the hint.
    """
    shapes = [view.shape[1] / max(view.shape[0], 1) for view in views]
    # 2:1 is the whole sphere; two of them in one picture may be squeezed into any of these
    whole = all(any(abs(shape / sphere - 1) < _SPHERE for sphere in (1, 2, 4)) for shape in shapes)
    if whole and all(is_whole_sphere(view) for view in views):
        raise InputError(
            f"{name} is a 360° panorama, and no flat picture shows a full turn",
            hint=f"turn the middle 90° of {parts} into a flat picture with a panorama program, and pass that",
        )


def refuse_panorama(image: Image, name: str, parts: str = "both views") -> None:
    """Raise InputError if a picture (H, W, 3), or each of its halves, is a panorama of a full turn; as above."""
    if min(image.shape[:2]) < _LEAST_SIDE:
        return
    wide = image.shape[1] > 3 * image.shape[0]  # halves of a single panorama, beside each other, look like two
    layout = Layout.SIDE_BY_SIDE if wide else Layout.TOP_BOTTOM
    refuse_panoramas(halves(image, layout), f"each half of {name}", parts)
    refuse_panoramas([image], name, parts)


def is_whole_sphere(image: Image) -> bool:
    """Whether a picture (H, W, 3) is a panorama all around: its right edge continues at its left one.

    Its upper and lower edge show one point each, so that a row there is of one colour.
    """
    grey = np.asarray(cv2.resize(_grey(image), (256, 128), interpolation=cv2.INTER_AREA)).astype(np.float32)
    across = np.abs(np.diff(grey, axis=1)).mean(axis=0)
    seam, apart = np.abs(grey[:, 0] - grey[:, -1]).mean(), np.abs(grey - np.roll(grey, 64, axis=1)).mean()
    poles = min(grey[0].std(), grey[-1].std())
    return bool(seam < 1.5 * max(np.median(across), 0.5) and apart > 3 * seam and poles < 0.5 * grey[32:96].std())


def _textured(grey: NDArray) -> list[tuple[int, int]]:
    """Left and upper edges of the blocks of a grey view (H, W) that have something to compare."""
    height, width = grey.shape
    places = [
        (x, y) for y in range(0, height - _BLOCK_PX + 1, _BLOCK_PX) for x in range(0, width - _BLOCK_PX + 1, _BLOCK_PX)
    ]
    return [(x, y) for x, y in places if grey[y : y + _BLOCK_PX, x : x + _BLOCK_PX].std() > _CONTRAST]


def _is_found(a: NDArray, b: NDArray, x: int, y: int) -> bool:
    """Whether the block at (x, y) of one view stands in the other one at about the same place, and only there."""
    height, width = b.shape
    across, down = round(_ACROSS * width), round(_DOWN * height) + 2
    top, start = max(y - down, 0), max(x - across, 0)
    around = b[top : y + _BLOCK_PX + down, start : x + _BLOCK_PX + across]
    scores = cv2.matchTemplate(around, a[y : y + _BLOCK_PX, x : x + _BLOCK_PX], cv2.TM_CCOEFF_NORMED)
    _, best, _, (u, v) = cv2.minMaxLoc(scores)
    others = scores.copy()
    others[max(v - 4, 0) : v + 5, max(u - 6, 0) : u + 7] = -1
    return bool(best > max(_MATCHED, float(others.max()) + _AHEAD))


def _eight_bits(image: Image) -> NDArray:
    """A picture (H, W, 3) in 8 bits, stretched over its own range where it has more."""
    if image.dtype == np.uint8:
        return image
    values = np.asarray(image, np.float32)
    low, high = (float(v) for v in np.percentile(values, (0.5, 99.5)))
    return (np.clip((values - low) / max(high - low, 1e-6), 0, 1) * 255).astype(np.uint8)


def _grey(image: Image) -> NDArray:
    return np.asarray(cv2.cvtColor(_eight_bits(image), cv2.COLOR_RGB2GRAY))
