"""Find the levels that a picture's samples really use, stretch them for the program, and put them back for files.

Cameras of 10 to 14 bits write files of 16 bits, thermal and satellite cameras start far above 0, and float samples come
in any unit. The program counts on black at 0 and white at the largest sample, or at 1 for floats.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import srgb_decode, srgb_encode
from depthapps.core.scene import Image

_WHITE = 65535
# Cameras have at most 14 bits. What uses more than that of 16 bits, and a quarter of all levels, is a photo that is
# meant as it is, however dark.
_MOST_BITS = 14
_LEAST_USED = 0.25
_RARE_PERCENT = 0.05  # of the samples, at each end, may be dead pixels or glints
_RARE_REACH = 2.0  # times the range of all others, from which on such samples are left out of it
_MARGIN = 0.25  # of that range, which is then left at both ends for bright and dark details
_SAMPLED = 1 << 20  # pixels a view that percentiles are taken of
# Linear light has 1 for white. Most of a picture is darker, also where lamps in it are a thousand times brighter; a
# little may be below 0, where the noise of a dark camera is.
_LINEAR_MEDIAN = 1.0
_LINEAR_NOISE = 0.05
_LINEAR_LEAST = 0.1  # a picture whose brightest samples are darker than this is in some other unit


@dataclass(frozen=True)
class Levels:
    """The two samples of a file that are black and white.

    Attributes
    ----------
    low, high : float
        The samples that become black and white.
    """

    low: float
    high: float

    def stretched(self, samples: Image) -> Image:
        """Turn a file's samples into the program's: uint16 sRGB from 0 to 65535, or float32 linear light from 0 to 1.

        Samples beyond the levels are clipped. Floats of an unknown unit are taken as encoded for the eye, as the whole
        numbers are.
        """
        share = (samples.astype(np.float32) - np.float32(self.low)) / np.float32(self.high - self.low)
        share = np.clip(share, 0, 1)
        if samples.dtype.kind == "f":
            return srgb_decode(share)
        return np.rint(share * np.float32(_WHITE)).astype(np.uint16)

    def restored(self, image: Image) -> Image:
        """Turn a picture (uint16 or float32) back into samples of the file's range; the inverse of `stretched`."""
        floats = image.dtype.kind == "f"
        share = np.asarray(
            srgb_encode(np.asarray(image, np.float32)) if floats else image / np.float32(_WHITE), np.float32
        )
        samples = np.float32(self.low) + share * np.float32(self.high - self.low)
        return samples if floats else np.rint(samples).astype(np.uint16)


def find_levels(*views: Image) -> Levels | None:
    """Find the levels that views of one scene use together; None if their samples already fill their type's range.

    Parameters
    ----------
    *views : (H, W, 3) arrays
        Pictures of one sample type: uint8, uint16 or float32.

    Returns
    -------
    Levels or None
        From 0 to the largest sample of 8 to 14 bits, if the samples use more than half of that; else what they use.
        None for 8 bits, for 16 bits that are used, and for floats that are linear light.
    """
    kind = views[0].dtype
    if kind == np.uint8 or any(view.dtype != kind for view in views):
        return None
    few = [_thinned(view) for view in views]
    rare = np.array([np.percentile(part, (_RARE_PERCENT, 50, 100 - _RARE_PERCENT)) for part in few])
    if kind.kind == "f" and _is_linear_light(rare):
        return None
    usual_low, usual_high = float(rare[:, 0].min()), float(rare[:, 2].max())
    low, high = (float(f([f(view) for view in views])) for f in (np.min, np.max))
    if high - low > _RARE_REACH * (usual_high - usual_low):
        margin = _MARGIN * (usual_high - usual_low)
        low, high = max(low, usual_low - margin), min(high, usual_high + margin)
    if not low < high:
        return None
    bits = max(8, int(np.ceil(np.log2(max(high, 0) + 1))))
    if kind == np.uint16 and bits > _MOST_BITS:
        return None if high - low > _LEAST_USED * _WHITE else Levels(low, high)
    white = float(2**bits - 1)
    return Levels(0.0, white) if low >= 0 and high <= white and high - low > white / 2 else Levels(low, high)


def stretched(image: Image) -> Image:
    """Stretch one picture (H, W, 3) by the levels that it uses; one that uses the range of its type stays as it is."""
    levels = find_levels(image)
    return image if levels is None else levels.stretched(image)


def _thinned(view: Image) -> Image:
    """Rows and columns of a view that are enough for percentiles."""
    step = int(np.ceil(np.sqrt(max(1.0, view.shape[0] * view.shape[1] / _SAMPLED))))
    return view[::step, ::step]


def _is_linear_light(rare: NDArray[np.floating]) -> bool:
    """Whether float views are linear light, by the percentiles (views, 3) of their darkest, middle and brightest."""
    darkest, median, brightest = rare[:, 0].min(), rare[:, 1].max(), rare[:, 2].max()
    return bool(darkest >= -_LINEAR_NOISE * brightest and median <= _LINEAR_MEDIAN and brightest >= _LINEAR_LEAST)
