"""What a photo is of: the nearest large, central and sharp thing."""

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

# Looked at on 25 stereo pairs, three phone portraits and a rendered scene. With any one of the constants changed by a
# tenth to two fifths, at most 5 of these 29 choose another thing, and none ground or a background.
_WORKING_PX = 200  # the longer side at which things are looked for
_STEP = 1 / 24  # of the scene's range of 1/Z: less is relief
_RUN = 1 / 4  # of that range: a surface that goes on as far is no one thing, but ground or wall
_REACH = 1 / 2  # of the longer side: how far a thing's edges may be from its middle
_WAYS = 16  # directions
_FLAT = 0.8  # of a thing must lie on a plane for it to be ground or wall
_INSIDE, _CORE = 0.4, 0.5  # share of ways; half is the most that a straight edge of ground or wall gives
_CORE_SHARE = 0.25  # of a thing, that must be core
_CENTRAL = 1 / 3  # of width and height from the middle, which the lines of thirds are well within
_SMALLEST = 0.003  # of the picture; less is a detail
_LARGE, _LARGE_SHARE = 1 / 40, 1 / 4  # of the picture; of the largest thing, if all are small
_SHARP_PX = 640  # the longer side of the picture whose edges are measured
_REBLUR_PX = 2.0
_BESIDE_PX = 5  # within which an edge is found again that was blurred so
_TELLS = 0.005  # a pixel: a fainter slope is no edge
_SHARP = 1.25  # times as steep; edges that a disc of 5 px radius has blurred at that size, sigma 2.7, are as much


class _Thing(NamedTuple):
    """A part of the picture: its share of it, nearness from 0 to 1, sharpness, middle (x, y) from 0 to 1."""

    share: float
    near: float
    sharp: float
    middle: tuple[float, float]
    uncut: bool  # by the picture's border

    @property
    def central(self) -> bool:
        return max(abs(self.middle[0] - 0.5), abs(self.middle[1] - 0.5)) <= _CENTRAL


def find_subject(scene: Scene) -> tuple[float, float] | None:
    """The pixel (x, y) in the middle of the subject, whose depth is known; None where nothing stands out.

    The subject is the nearest of the things that are central, large and, if any are, sharp. Only if none is central
    may it be elsewhere, as long as the picture's border does not cut it. A thing stands before its surroundings: in
    most directions it ends in a step of depth down to what is farther, as ground that runs to the lens does not.
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
    """1/Z at the working size, from 0 for the farthest to 1, its holes filled, and where it is known."""
    size = _size(known.shape, _WORKING_PX)
    inverse = np.nan_to_num(inverse_depth(scene.depth_m, infinite=0))
    total, share = (cv2.resize(m.astype(np.float32), size, interpolation=cv2.INTER_AREA) for m in (inverse, known))
    seen = share > 0
    inverse = fill_background(np.where(seen, total / np.maximum(share, 1e-9), np.float32(np.nan)))
    inverse = np.asarray(cv2.medianBlur(inverse, 3), np.float32)
    low, high = np.percentile(inverse[seen], (1, 99))
    return np.clip((inverse - low) / max(high - low, 1e-9), 0, 1).astype(np.float32), seen


def _size(shape: tuple[int, ...], longest: int) -> tuple[int, int]:
    """Width and height of a picture (H, W) with its longer side no longer than asked."""
    scale = min(1.0, longest / max(shape))
    return max(round(shape[1] * scale), 1), max(round(shape[0] * scale), 1)


def _stands_out(near: FloatMap) -> FloatMap:
    """The share (H, W) of the directions in which a pixel's thing ends in a step down to what is farther than it.

    Not in a step up, at the picture's border, or nowhere within reach. Much as the anisotropic centre-surround
    difference of Ju et al. (2014), which counts how far, and not whether in a step.
    """
    height, width = near.shape
    reach = int(_REACH * max(near.shape))
    wide = np.pad(near, reach, constant_values=np.nan)  # which no comparison below is true for
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
    """The connected parts of the picture that stand before their surroundings."""
    height, width = near.shape
    out = _stands_out(near)
    behind_edge = cv2.dilate(near, np.ones((3, 3), np.uint8)) - near > _STEP
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        ((out >= _INSIDE) & ~behind_edge).astype(np.uint8), connectivity=4
    )
    steepest, blurred = _slopes(image, near.shape)
    y, x = np.mgrid[:height, :width]
    u, v = (x + 0.5) / width, (y + 0.5) / height
    inner = 1.5 - 2 * np.maximum(np.abs(u - 0.5), np.abs(v - 0.5))  # prefers a middle near the picture's
    things = []
    for k in range(1, count):
        x0, y0, w, h, area = (int(value) for value in stats[k])
        inside = labels == k
        if area < _SMALLEST * near.size or (out[inside] > _CORE).mean() < _CORE_SHARE:
            continue
        if _runs_to_the_lens(near, inside):
            continue
        depth = cv2.distanceTransform(np.pad(inside, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1]
        # at a blurred rim the picture shows what is behind as well
        edges = (depth > depth.max() / 2) & (blurred > _TELLS)
        sharp = float(steepest[edges].sum() / blurred[edges].sum()) if edges.any() else math.inf
        row, column = np.unravel_index(int((depth * inner * seen).argmax()), near.shape)
        uncut = x0 > 0 and y0 > 0 and x0 + w < width and y0 + h < height
        middle = (float(u[row, column]), float(v[row, column]))
        things.append(_Thing(area / near.size, float(np.median(near[inside])), sharp, middle, uncut))
    return things


def _runs_to_the_lens(near: FloatMap, inside: NDArray[np.bool_]) -> bool:
    """Whether a part of the picture lies on a plane that goes on from it, ever nearer, to the picture's border."""
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
    """How steep the picture's edges are at each place (H, W), and how steep when they are blurred once more.

    A sharp edge loses most of its slope by that, a blurred one little, whatever its contrast (Zhuo and Sim 2011).
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
    """The pixel (x, y) of known depth nearest to a middle, within the cell whose mean stood for it."""
    height, width = known.shape
    x, y = middle[0] * width - 0.5, middle[1] * height - 0.5
    reach_x, reach_y = width / cells[1] / 2 + 1, height / cells[0] / 2 + 1
    rows, columns = np.arange(height), np.arange(width)
    rows, columns = rows[np.abs(rows - y) <= reach_y], columns[np.abs(columns - x) <= reach_x]
    row, column = np.nonzero(known[np.ix_(rows, columns)])
    best = np.hypot(rows[row] - y, columns[column] - x).argmin()
    return float(columns[column[best]]), float(rows[row[best]])
