"""Smooth the normals of noisy depth where the picture is smooth too: dents that its shading does not show are noise."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import to_linear
from depthapps.core.scene import FloatMap, Image
from depthapps.runtime.threads import for_bands

# Measured as the root mean square error of the light of eight suns, from the engine's depth: without this, of five
# rendered rooms .139, of four lens scenes .125 and of the sample .126; with these constants .128, .091 and .094.
# All figures are of normals that are all guided; large flat faces keep theirs, see `surface.denoise.planes`.
_RADIUS = 1 / 60  # of the window, as a share of the longer side; 1/120: .130, .109, .108; 1/40: .132, .081, .090
_CELLS = 4  # of the small copy on which the relation is found (He and Sun 2015), a radius; 3 and 6 differ by .003
_RIDGE = 0.01  # variance of a log colour below which it tells nothing; 0.001: .128, .092, .094; 0.1: .131, .090, .094
_STEP_SIGMAS = 3.0  # of 1/Z, that count as much as that; 1 and 10 differ by .001
_LEAST = 1e-3  # confidence: where there is no other, what is doubtful counts
_DARKEST = 0.01  # share of full white below which a logarithm shows only noise


def guided_normals(
    normals: NDArray[np.floating], image: Image, inverse: FloatMap, noise: float, confidence: FloatMap | None
) -> NDArray[np.floating]:
    """Smooth unit normals (H, W, 3) with the picture (H, W, 3) as their guide; returns unit normals, NaN as it was.

    inverse: (H, W) 1/Z in 1/m, without NaN; noise: its standard deviation. confidence: (H, W), 0 to 1, by which pixels
    count; None for all alike.

    In every window the normal is taken to be linear in the logarithms of the three colours and in 1/Z (guided filter,
    He, Sun and Tang 2010): on one paint, light follows from the normal, so shading that the photo shows stays, and what
    it does not show goes. 1/Z parts what is near from what is far.
    """
    height, width = inverse.shape
    step = max(1, round(_RADIUS * max(height, width) / _CELLS))
    small, whole = (-(-width // step), -(-height // step)), (width, height)
    guide = np.empty((height, width, 4), np.float32)
    guide[..., :3] = np.log(np.maximum(np.nan_to_num(to_linear(image)), _DARKEST))
    guide[..., 3] = inverse * np.float32(np.sqrt(_RIDGE) / (_STEP_SIGMAS * noise))
    known = np.asarray(np.isfinite(normals).all(axis=2))
    weight = np.asarray(known if confidence is None else np.where(known, np.maximum(confidence, _LEAST), 0), np.float32)

    def shrunk(values: NDArray[np.floating]) -> FloatMap:
        return np.asarray(cv2.resize(values, small, interpolation=cv2.INTER_AREA), np.float32)

    count, coarse = shrunk(weight)[..., None], shrunk(guide)
    mean = shrunk(np.where(known[..., None], normals, 0).astype(np.float32) * weight[..., None])
    finer = np.maximum(shrunk(np.square(guide)) - np.square(coarse), 0)
    factors, offset = _relation(coarse, finer, mean / np.maximum(count, 1e-6), count)
    smooth = np.asarray(cv2.resize(offset, whole), np.float32)
    for k in range(3):
        factor = np.asarray(cv2.resize(factors[..., k, :], whole), np.float32)
        smooth[..., k] += np.einsum("ijk,ijk->ij", factor, guide)

    def unit(first: int, end: int) -> None:
        rows = smooth[first:end]
        rows /= np.maximum(np.linalg.norm(rows, axis=2, keepdims=True), np.float32(1e-6))
        rows[~known[first:end]] = normals[first:end][~known[first:end]]

    for_bands(height, unit)
    return smooth


def _relation(guide: FloatMap, finer: FloatMap, values: FloatMap, count: FloatMap) -> tuple[FloatMap, FloatMap]:
    """Factors (h, w, 3, 4) of a guide (h, w, 4), and offsets (h, w, 3), that give values (h, w, 3) around each cell.

    finer: (h, w, 4), the guide's variance within each cell, such as that of fine texture: it tells nothing of the
    values, and without it, it would be printed into them. count: (h, w, 1), the weight of each cell.
    """
    side = (2 * _CELLS + 1,) * 2

    def around(each: NDArray[np.floating]) -> FloatMap:
        return np.asarray(cv2.blur(each * count, side), np.float32).reshape(each.shape) / whole

    whole = np.maximum(cv2.blur(count, side)[..., None], np.float32(1e-6))
    middle, mean = around(guide), around(values)
    spread = np.empty((*guide.shape, 4), np.float32)
    together = np.empty((*guide.shape, 3), np.float32)
    for k in range(4):
        one = guide[..., k : k + 1]
        spread[..., k, :] = around(one * guide) - middle[..., k : k + 1] * middle
        together[..., k, :] = around(one * values) - middle[..., k : k + 1] * mean
    spread += (around(finer) + np.float32(_RIDGE))[..., None] * np.eye(4, dtype=np.float32)
    factors = np.linalg.solve(spread, together).swapaxes(-1, -2)
    offset = mean - np.einsum("ijkl,ijl->ijk", factors, middle)
    factors = np.stack([around(np.ascontiguousarray(factors[..., k, :])) for k in range(3)], axis=2)
    return factors, around(np.asarray(offset, np.float32))
