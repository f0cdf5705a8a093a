"""Find what plain surfaces show through gaps: the floor between the bars of a railing, the wall through a chair's back.

Such a part has nothing of its own but the rim of what is before it. And where bars repeat, each may match the next one,
so that what is seen between them is matched wherever they are. But a part of a surface's colour that lies just across
something narrow is likely more of that surface, whose plane was found where it is larger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap, Image
from depthapps.engine.matching.plane_evidence import Evidence, plane_at, values_on
from depthapps.engine.matching.plane_fits import SIGMA_PX, Plane
from depthapps.engine.matching.regions import Region
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands

# All lengths are in pixels of the half-size picture; disparities are those of the views. Of 28 rendered rooms, many of
# them with a railing before a plain floor, `fast` is off by more than 2 px at 8.15 % without this and at 5.47 % with
# it; of 20 real pairs, which show little of the kind, at 7.03 and 7.02 %. With gaps up to 24 or 48 px it is 5.55 and
# 5.43 % of the rooms, 7.05 and 7.17 % of the pairs. Where no share of the colours need be alike, 2 % of one real pair
# are lost.
_GAP_PX = 36  # what lies between two parts of one surface is no wider
_FACING_PX = 12  # parts face each other across it at so many pixels, in one step of the width
_ALIKE = 0.5  # share of these whose colours are alike
# A part takes the plane of one of which it is less than this share; with 1, 7.08 % of the pairs are wrong, and 0.2 %
# more of six streets.
_SMALLER = 0.5
# A plane that differs less from the part's own over half of it is no rival of that, see `least_costs`. With 5, 5.68 %
# of the rooms are wrong; with 0, 5.42 %, but 0.05 % more of the pairs are off by more than 0.5 px.
_SAME_PX = 1.0
# Share of a part that may contradict the plane, and match so nowhere else in the row: not what is matched at its rim,
# which belongs to what is before it. With 0.06, 5.86 % of the rooms are wrong; with 0.24, 5.32 %, but 0.06 % more of
# the streets. In 28 rooms and 26 real pairs, parts that lie on the plane take it at 91 % of their pixels, others at
# 17 %.
_UNLIKE_OTHERS = 0.12
# A match has a rival where another disparity costs less than so many times as much, and so many grey levels
_TIMES_WORSE, _LEVELS_WORSE = 1.5, 1.0
_WINDOW_PX = 9  # side of the window of `least_costs`; see there for why
_CAP = 40  # grey levels
_RIM = np.ones((5, 5), np.uint8)  # around a pixel, in which it is compared with its region
_STEPS_AT_ONCE = 6  # steps of the width that a task looks at: fewer take longer to hand out than to do

_KERNELS = "depthapps.engine.matching._gap_kernels"
_least_costs = Kernel(
    _KERNELS,
    "least_costs",
    "uint8[:,::1] uint8[:,::1] float32[:,::1] int64 int64 int64 int64 int64 int64 uint16[::1] uint16[:,:,::1]",
)
_find_facing = Kernel(
    _KERNELS,
    "find_facing",
    "int32[:,::1] uint8[:,:,::1] int64 int64 float64 int32[:,::1] int64[::1]",
)
KERNELS = (_find_facing, _least_costs)


def seen_through(
    seen: Evidence,
    regions: list[Region],
    label: NDArray[np.int32],
    planes: list[Plane],
    repeated: Callable[[], NDArray[np.bool_]],
    picture: Image,
    largest: float,
) -> Iterator[tuple[Region, int]]:
    """The regions that are more of a larger one, each with its plane, by number.

    regions: of a picture (h, w, 3) uint8. label: the number of each pixel's plane (h, w), negative where there is none.
    repeated: tells which matches have a rival, see `rivals`; it is called if that is needed.
    largest: the difference of colours, grey levels, up to which they are alike.
    """
    numbers = np.zeros(label.shape, np.int32)
    for k, region in enumerate(regions, 1):
        numbers[region.frame][region.mask] = k
    areas = np.array([0, *(np.count_nonzero(region.mask) for region in regions)])
    whole = join_parts(numbers, len(areas), picture, largest)
    for one in np.flatnonzero(np.bincount(whole) > 1):
        parts = np.flatnonzero(whole == one)
        greatest = parts[areas[parts].argmax()]
        theirs = _within(label, regions[greatest - 1])
        if not (theirs >= 0).any():
            continue
        plane = int(np.bincount(theirs[theirs >= 0]).argmax())
        for k in parts[areas[parts] < _SMALLER * areas[greatest]]:
            if _is_more_of_it(seen, regions[k - 1], label, planes, plane, repeated):
                yield regions[k - 1], plane


def _within(values: NDArray, region: Region) -> NDArray:
    """The values (N,) of a picture's map (h, w) in a region."""
    return values[region.frame][region.mask]


