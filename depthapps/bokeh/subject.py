"""Find the subject of a photo: the nearest large, central and sharp thing."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import to_encoded
from depthapps.core.filling import fill_background
from depthapps.core.geometry import inverse_depth
from depthapps.core.scene import FloatMap, Image, Scene

# Checked by eye on 25 stereo pairs, three phone portraits and a rendered scene. If any one constant is changed by a
# tenth to two fifths, at most 5 of these 29 choose another thing, and none chooses ground or background.
_WORKING_PX = 200  # longer side at which things are searched for
_STEP = 1 / 24  # of the scene's range of 1/Z; smaller steps are relief on one thing
_RUN = 1 / 4  # of that range; a surface that extends farther is ground or wall, not one thing
_REACH = 1 / 2  # of the longer side; largest distance from a thing's middle to its edges
_WAYS = 16  # directions
_FLAT = 0.8  # share of a thing that must lie on one plane for it to be ground or wall
# Shares of directions that make a pixel part of a thing, and part of its core. A straight edge of ground or wall
# reaches a half at most.
_INSIDE, _CORE = 0.4, 0.5
_CORE_SHARE = 0.25  # share of a thing that must be core
_CENTRAL = 1 / 3  # of width and height from the middle; the lines of thirds lie well within
_SMALLEST = 0.003  # of the picture; less is a detail
_LARGE, _LARGE_SHARE = 1 / 40, 1 / 4  # of the picture; of the largest thing, if all are small
_SHARP_PX = 640  # longer side of the picture in which edges are measured
_REBLUR_PX = 2.0  # sigma of the second blur
_BESIDE_PX = 5  # window in which a reblurred edge is matched with the original
_TELLS = 0.005  # slope per pixel; a fainter one is no edge
# An edge is sharp if it is this many times as steep as after the second blur. An edge that a disc of 5 px radius has
# blurred (sigma 2.7 px) has this ratio.
_SHARP = 1.25


class _Thing(NamedTuple):
    """A part of the picture that stands before its surroundings.

    share: of the picture's area, 0..1. near: median nearness, 0 (farthest) to 1. sharp: ratio of its edges' slopes
    before and after a second blur. middle: (x, y), 0..1 of width and height. uncut: not touching the picture's border.
    """

    share: float
    near: float
    sharp: float
    middle: tuple[float, float]
    uncut: bool

    @property
    def central(self) -> bool:
        return max(abs(self.middle[0] - 0.5), abs(self.middle[1] - 0.5)) <= _CENTRAL


def find_subject(scene: Scene) -> tuple[float, float] | None:
    """Find the subject's middle pixel (x, y), whose depth is known; None if nothing stands out.

    The subject is the nearest thing that is central, large and, if any thing is, sharp. If no thing is central, things
    elsewhere count, unless the picture's border cuts them. A thing stands before its surroundings: in most directions
    it ends in a step of depth down to something farther. Ground that runs up to the lens does not.
    """
    known = scene.depth_m > 0
    near, seen = _nearness(scene, known)
    things = _things(near, seen, scene.image)
    group = [thing for thing in things if thing.central] or [thing for thing in things if thing.uncut]
    if not group:
        return None
    large = min(_LARGE, _LARGE_SHARE * max(thing.share for thing in group))
    group = [thing for thing in group if thing.share >= large]
    group = [thing for thing in group if thing.sharp >= _SHARP] or group
    return _nearest_known(known, max(group, key=lambda thing: thing.near).middle, near.shape)


def _nearness(scene: Scene, known: NDArray[np.bool_]) -> tuple[FloatMap, NDArray[np.bool_]]:
    """1/Z at the working size scaled to 0 (farthest) .. 1, with holes filled, and the mask of known cells."""
    size = _size(known.shape, _WORKING_PX)
    inverse = np.nan_to_num(inverse_depth(scene.depth_m, infinite=0))
    total, share = (cv2.resize(m.astype(np.float32), size, interpolation=cv2.INTER_AREA) for m in (inverse, known))
    seen = share > 0
    inverse = fill_background(np.where(seen, total / np.maximum(share, 1e-9), np.float32(np.nan)))
    inverse = np.asarray(cv2.medianBlur(inverse, 3), np.float32)
    low, high = np.percentile(inverse[seen], (1, 99))
    return np.clip((inverse - low) / max(high - low, 1e-9), 0, 1).astype(np.float32), seen


def _size(shape: tuple[int, ...], longest: int) -> tuple[int, int]:
    """Width and height of a picture (H, W) reduced so that its longer side is at most `longest`."""
    scale = min(1.0, longest / max(shape))
    return max(round(shape[1] * scale), 1), max(round(shape[0] * scale), 1)


def _stands_out(near: FloatMap) -> FloatMap:
    """Share (H, W) of directions in which a pixel's thing ends in a step down to something farther.

    A direction does not count if the thing ends in a step up, at the picture's border or not within reach. The measure
    is close to the anisotropic centre-surround difference of Ju et al. (2014), which measures the depth difference
    instead of counting steps.
    """
    height, width = near.shape
    reach = int(_REACH * max(near.shape))
    wide = np.pad(near, reach, constant_values=np.nan)  # no comparison below is true for NaN
    count = np.zeros(near.shape, np.float32)
    for angle in np.arange(_WAYS) * 2 * math.pi / _WAYS:
        under_way, last = np.ones(near.shape, bool), near
        for k in range(1, reach + 1):
            x, y = reach + round(k * math.cos(angle)), reach + round(k * math.sin(angle))
            here = wide[y : y + height, x : x + width]
            ends = under_way & (last - here > _STEP) & (near - here > _STEP)
            count += ends
            under_way &= ~ends & (last - here >= -_STEP) & (np.abs(here - near) <= _RUN)
            last = here
    return count / _WAYS


def _things(near: FloatMap, seen: NDArray[np.bool_], image: Image) -> list[_Thing]:
    """Find the connected parts of the picture that stand before their surroundings."""
    height, width = near.shape
    out = _stands_out(near)
    behind_edge = cv2.dilate(near, np.ones((3, 3), np.uint8)) - near > _STEP
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        ((out >= _INSIDE) & ~behind_edge).astype(np.uint8), connectivity=4
    )
    steepest, blurred = _slopes(image, near.shape)
    y, x = np.mgrid[:height, :width]
    u, v = (x + 0.5) / width, (y + 0.5) / height
    inner = 1.5 - 2 * np.maximum(np.abs(u - 0.5), np.abs(v - 0.5))  # prefers a point near the picture's middle
    things = []
    for k in range(1, count):
        x0, y0, w, h, area = (int(value) for value in stats[k])
        inside = labels == k
        if area < _SMALLEST * near.size or (out[inside] > _CORE).mean() < _CORE_SHARE:
            continue
        if _runs_to_the_lens(near, inside):
            continue
        depth = cv2.distanceTransform(np.pad(inside, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1]
        # the rim is left out: where it is blurred the picture shows the background too
        edges = (depth > depth.max() / 2) & (blurred > _TELLS)
        sharp = float(steepest[edges].sum() / blurred[edges].sum()) if edges.any() else math.inf
        row, column = np.unravel_index(int((depth * inner * seen).argmax()), near.shape)
        uncut = x0 > 0 and y0 > 0 and x0 + w < width and y0 + h < height
        middle = (float(u[row, column]), float(v[row, column]))
        things.append(_Thing(area / near.size, float(np.median(near[inside])), sharp, middle, uncut))
    return things


def _runs_to_the_lens(near: FloatMap, inside: NDArray[np.bool_]) -> bool:
    """Whether a part of the picture lies on a plane that extends from it, ever nearer, to the picture's border."""
    y, x = np.mgrid[: near.shape[0], : near.shape[1]]
    places = np.stack([x, y, np.ones_like(x)], axis=2).astype(np.float32)
    plane = np.clip(places @ np.linalg.lstsq(places[inside], near[inside])[0], 0, 1)
    _, labels = cv2.connectedComponents((np.abs(near - plane) < _STEP).astype(np.uint8), connectivity=4)
    shared = np.bincount(labels[inside & (labels > 0)], minlength=1)
    if shared.max() < _FLAT * inside.sum():
        return False
    border = labels == shared.argmax()
    border[1:-1, 1:-1] = False
    return border.any() and bool(near[border].max() > np.median(near[inside]) + _RUN)


