"""Where a scene is in focus: a point, a box, or the subject."""

from __future__ import annotations

import cv2
import numpy as np

from depthapps.bokeh.params import BokehParams
from depthapps.color import srgb_encode, to_linear
from depthapps.errors import InputError
from depthapps.scene import FloatMap, Scene

_WINDOW_PX = 2  # a focus point stands for the 5x5 pixels around it
_WORKING_WIDTH = 320  # px, at which the subject is looked for
_BINS = 24  # of 1/Z, that divide the scene into what may be a subject
_WHOLE_SHARE = 0.1  # of the picture; larger does not make a subject any more likely


def find_focus(scene: Scene, params: BokehParams) -> tuple[float, tuple[float, ...] | None]:
    """The depth in focus in metres, and the pixel or box that it was taken from, None if it was given in metres.

    Raises InputError when there is no depth at that place.
    """
    if params.focus_depth_m is not None:
        return params.focus_depth_m, None
    height, width = scene.depth_m.shape
    at = find_subject(scene) if params.focus_px == "auto" else params.focus_px
    at = at or ((width - 1) / 2, (height - 1) / 2)
    return _depth_in(scene.depth_m, at), at


def _depth_in(depth_m: FloatMap, at: tuple[float, ...]) -> float:
    """Median depth in metres of the known pixels around a point (x, y) or in a box (x0, y0, x1, y1)."""
    height, width = depth_m.shape
    x0, y0, x1, y1 = (round(v) for v in (at if len(at) == 4 else (*at, *at)))
    if not (0 <= x0 <= x1 < width and 0 <= y0 <= y1 < height):
        raise InputError(
            f"the focus {','.join(f'{v:g}' for v in at)} lies outside the picture of {width}x{height}",
            hint=f"x runs from 0 to {width - 1}, y from 0 to {height - 1}, a box from its top left to its bottom right",
        )
    reach = _WINDOW_PX if len(at) == 2 else 0
    around = depth_m[max(0, y0 - reach) : y1 + reach + 1, max(0, x0 - reach) : x1 + reach + 1]
    known = around[np.isfinite(around)]
    if not known.size:
        raise InputError(
            f"the depth at the focus {','.join(f'{v:g}' for v in at)} is unknown or infinite",
            hint="choose another point, or give --focus-depth in metres",
        )
    return float(np.median(known))


def find_subject(scene: Scene) -> tuple[float, float]:
    """The pixel (x, y) in the middle of the subject: the nearest large, central and sharp thing.

    Things are connected pixels of similar 1/Z. The one counts most whose product of size (to a tenth of the
    picture), centrality, detail and nearness is largest.
    """
    height, width = scene.depth_m.shape
    scale = min(1.0, _WORKING_WIDTH / width)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    inverse = np.where(np.isfinite(scene.depth_m), 1 / scene.depth_m, 0)
    inverse = cv2.resize(inverse.astype(np.float32), size, interpolation=cv2.INTER_NEAREST)
    small = np.asarray(cv2.resize(to_linear(scene.image), size, interpolation=cv2.INTER_AREA), np.float32)
    luma = srgb_encode(small).mean(axis=2)
    detail = cv2.GaussianBlur(np.abs(luma - cv2.GaussianBlur(luma, (0, 0), 2)), (0, 0), 3)
    detail /= max(float(detail.mean()), 1e-6)
    y, x = np.mgrid[: size[1], : size[0]]
    off = ((x + 0.5) / size[0] - 0.5) ** 2 + ((y + 0.5) / size[1] - 0.5) ** 2
    central = np.exp(-off / (2 * 0.2**2))  # a fifth of the picture: the middle third counts most
    low, high = np.percentile(inverse, (1, 99))
    near = np.clip((inverse - low) / max(high - low, 1e-9), 0, 1)
    best, place = -1.0, ((width - 1) / 2, (height - 1) / 2)
    for offset in (0.0, 0.5):  # a thing may straddle two bins of one division, not of both
        bins = np.floor(near * _BINS + offset).astype(np.int32)
        for value in np.unique(bins):
            _, labels, stats, _ = cv2.connectedComponentsWithStats((bins == value).astype(np.uint8))
            for k in range(1, len(stats)):
                share = stats[k, cv2.CC_STAT_AREA] / near.size
                if share < 0.003:  # too small to be what a photo is of
                    continue
                inside = labels == k
                means = [float(m[inside].mean()) for m in (central, near, detail)]
                score = min(share / _WHOLE_SHARE, 1) ** 0.5 * means[0] * (0.3 + means[1]) * min(means[2], 2) ** 0.5
                if score > best:
                    depth = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 3) * (0.2 + central)
                    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
                    best, place = score, ((column + 0.5) / scale - 0.5, (row + 0.5) / scale - 0.5)
    return min(round(place[0]), width - 1), min(round(place[1]), height - 1)