def _is_more_of_it(
    seen: Evidence,
    region: Region,
    label: NDArray[np.int32],
    planes: list[Plane],
    plane: int,
    repeated: Callable[[], NDArray[np.bool_]],
) -> bool:
    """Whether a part takes a plane: if its own is another one, and little in it that has no rival contradicts."""
    own = label[region.frame]
    there = plane_at(region, planes[plane])
    held = region.mask & (own >= 0)
    if held.any():
        apart = np.abs(values_on(region, planes, np.maximum(own, 0)) - there)[held]
        if (apart < _SAME_PX).mean() > 0.5:
            return False
    against = np.abs(seen.matches[region.frame] - there) > 3 * SIGMA_PX
    told = against & ~repeated()[region.frame] & region.mask
    return bool(np.count_nonzero(told) <= _UNLIKE_OTHERS * np.count_nonzero(region.mask))


def with_rim(region: Region, picture: Image, largest: float) -> NDArray[np.bool_]:
    """A region with the pixels beside it that have its colour there, in its frame: it was found away from all edges.

    picture: (h, w, 3) uint8. largest: the difference of colours, grey levels, up to which they are alike.
    """
    colors, inside = picture[region.frame], region.mask[..., None]
    lowest = cv2.erode(np.where(inside, colors, np.uint8(255)), _RIM).astype(np.int16)
    highest = cv2.dilate(np.where(inside, colors, np.uint8(0)), _RIM).astype(np.int16)
    beside = (colors > lowest - largest) & (colors < highest + largest)
    return region.mask | (region.near & beside.all(axis=2))


def join_parts(numbers: NDArray[np.int32], count: int, picture: Image, largest: float) -> NDArray[np.intp]:
    """Which of the regions 1 to count - 1 of a picture are one surface: for each number that of its surface, (count,).

    numbers: (h, w), 0 for no region. picture: (h, w, 3) uint8; colours that differ by less than `largest` are alike.
    """
    numbers, picture = np.ascontiguousarray(numbers), np.ascontiguousarray(picture)
    steps = [step for gap in range(2, _GAP_PX + 1, 2) for step in ((gap, 0), (0, gap))]
    listed = [np.empty((0, 4), np.int32)] * len(steps)

    def list_facing(first: int, end: int) -> None:
        runs, found = np.empty((numbers.size, 4), np.int32), np.empty(1, np.int64)
        for k in range(first, end):
            _find_facing(numbers, picture, *steps[k], largest, runs, found)
            listed[k] = runs[: found[0]].copy()

    for_bands(len(steps), list_facing, _STEPS_AT_ONCE)
    runs, step = np.concatenate(listed), np.repeat(np.arange(len(steps)), [len(runs) for runs in listed])
    pairs, place = np.unique((step * count + runs[:, 0]) * count + runs[:, 1], return_inverse=True)
    pixels, same = (np.bincount(place, runs[:, k], len(pairs)) for k in (2, 3))
    whole = np.arange(count)
    for pair in pairs[same >= np.maximum(_FACING_PX, _ALIKE * pixels)] % count**2:
        whole[whole == whole[pair % count]] = whole[pair // count]
    return whole


def rivals(left: Image, right: Image, matches: FloatMap) -> NDArray[np.bool_]:
    """Where another disparity matches about as well, (h, w): on what is plain, and on what repeats along the row.

    left, right: (h, w) uint8 grey. matches: (h, w) px of these, NaN where there is none.
    """
    matches, (height, width) = np.ascontiguousarray(matches), left.shape
    known = np.isfinite(matches)
    if not known.any():
        return known
    low, high = int(np.rint(matches[known].min())) - 4, int(np.rint(matches[known].max())) + 4
    before, after = max(high, 0), max(-low, 0)
    padded = np.asarray(cv2.copyMakeBorder(right, 0, 0, before, after, cv2.BORDER_REPLICATE), np.uint8)
    least = np.empty((2, height, width), np.uint16)

    def compare(first: int, end: int) -> None:
        views = np.ascontiguousarray(left), padded, matches
        _least_costs(*views, low, high, before, _CAP, first, end, np.empty(width + 8, np.uint16), least)

    for_bands(height, compare)
    near, away = least
    return known & (away < _TIMES_WORSE * near + _LEVELS_WORSE * _WINDOW_PX**2)
