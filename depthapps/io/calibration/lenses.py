"""The lens of a camera in OpenCV's terms: which model its file names, and what the rarer models come to."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthapps.core.errors import CalibrationError, brief
from depthapps.io.calibration.names import FISHEYE_WORDS, PINHOLE_WORDS

_CORNER = 0.1  # of both sides: no principal point lies so near the corner, from the middle all do
_FITTED_DEG = 80.0  # from the axis: how far a rare model is followed
# The intrinsics of a model as Kalibr and others write them in one list, before fx fy cx cy.
_BEFORE_FX = {
    "omni": ("xi",),
    "mei": ("xi",),
    "ds": ("xi", "alpha"),
    "double": ("xi", "alpha"),
    "eucm": ("alpha", "beta"),
}
# COLMAP's models: the names of their parameters.
_COLMAP = {
    "SIMPLE_PINHOLE": "f cx cy", "PINHOLE": "fx fy cx cy", "SIMPLE_RADIAL": "f cx cy k1", "RADIAL": "f cx cy k1 k2",
    "OPENCV": "fx fy cx cy k1 k2 p1 p2", "FULL_OPENCV": "fx fy cx cy k1 k2 p1 p2 k3 k4 k5 k6",
    "OPENCV_FISHEYE": "fx fy cx cy k1 k2 k3 k4", "SIMPLE_RADIAL_FISHEYE": "f cx cy k1",
    "RADIAL_FISHEYE": "f cx cy k1 k2", "FOV": "fx fy cx cy w",
}  # fmt: skip
Lens = tuple[NDArray[np.floating], tuple[float, ...], bool, str | None]  # K (3, 3), coefficients, fisheye, a note
Meanings = Mapping[str, Any]


def lens_of(view: Meanings, name: str) -> Lens | None:
    """K, the coefficients, whether they are a fisheye's, and a note of what is only nearly right; None without K.

    view: the camera's values by their meaning; name: the file, for messages.
    """
    view = dict(view)
    model = str(view.get("model", "")).lower()
    if "colmap" in view:
        model = _from_colmap(view, name)
    _from_list(view, model)
    matrix = _matrix(view)
    if matrix is None:
        return None
    k = _coefficients(view, model)
    if re.search(r"\bmei\b|omni", model) or ("xi" in view and "alpha" not in view):
        return _fitted(matrix, "omni", float(view.get("xi", 0)), k[:2])
    if "alpha" in view:
        kind, more = ("ds", view.get("xi", 0)) if "xi" in view else ("eucm", view.get("beta", 1))
        return _fitted(matrix, kind, float(view["alpha"]), (float(more),))
    if "fov" in model and k:
        return _fitted(matrix, "fov", k[0], ())
    fisheye = any(word in model for word in FISHEYE_WORDS) or float(view.get("fisheye", 0)) == 1
    if fisheye:
        k = (*k, 0, 0, 0, 0)[:4] if not any(k[4:]) else k
        if len(k) != 4:
            raise CalibrationError(
                f"{name} has a fisheye lens with {len(k)} coefficients, not 4",
                hint="the equidistant model of Kannala and Brandt has k1 k2 k3 k4; calibrate with it",
            )
        return matrix, k, True, None
    if any(k) and model and not any(word in model for word in PINHOLE_WORDS):
        raise CalibrationError(
            f"{name} has the lens model {brief(view.get('model'))}, which is not understood",
            hint="plumb_bob (radtan), rational_polynomial, equidistant (fisheye), omni, ds, eucm and fov are; "
            "or rectify first and pass the projection's numbers",
        )
    if any(k) and len(k) not in (4, 5, 8, 12, 14):
        raise CalibrationError(
            f"{name} has a lens with {len(k)} distortion coefficients, not 4, 5, 8, 12 or 14",
            hint="k1 k2 p1 p2 [k3 [k4 k5 k6]] is the usual order",
        )
    return matrix, k if any(k) else (), False, None


def _matrix(view: Meanings) -> NDArray[np.floating] | None:
    """K (3, 3) from the matrix, however it lies, or from focal lengths and the principal point."""
    if "K" in view:
        matrix = np.reshape(view["K"], (3, 3)).astype(np.float64)
        lying = matrix[2, :2].any() and not matrix[:2, 2].any()  # MATLAB's points are rows, its matrix is transposed
        return matrix.T if lying else matrix
    fx = view.get("fx", view["focal"][0] if "focal" in view else None)
    cx, cy = (view.get(c, view["centre"][k] if "centre" in view else None) for k, c in enumerate(("cx", "cy")))
    if fx is None or cx is None or cy is None:
        return None
    width, height = (float(view.get(side, 0)) for side in ("width", "height"))
    if max(abs(float(cx)) / max(width, 1), abs(float(cy)) / max(height, 1)) < _CORNER:  # Metashape's, from the middle
        cx, cy = float(cx) + (width - 1) / 2, float(cy) + (height - 1) / 2
    fy = view.get("fy", view["focal"][1] if "focal" in view else fx)
    return np.array([[float(fx), 0, float(cx)], [0, float(fy), float(cy)], [0, 0, 1]])


def _from_list(view: dict[str, Any], model: str) -> None:
    """Name the numbers of a list of intrinsics: fx fy cx cy, after what the model puts first."""
    numbers = view.get("intrinsics")
    if numbers is None or "K" in view or "fx" in view:
        return
    before = next((names for word, names in _BEFORE_FX.items() if word in model), ())
    for key, value in zip((*before, "fx", "fy", "cx", "cy"), numbers, strict=False):
        view.setdefault(key, float(value))


def _from_colmap(view: dict[str, Any], name: str) -> str:
    """Name the parameters of a COLMAP camera, whose pixels have their centre at a half; returns its model."""
    kind = str(view["colmap"])
    if kind not in _COLMAP or len(_COLMAP[kind].split()) != len(view.get("params", ())):
        raise CalibrationError(
            f"{name} has the camera model {kind}, or other parameters than it has",
            hint=f"{' '.join(_COLMAP)} are understood; COLMAP's image_undistorter makes PINHOLE of any",
        )
    view.update(zip(_COLMAP[kind].split(), map(float, view["params"]), strict=True))
    view["fx"] = view.get("fx", view.get("f"))
    view["cx"], view["cy"] = view["cx"] - 0.5, view["cy"] - 0.5
    if kind == "FOV":
        view["D"] = np.array([view["w"]])
    return kind.lower()


def _coefficients(view: Meanings, model: str) -> tuple[float, ...]:
    """OpenCV's coefficients from a list, from single numbers, or from a radial and a tangential list."""
    if "D" in view:
        found = [float(v) for v in view["D"]]
        if len(found) == 3:  # radial only
            found = [*found[:2], 0.0, 0.0, found[2]]
        return tuple(found if "fov" in model or len(found) > 2 else [*found, 0.0, 0.0, 0.0][:4])
    if "radial" in view:
        radial, tangential = list(view["radial"]), list(view.get("tangential", (0, 0)))
        return tuple(float(v) for v in (*radial[:2], *tangential[:2], *radial[2:]))
    single = {key: float(view[key]) for key in ("k1", "k2", "k3", "k4", "k5", "k6", "p1", "p2") if key in view}
    if any(word in model for word in FISHEYE_WORDS):  # VINS counts from k2, because the first coefficient is 1
        first = 2 if "k5" in single and "k1" not in single else 1
        return tuple(single.get(f"k{k}", 0.0) for k in range(first, first + 4))
    if not single:
        return ()
    names = ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6")
    found = [single.get(key, 0.0) for key in names]
    return tuple(found if any(found[5:]) else found[:5] if found[4] else found[:4])