def _slopes(image: Image, shape: tuple[int, ...]) -> tuple[FloatMap, FloatMap]:
    """Steepness of the picture's edges at each place (H, W), and their steepness after a second blur.

    The second blur reduces the slope of a sharp edge strongly and that of a blurred edge little, whatever the contrast
    (Zhuo and Sim 2011).
    """
    small = cv2.resize(image, _size(image.shape[:2], _SHARP_PX), interpolation=cv2.INTER_AREA)
    luma = np.asarray(to_encoded(small).mean(axis=2), np.float32)
    steepest = []
    for picture in (luma, cv2.GaussianBlur(luma, (0, 0), _REBLUR_PX)):
        slope = np.hypot(*(cv2.Sobel(picture, cv2.CV_32F, dx, 1 - dx, scale=1 / 8) for dx in (0, 1)))
        slope = cv2.dilate(slope, np.ones((_BESIDE_PX, _BESIDE_PX), np.uint8))
        steepest.append(np.asarray(cv2.resize(slope, shape[::-1], interpolation=cv2.INTER_NEAREST), np.float32))
    return steepest[0], steepest[1]


def _nearest_known(
    known: NDArray[np.bool_], middle: tuple[float, float], cells: tuple[int, ...]
) -> tuple[float, float]:
    """Pixel (x, y) of known depth nearest to a point given in 0..1, within the working-size cell around that point."""
    height, width = known.shape
    x, y = middle[0] * width - 0.5, middle[1] * height - 0.5
    reach_x, reach_y = width / cells[1] / 2 + 1, height / cells[0] / 2 + 1
    rows, columns = np.arange(height), np.arange(width)
    rows, columns = rows[np.abs(rows - y) <= reach_y], columns[np.abs(columns - x) <= reach_x]
    row, column = np.nonzero(known[np.ix_(rows, columns)])
    best = np.hypot(rows[row] - y, columns[column] - x).argmin()
    return float(columns[column[best]]), float(rows[row[best]])
