"""Find how the colour pictures of a depth camera have to be moved to fit its depth maps.

A depth camera takes colour through a second lens. Recordings of the first Kinect, such as 7-Scenes, do not correct for
that: the colour lens is wider and stands beside the depth lens, so colours are up to 40 of 640 pixels off. The fused
surface shows the right alignment: only there does a point of it have the same colour in all views.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.models import TriangleMesh
from depthapps.scan.paint import PlacedView, look_at

# Surface points and views that are compared, and the views that must see a point for it to count.
MOST_POINTS, MOST_VIEWS, FEWEST_SEEN = 3000, 12, 3
_WIDTHS = 128, 512  # pixels, of the pictures' copies: the small ones converge from afar, the large ones are exact
_SCALES = np.geomspace(0.75, 1.33, 9)  # tried first: focal length of the colour lens over that of the depth lens
# First steps of the scale, of right and down (in widths), and of aside_m (in widths times metres).
_STEPS = np.array([0.02, 0.01, 0.01, 0.01])
_HALVINGS = 4  # step sizes, each half the one before
_BLACK = 8.0  # grey levels added to a colour before its logarithm, so that noise in the dark is no contrast
_OUTLIER = 0.5  # largest deviation of that logarithm that counts: larger ones have other causes
# An alignment is believed if at most this share of the colours' disagreement is left. Pictures of seven rendered rooms,
# which fit their depth as they are, keep 0.995 and more of it; those of 7-Scenes keep 0.62.
BELIEVED = 0.85


Values = NDArray[np.floating]


@dataclass(frozen=True)
class ColorCamera:
    """Where the picture shows pixel p of its depth map: at c + scale · (p - c) + shift, with the principal point c.

    scale: focal length of the colour lens over that of the depth lens. right, down: the constant part of the shift, as
    a share of the picture's width. aside_m: the part that falls with depth, as the colour lens stands beside the depth
    lens: a point at Z metres is shifted right by another aside_m / Z widths.
    """

    scale: float = 1.0
    right: float = 0.0
    down: float = 0.0
    aside_m: float = 0.0

    def places(
        self, x: NDArray[np.floating], y: NDArray[np.floating], depth_m: NDArray[np.floating], view: PlacedView
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Find where a view's picture shows the pixels (x, y) of its depth map, which are depth_m metres away."""
        camera = view.camera
        across = self.right + self.aside_m / depth_m
        return (
            (camera.cx + self.scale * (x - camera.cx) + across * camera.width).astype(np.float32),
            (camera.cy + self.scale * (y - camera.cy) + self.down * camera.width).astype(np.float32),
        )

    def laid(self, view: PlacedView) -> PlacedView:
        """Resample a view's picture so that it fits the view's depth map; unknown depth counts as the median depth."""
        height, width = view.depth_m.shape
        x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        known = view.depth_m > 0
        usual = float(np.median(view.depth_m[known])) if known.any() else np.inf
        places = self.places(x, y, np.where(known, view.depth_m, np.float32(usual)), view)
        image = cv2.remap(view.image, *places, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        return replace(view, image=np.asarray(image, np.uint8))


def find_color_camera(mesh: TriangleMesh, views: Sequence[PlacedView], voxel_m: float) -> ColorCamera | None:
    """Find the alignment at which the mesh's points look most alike in all views; None if the pictures fit as they are.

    Coordinate descent on the mean deviation of log colours from each point's mean, with each view's exposure removed.
    """
    some = [views[k] for k in np.linspace(0, len(views) - 1, min(len(views), MOST_VIEWS)).round().astype(int)]
    points = _SharedPoints.of(mesh, some, voxel_m)
    if points is None:
        return None
    # A step of `aside_m` also changes `right` the other way, so that points at the median depth stay where they are.
    steps = np.diag(_STEPS)
    steps[3, 1] = -_STEPS[3] / float(np.median(points.depth_m[points.depth_m > 0]))
    found = np.array([1.0, 0, 0, 0])
    for width in _WIDTHS:
        disagreement = points.disagreement(width)
        as_it_is = disagreement(np.array([1.0, 0, 0, 0]))
        if width == _WIDTHS[0]:
            found = min((np.array([scale, 0, 0, 0]) for scale in _SCALES), key=disagreement)
        found = _descended(found, disagreement, steps)
        if disagreement(found) > BELIEVED * as_it_is:
            return None
    return ColorCamera(*(float(v) for v in found))


def _descended(found: Values, disagreement: Callable[[Values], float], steps: NDArray[np.floating]) -> Values:
    """Improve the values (4,) of a ColorCamera by steps (S, 4) until none lowers the disagreement."""
    least = disagreement(found)
    for halving in range(_HALVINGS):
        for step, way in itertools.product(steps / 2**halving, (1, -1)):
            while True:
                trial = found + way * step
                if (now := disagreement(trial)) >= least:
                    break
                found, least = trial, now
    return found


@dataclass(frozen=True, eq=False)
class _SharedPoints:
    """N surface points that several of K views see.

    pixels: (K, N, 2) where each view's depth map has them. depth_m: (K, N) metres, 0 where a view does not see them.
    """

    views: list[PlacedView]
    pixels: NDArray[np.floating]
    depth_m: NDArray[np.floating]

    @classmethod
    def of(cls, mesh: TriangleMesh, views: list[PlacedView], voxel_m: float) -> _SharedPoints | None:
        """Choose vertices of a mesh that at least FEWEST_SEEN views see; None if there are none."""
        every = slice(None, None, max(1, len(mesh.vertices) // MOST_POINTS))
        some = replace(mesh, vertices=mesh.vertices[every], normals=mesh.normals[every], colors=mesh.colors[every])
        looks = [look_at(some, view, voxel_m) for view in views]
        seen = np.array([look.weight > 0 for look in looks])
        depth = np.array([some.vertices @ v.to_camera[2, :3] + v.to_camera[2, 3] for v in views])
        often = seen.sum(axis=0) >= FEWEST_SEEN
        if not often.any():
            return None
        return cls(views, np.array([look.pixels for look in looks])[:, often], np.where(seen, depth, 0)[:, often])

    def disagreement(self, width: int) -> Callable[[Values], float]:
        """Make a function of a ColorCamera's values that tells how much the views differ in the points' colours.

        The pictures are made at most `width` pixels wide. The function returns the mean deviation of log colours from
        each point's mean, with each view's exposure removed.
        """
        pictures, shares = [], []
        for view in self.views:
            share = min(1.0, width / view.camera.width)
            pictures.append(cv2.resize(view.image, None, fx=share, fy=share, interpolation=cv2.INTER_AREA))
            shares.append(share)

        def mean_deviation(values: Values) -> float:
            where = ColorCamera(*values)
            logs, seen = np.zeros((*self.depth_m.shape, 3), np.float32), np.zeros(self.depth_m.shape, bool)
            for k, (view, picture, share) in enumerate(zip(self.views, pictures, shares, strict=True)):
                shown = np.flatnonzero(self.depth_m[k])
                x, y = self.pixels[k, shown].T
                x, y = where.places(x, y, self.depth_m[k, shown], view)
                x, y = (x + 0.5) * share - 0.5, (y + 0.5) * share - 0.5
                inside = (x >= 0) & (x <= picture.shape[1] - 1) & (y >= 0) & (y <= picture.shape[0] - 1)
                if not inside.any():  # a view of another room has no say
                    continue
                colors = cv2.remap(picture, x[inside], y[inside], cv2.INTER_LINEAR).reshape(-1, 3)
                seen[k, shown[inside]] = True
                logs[k, shown[inside]] = np.log(colors + np.float32(_BLACK))
            seen &= seen.sum(axis=0) >= FEWEST_SEEN
            if not seen.any():
                return np.inf
            count = np.maximum(seen.sum(axis=0), 1)[:, None]
            for _ in range(2):  # exposures follow from the points' means, and better means from the exposures
                off = logs - np.einsum("kn,knc->nc", seen, logs) / count
                for k in range(len(logs)):
                    if seen[k].any():
                        logs[k] -= np.median(off[k, seen[k]], axis=0)
            off = np.abs(logs - np.einsum("kn,knc->nc", seen, logs) / count).mean(axis=2)
            return float(np.minimum(off[seen], _OUTLIER).mean())

        return mean_deviation
