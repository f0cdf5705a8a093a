"""The colours that the second photo has of surfaces that the first one does not show."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.blank import blank_part
from depthapps.core.color import to_8bit
from depthapps.core.filling import push_pull
from depthapps.core.geometry import depth_from_inverse, unproject
from depthapps.core.scene import FloatMap, SecondView
from depthapps.mesh.behind import Behind
from depthapps.mesh.cut import GridSurface
from depthapps.surface.raster import draw_largest
from depthapps.surface.second_photo import project_into
from depthapps.surface.tearing import BoolMap, grid_quads

_SEEN = 0.01  # share of 1/Z by which a point may lie behind the nearest surface there and still be what a photo shows
_RIM_PX = 3  # window over which near surfaces are widened, as a photo mixes their colours with those beside them
# Of the longer side: through narrower gaps between near things nothing is taken to be seen. Often they are mistakes of
# the depth, as where a petal ends too early, and what the photo shows there is the petal. With 0, 0.005 and 0.01, nine
# new views of five rendered rooms, whose chairs have true gaps, look 29.89, 29.86 and 29.77 dB like the truth. A photo
# of a flower before a shelf has large red stains on the shelf with 0, and a small one with 0.005.
_GAP_SHARE = 0.005
_EVERY = 4  # of the pixels that both photos show, every fourth of every fourth row tells how their colours differ
_SAME = 0.5  # natural logarithm of the ratio of grey levels; photos that differ more at a point show two things there
_FOOT = np.float32(8)  # grey levels that are added before, so that noise in the dark makes no large ratios
# Half the window over which the grain of both photos averages out of their levels. With 0.06, what ten real pairs'
# second photo sees looks 0.03 dB more like it than with 0.015, with 0.12 by 0.01 dB more; rendered rooms do not change.
_LEVEL_SHARE = 0.06


class SecondColors:
    """The second photo, levelled onto the first one, and what stands before the surfaces that it may show."""

    def __init__(self, surface: GridSurface, second: SecondView) -> None:
        """surface: what the first photo shows."""
        self._second, self._image = second, to_8bit(second.image)
        x, y, depth = project_into(unproject(surface.depth_m, surface.camera), second)
        hiding = replace(surface, quads=grid_quads(surface.depth_m, surface.untorn))
        self._nearest = self._drawn(hiding, x, y, depth)
        if (blank := blank_part(second.image)) is not None:
            self._nearest[blank] = np.inf  # as if something stood there
        few = np.s_[::_EVERY, ::_EVERY]
        found, shown = self._look(self._nearest, x[few], y[few], depth[few])
        off = np.log((to_8bit(surface.image)[few] + _FOOT) / (found + _FOOT))
        both = shown & surface.quads.pixels()[few] & (np.abs(off).max(axis=-1) < _SAME)
        height, width = surface.depth_m.shape
        side = 2 * max(round(_LEVEL_SHARE * max(height, width) / _EVERY), 1) + 1
        told = cv2.blur(both.astype(np.float32), (side, side))
        mean = cv2.blur(np.where(both[..., None], off, np.float32(0)), (side, side))
        level = push_pull(mean / np.maximum(told, 1e-6)[..., None], told)
        self._level = np.asarray(cv2.resize(level, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)

    def hide_behind(self, surface: GridSurface) -> None:
        """Add a surface that hides what is behind it."""
        places = project_into(unproject(surface.depth_m, surface.camera), self._second)
        self._nearest = np.maximum(self._nearest, self._drawn(surface, *places))

    def of(self, behind: Behind) -> tuple[NDArray[np.floating], BoolMap]:
        """The colours (h, w, 3) of a continued surface as the first photo would have them, and where they are seen."""
        around = (behind.inverse.shape[0] - self._level.shape[0]) // 2
        level = cv2.copyMakeBorder(self._level, around, around, around, around, cv2.BORDER_REPLICATE)
        gap_px = 2 * round(_GAP_SHARE / 2 * max(self._nearest.shape)) + 1
        gap = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (gap_px, gap_px))
        nearest = cv2.morphologyEx(self._nearest, cv2.MORPH_CLOSE, gap)
        nearest = np.asarray(cv2.dilate(nearest, np.ones((_RIM_PX, _RIM_PX), np.uint8)), np.float32)
        points = unproject(depth_from_inverse(behind.inverse), behind.camera)
        found, shown = self._look(nearest, *project_into(points, self._second))
        return (found + _FOOT) * np.exp(level) - _FOOT, shown

    def _drawn(self, surface: GridSurface, x: FloatMap, y: FloatMap, depth: FloatMap) -> FloatMap:
        """The largest 1/Z of a surface at each pixel of the photo, -inf where it is not; its places are given."""
        with np.errstate(divide="ignore", invalid="ignore"):
            points = np.stack([x, y, 1 / depth], axis=-1).reshape(-1, 3)
        return draw_largest(points, surface.triangles, self._image.shape[:2])

    def _look(
        self, nearest: FloatMap, x: FloatMap, y: FloatMap, depth: FloatMap
    ) -> tuple[NDArray[np.floating], BoolMap]:
        """The colours (h, w, 3) float32 that the photo shows at places (h, w), and whether it shows their points.

        nearest: the largest 1/Z of the known surfaces at each pixel of the photo, -inf where there is none.
        """
        height, width = self._image.shape[:2]
        with np.errstate(invalid="ignore"):
            inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
        at = np.where(inside, x, 0), np.where(inside, y, 0)
        before = cv2.remap(nearest, *at, cv2.INTER_NEAREST)
        with np.errstate(divide="ignore", invalid="ignore"):
            shown = inside & (1 / depth >= (1 - _SEEN) * before)
        return cv2.remap(self._image, *at, cv2.INTER_LINEAR).astype(np.float32), shown