def _fitted(matrix: NDArray[np.floating], kind: str, one: float, more: tuple[float, ...]) -> Lens:
    """A rare model as an equidistant one: the radius it gives each angle is fitted by the four coefficients."""
    angle = np.radians(np.linspace(0.01, _FITTED_DEG, 400))
    s, z = np.sin(angle), np.cos(angle)
    if kind == "omni":  # Mei and Rives
        m = s / np.maximum(z + one, 1e-3)
        k1, k2 = (*more, 0.0, 0.0)[:2]
        radius = m * (1 + k1 * m**2 + k2 * m**4)
    elif kind == "ds":  # Usenko's double sphere: one is alpha, more is xi
        second = np.hypot(s, more[0] + z)
        radius = s / np.maximum(one * second + (1 - one) * (more[0] + z), 1e-3)
    elif kind == "eucm":  # one is alpha, more is beta
        radius = s / np.maximum(one * np.sqrt(more[0] * s**2 + z**2) + (1 - one) * z, 1e-3)
    else:  # Devernay's field of view: one is its angle
        radius = np.arctan(2 * np.tan(angle) * math.tan(one / 2)) / one
    falling = np.flatnonzero(np.diff(radius) <= 0)
    end = max(int(falling[0]) if len(falling) else len(angle), 40)
    angle, radius = angle[:end], radius[:end]
    scale = radius[0] / angle[0]
    powers = np.stack([angle**k for k in (2, 4, 6, 8)], 1)
    found = np.linalg.lstsq(powers * angle[:, None], radius / scale - angle, rcond=None)[0]
    off = float(np.abs(powers @ found * angle + angle - radius / scale).max() * scale * matrix[0, 0])
    matrix = matrix * np.array([[scale, 1, 1], [1, scale, 1], [1, 1, 1]])
    note = f"the lens model ({kind}) is taken as the nearest equidistant one, up to {off:.2f} px off"
    return matrix, tuple(float(v) for v in found), True, note
