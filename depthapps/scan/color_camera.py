"""Where the pictures of a depth camera lie, if it takes them with a second lens and nobody laid them on the depth.

Recordings of the first Kinect, such as 7-Scenes, are like that: the colour camera has a wider lens beside the other
one, and pictures taken as they come are up to 40 of 640 pixels off. The surface itself tells where they belong: its
points have one colour in all views only if they are looked up in the right places.
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

MOST_POINTS, MOST_VIEWS, FEWEST_SEEN = 3000, 12, 3
_WIDTHS = 128, 512  # of the copies of the pictures: the first to see far, the second to see well
_SCALES = np.geomspace(0.75, 1.33, 9)  # from a lens half as wide again to one as much narrower
_STEPS = np.array([0.02, 0.01, 0.01, 0.01])  # of scale, right, down (widths) and aside (widths times metres)
_HALVINGS = 4
_BLACK = 8.0  # grey levels that are added to colours before their logarithm: noise is no contrast
_OUTLIER = 0.5  # of that logarithm: what differs by more does so for other reasons
# Of the disagreement of colours that is left. Pictures of seven rendered rooms, which lie on their depth, keep .995 and
# more of it, those of 7-Scenes .62.
BELIEVED = 0.85


Values = NDArray[np.floating]


@dataclass(frozen=True)
class ColorCamera:
    """Where the colour of a depth map's pixel p is: at c + scale · (p - c) + shift, c being its principal point.

    right, down: of the shift, in widths; aside_m: what a point in 1 m is further to the right, in widths.
    """

    scale: float = 1.0
    right: float = 0.0
    down: float = 0.0
    aside_m: float = 0.0

    def places(
        self, x: NDArray[np.floating], y: NDArray[np.floating], depth_m: NDArray[np.floating], view: PlacedView
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Where pixels (x, y) of a view's depth, so far away, are in its picture."""
        camera = view.camera
        across = self.right + self.aside_m / depth_m
        return (
            (camera.cx + self.scale * (x - camera.cx) + across * camera.width).astype(np.float32),
            (camera.cy + self.scale * (y - camera.cy) + self.down * camera.width).astype(np.float32),
        )

    def laid(self, view: PlacedView) -> PlacedView:
        """The view with its picture laid on its depth."""
        height, width = view.depth_m.shape
        x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        known = view.depth_m > 0
        usual = float(np.median(view.depth_m[known])) if known.any() else np.inf
        places = self.places(x, y, np.where(known, view.depth_m, np.float32(usual)), view)
        image = cv2.remap(view.image, *places, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        return replace(view, image=np.asarray(image, np.uint8))


def find_color_camera(mesh: TriangleMesh, views: Sequence[PlacedView], voxel_m: float) -> ColorCamera | None:
    """Where the pictures lie in which the mesh's points have the same colour in all views; None if on the depth.

    The least mean deviation of log colours from their mean, exposure left aside, by coordinate descent.
    """
    some = [views[k] for k in np.linspace(0, len(views) - 1, min(len(views), MOST_VIEWS)).round().astype(int)]
    points = _SharedPoints.of(mesh, some, voxel_m)
    if points is None:
        return None
    # a step aside leaves what is at the middle depth where it is
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
    """Values (4,) of a ColorCamera from which none of the steps (S, 4) leads to better ones."""
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
    """Points that several views show: their pixels (K, N, 2) in each view's depth, and how far they are (K, N) m there,
    0 where the view does not show them."""

    views: list[PlacedView]
    pixels: NDArray[np.floating]
    depth_m: NDArray[np.floating]

    @classmethod
    def of(cls, mesh: TriangleMesh, views: list[PlacedView], voxel_m: float) -> _SharedPoints | None:
        """Some vertices of a mesh, each shown by FEWEST_SEEN views; None if there is none."""
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
        """How much the views differ in the points' colours, in copies of that width, for values of a ColorCamera.

        The mean deviation of log colours from each point's mean, each view's exposure left aside.
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
                colors = cv2.remap(picture, x[inside], y[inside], cv2.INTER_LINEAR).reshape(-1, 3)
                seen[k, shown[inside]] = True
                logs[k, shown[inside]] = np.log(colors + np.float32(_BLACK))
            seen &= seen.sum(axis=0) >= FEWEST_SEEN
            if not seen.any():
                return np.inf
            count = np.maximum(seen.sum(axis=0), 1)[:, None]
            for _ in range(2):  # exposures from the points' means, these from them
                off = logs - np.einsum("kn,knc->nc", seen, logs) / count
                for k in range(len(logs)):
                    if seen[k].any():
                        logs[k] -= np.median(off[k, seen[k]], axis=0)
            off = np.abs(logs - np.einsum("kn,knc->nc", seen, logs) / count).mean(axis=2)
            return float(np.minimum(off[seen], _OUTLIER).mean())

        return mean_deviation
