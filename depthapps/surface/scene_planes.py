"""Find the large planes of a scene, such as its walls and floor, however far apart their pixels lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthapps.core.scene import FloatMap
from depthapps.runtime.kernel import Kernel
from depthapps.runtime.threads import for_bands
from depthapps.surface.tearing import BoolMap

_MOST_PLANES = 8  # a room has six walls, and a table and a shelf
_LEAST_SHARE = 0.02  # of the sure pixels; less than that is no wall
_ON_PLANE = 0.006  # share of 1/Z by which a sure pixel of a plane is off at most
_TAKEN = 2.5  # times as far off are those which are left out afterwards, so that no plane is found twice
_TRIES = 300  # hypotheses for each plane: one of 5 % of the pixels, drawn from nearby, is found in nearly every run
_SAMPLES = 6000  # pixels that are asked whether they lie on a hypothesis
_MOST_USED = 40 * _SAMPLES  # the fits need no more
_NEARBY = 0.15  # of the picture's longer side: how far apart the three pixels of a hypothesis lie at most
_BEHIND = 0.03  # share of 1/Z by which a pixel lies behind a plane for certain
# Of the pixels, those behind a plane that bounds the scene at most. In six rendered rooms and five measured pairs walls
# and floors have up to 0.8 %, other planes 6 % and more.
_MOST_BEHIND = 0.02
_ROUNDS = 4  # of least squares, each over the pixels that lie on the plane before

_KERNELS = "depthapps.surface._plane_kernels"
_lay = Kernel(
    _KERNELS, "lay_on_planes", "float64[:,::1] float64 float64 float32[:,::1] int64 int64 float32[:,:,::1] uint8[:,::1]"
)
_weigh = Kernel(_KERNELS, "weigh_planes", "float32[:,::1] float32[:,::1] float32[::1]")
KERNELS = (_weigh,)  # of `planes_of`


@dataclass(frozen=True, eq=False)
class LargePlanes:
    """Planes that hold a large part of a scene, the largest first.

    values: (N, 3) float64, their 1/Z in 1/m at the picture's corner, and its slopes to the right and down, per pixel.
    close: by how much in 1/m the 1/Z of a pixel on a plane may be off, where that is more than a share of _ON_PLANE.
    """

    values: NDArray[np.floating]
    close: float

    def laid(self, inverse: FloatMap) -> tuple[NDArray[np.floating], BoolMap]:
        """The first plane (H, W, 3) float32 that each pixel's 1/Z lies on, and where there is one.

        It is told by its 1/Z at the pixel, and its slopes. Where there is none, it has the pixel's own 1/Z, 0 for NaN,
        and no slopes.
        """
        tilted, on = np.empty((*inverse.shape, 3), np.float32), np.empty(inverse.shape, np.uint8)
        values, known = np.ascontiguousarray(self.values, np.float64), np.ascontiguousarray(inverse, np.float32)
        for_bands(
            len(on),
            lambda first, end: _lay(values, float(self.close), _ON_PLANE, known, first, end, tilted, on),
        )
        return tilted, on.view(bool)

    def bounds(self, inverse: FloatMap, margin: int) -> FloatMap:
        """The least 1/Z that anything may have: that of the planes behind which nothing of the scene lies.

        inverse: (H, W) 1/Z of the scene, NaN where it has none. The bounds are told with `margin` more pixels on all
        sides; they are 0 where there are none.
        """
        height, width = inverse.shape
        rows, columns = (range(-margin, size + margin) for size in (height, width))
        inner = np.s_[margin : margin + height, margin : margin + width]
        least = np.zeros((len(rows), len(columns)), np.float32)
        known = max(int(np.isfinite(inverse).sum()), 1)
        for plane in self.values:
            laid = plane_over(plane, rows, columns)
            with np.errstate(invalid="ignore"):
                behind = (inverse < (1 - np.float32(_BEHIND)) * laid[inner]).sum()
            if behind <= _MOST_BEHIND * known:
                np.maximum(least, laid, out=least)
        return least

    def bounds_of_continued(self, inverse: FloatMap, margin: int, source: NDArray[np.int32], step: float) -> FloatMap:
        """The `bounds` of what continues the scene's surfaces, few of which lie behind them.

        What continues a surface that lies behind a bound by more than `step`, as a share of 1/Z, has a bound as much
        farther away. Else there would be a step, which is a hole when the model turns. source: the row-major numbers,
        in the map with the margin, of the pixels that are continued; -1 for none.
        """
        bounds = self.bounds(inverse, margin)
        with np.errstate(invalid="ignore", divide="ignore"):
            behind = np.pad(inverse, margin, constant_values=np.nan) / bounds
            share = np.where(behind < 1 - step, behind, np.float32(1))
        return bounds * share.ravel()[np.maximum(source, 0)]

    def padded(self, margin: int) -> LargePlanes:
        """The same planes over a picture with `margin` more pixels on all sides."""
        values = self.values.copy()
        values[:, 0] -= margin * (values[:, 1] + values[:, 2])
        return LargePlanes(values, self.close)


NO_PLANES = LargePlanes(np.empty((0, 3)), 0.0)


def find_planes(inverse: FloatMap, sure: BoolMap, close: float) -> LargePlanes:
    """Find the planes that hold many of the sure pixels (H, W) of 1/Z in 1/m, the largest first.

    close: as `LargePlanes` has it. Planes of the scene are planes of 1/Z over the picture.
    """
    return LargePlanes(planes_of(inverse, sure, share=_ON_PLANE, close=close), close)


def plane_over(plane: NDArray[np.floating], rows: range, columns: range) -> FloatMap:
    """The values of a plane, told as `planes_of` tells it, at these rows and columns; float32."""
    start, right, down = plane.astype(np.float32)
    x, y = np.array(columns, np.float32), np.array(rows, np.float32)
    return (start + down * y)[:, None] + right * x


def planes_of(
    values: FloatMap,
    sure: BoolMap,
    *,
    share: float = 0.0,
    least: float = 0.0,
    close: float = 0.0,
    holding: float = _LEAST_SHARE,
    most_used: int = _MOST_USED,
) -> NDArray[np.floating]:
    """Find the planes (N, 3) float64 that hold many of the sure pixels (H, W) of a map, the largest first.

    Each is told by its value at the picture's corner, and its slopes to the right and down, per pixel. A pixel of a
    plane is off by at most that share of its value, or by `least` if that is more. Those off by less than 2.5 times
    as much, or than `close`, are left out afterwards, so that no plane is found twice. holding: the share of the sure
    pixels that a plane has to hold. most_used: of more sure pixels than that, so many are drawn.

    The planes are found one after the other by random sample consensus (Fischler and Bolles 1981) whose samples lie
    near each other, with truncated squares as the cost (Torr and Zisserman 2000), and fitted to all of their pixels.
    The random numbers are the same every time.
    """
    random = np.random.default_rng(0)
    y, x = np.nonzero(sure)
    if len(y) > most_used:
        few = random.choice(len(y), most_used, replace=False)
        y, x = y[few], x[few]
    points = np.column_stack([np.ones(len(y)), x, y]).astype(np.float64)
    rest = values[y, x].astype(np.float64)
    fewest, near = holding * len(rest), _NEARBY * max(values.shape)
    found = []
    while len(found) < _MOST_PLANES and len(rest) >= max(fewest, 3):
        off = np.maximum(share * rest, least)
        plane = _consensus(points, rest, off, near, random)
        on = np.zeros(len(rest), bool)
        for _ in range(_ROUNDS):
            on = np.abs(points @ plane - rest) <= off
            if on.sum() < max(fewest, 3):
                return np.reshape(found, (-1, 3))
            places = points[on]
            plane = np.linalg.lstsq(places.T @ places, rest[on] @ places, rcond=None)[0]
        found.append(plane)
        other = np.abs(points @ plane - rest) > np.maximum(close, _TAKEN * off)
        points, rest = points[other], rest[other]
    return np.reshape(found, (-1, 3))


def _consensus(
    points: NDArray[np.floating],
    values: NDArray[np.floating],
    most_off: NDArray[np.floating],
    near: float,
    random: np.random.Generator,
) -> NDArray[np.floating]:
    """The best of _TRIES planes (3,) through three pixels each, by how many of _SAMPLES other pixels lie on them."""
    few = random.choice(len(values), min(_SAMPLES, len(values)), replace=False)
    first = random.choice(len(values), _TRIES)
    others = random.choice(few, (_TRIES, 40))
    across, down = (np.abs(place[others] - place[first][:, None]) for place in points.T[1:].astype(np.float32))
    distance = np.maximum(across, down)
    wanted = np.where((distance < near) & (distance > 0.1 * near), random.random(distance.shape), 2)
    within = np.argpartition(wanted, 1, axis=1)
    corners = np.column_stack([first, np.take_along_axis(others, within[:, :2], axis=1)])
    matrices = points[corners]
    usable = np.abs(np.linalg.det(matrices)) > (0.05 * near) ** 2
    if not usable.any():
        return np.array([np.median(values), 0, 0])
    planes = np.linalg.solve(matrices[usable], values[corners[usable]][..., None])[..., 0]
    asked = (np.column_stack([points[few], values[few]]) / most_off[few, None]).astype(np.float32)
    costs = np.zeros(len(planes), np.float32)
    _weigh(np.ascontiguousarray(planes.T, np.float32), asked, costs)
    return planes[costs.argmin()]
