"""Local planes in inverse depth, as large as the surface allows.

Faces are planes as a whole. On what is round the support of a plane is grown from pixel to pixel along the surface and
stops at creases and tears; how large it may grow is found from the fits themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from depthapps.denoise.faces import find_faces
from depthapps.denoise.fits import BoolMap, fit, gathered
from depthapps.geometry import robust_deviation
from depthapps.scene import FloatMap

# Deviations of the weights around a pixel, in pixels. Over four noisy rooms steps of 2 cost 0.01 of shadow IoU; finer
# ones bring nothing.
SCALES_PX = (4.0, 6.0, 9.0, 14.0, 21.0, 32.0)
# Two fits are the same surface when they differ by this many deviations of pure noise, and are not from twice that
# on. Over two ray-traced rooms 1.0 to 1.2 give shadows within 0.005 of IoU; 1.5 rounds edges off.
AGREEMENT = 1.1
_EVEN_PX = 6.0  # over which slopes are averaged on what is round: it looks even, and shadows do not change
_STILL_COUNTED = 25.0  # squares of larger differences count as this: one pixel does not speak for its neighbours


@dataclass(frozen=True, eq=False)
class LocalPlanes:
    """The plane that each pixel lies on: w = 1/Z (H, W) in 1/m and its slopes du, dv (H, W) in 1/m a pixel.

    sigma: (H, W) the deviation of w that is left, in 1/m.
    """

    inverse: FloatMap
    du: FloatMap
    dv: FloatMap
    sigma: FloatMap


def fit_planes(inverse: FloatMap, right: BoolMap, down: BoolMap) -> LocalPlanes:
    """Planes through noisy inverse depth (H, W) without NaN, along links right (H, W-1) and down (H-1, W).

    From fine to coarse, a pixel takes the next larger fit as long as value and slopes agree with the one before
    (the intersection of confidence intervals: Katkovnik 1999; with local planes: Foi 2005). What pure noise makes of
    the difference is the median over the picture, so neither its strength nor its grain has to be known.
    """
    faces = find_faces(inverse, right, down)
    right = right & (faces.label[:, :-1] == faces.label[:, 1:])
    down = down & (faces.label[:-1] == faces.label[1:])
    previous = fit(inverse, right, down, SCALES_PX[0])
    chosen = list(previous)
    share = np.ones(inverse.shape, np.float32)
    sigma = share
    for step, scale_px in enumerate(SCALES_PX[1:]):
        larger = fit(inverse, right, down, scale_px)
        surprise = np.zeros(inverse.shape, np.float32)
        deviations = []
        for k in range(3):
            difference = larger[k] - previous[k]
            deviations.append(max(robust_deviation(difference), 1e-30))
            surprise += np.minimum((difference / deviations[k]) ** 2, _STILL_COUNTED) / 3
        # a surface differs over as much as the support reaches, noise does not
        distance = np.sqrt(cv2.GaussianBlur(surprise, (0, 0), scale_px))
        share = np.minimum(share, np.clip(2 - distance / AGREEMENT, 0, 1))
        if step == 0:
            sigma = np.full(inverse.shape, deviations[0], np.float32)
        sigma = sigma + share * (np.float32(deviations[0]) - sigma)
        chosen = [c + share * (n - c) for c, n in zip(chosen, larger, strict=True)]
        previous = larger
    value, du, dv = chosen
    sums = gathered(np.stack([np.ones_like(du), du, dv], axis=-1), right, down, _EVEN_PX)
    chosen = [value, sums[..., 1] / sums[..., 0], sums[..., 2] / sums[..., 0]]
    value, du, dv = (np.where(np.isnan(faces.plane[0]), c, p) for c, p in zip(chosen, faces.plane, strict=True))
    return LocalPlanes(value, du, dv, sigma)
