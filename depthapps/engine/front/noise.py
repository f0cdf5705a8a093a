"""Measure the noise of a view and remove it where it would disturb matching."""

from __future__ import annotations

import cv2
import numpy as np

from depthapps.core.scene import FloatMap, Image
from depthapps.core.statistics import robust_deviation

# Grey levels of noise above which it is removed. 26 real pairs and 18 rendered ones show 0 to 1.4 where nothing is
# added. With 3, 4 and 6 levels added to each colour of both views (2, 2.7 and 4 in grey), 7.6, 8.1 and 9.4 % of 19 real
# pairs are off by more than 2 px at `best`, where 8.5, 10.1 and 11.8 % were when only a roughness above 4 was taken for
# noise, and colours kept theirs. With 1 as the threshold these pairs are alike at 3 levels, and of nine rooms without
# added noise 4.5 instead of 4.1 % are at `balanced`.
LARGEST = 1.6
# Filter strength in standard deviations of the noise. With 1.45 these pairs gain up to 0.4 %, but lose 0.4 % with 8
# levels in the right view alone, and rooms 0.1 to 0.3 %; with 1 they lose up to 0.6 %.
_STRENGTH = 1.25
_PATCH_PX = 3  # larger patches do as well, but worse on texture without repetition
_SEARCH_PX = 7  # wider searches are worse
# second differences along both axes: zero on slopes and axis-parallel edges, unit gain for noise (Immerkaer 1996)
_MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6
_BLOCK_PX = 16
_FLATTEST = 0.1  # share of blocks
_OF_FLATTEST = 0.82  # the deviation in the flattest tenth of blocks that show nothing but noise, over the noise
_FEWEST_BLOCKS = 10
_ROUGHEST = 4.0  # the views of 26 real pairs have a roughness of 0.2 to 3.7
_DARKEST, _BRIGHTEST = 3, 252  # beyond them a view is clipped, and its noise with it
_MOST_CLIPPED = 0.05  # of a block


def roughness(view: Image) -> float:
    """Standard deviation of noise and finest texture in a view (H, W) uint8 grey, levels, by second differences."""
    return robust_deviation(_bends(view))


def noise_level(view: Image) -> float:
    """Standard deviation of the noise in a view (H, W) uint8 grey, in levels; 0 if too little of the view tells.

    It is measured in the flattest blocks. Texture is told from noise by a copy of half the size: noise of neighbours is
    independent, and has half its deviation there, while texture has no less than before. Of a view that is rougher than
    clean ones all that the flattest blocks show is noise.
    """
    height, width = (side - side % _BLOCK_PX for side in view.shape)
    view = view[:height, :width]
    if view.size < _FEWEST_BLOCKS * _BLOCK_PX**2:
        return 0.0
    bends = _bends(view)
    half = np.asarray(cv2.resize(view.astype(np.float32), (width // 2, height // 2), interpolation=cv2.INTER_AREA))
    clipped = _means(((view < _DARKEST) | (view > _BRIGHTEST)).astype(np.float32), _BLOCK_PX)
    fine, coarse = (
        _means(each**2, px)[clipped < _MOST_CLIPPED]
        for each, px in ((bends, _BLOCK_PX), (_bends(half), _BLOCK_PX // 2))
    )
    if fine.size < _FEWEST_BLOCKS:
        return 0.0
    flattest = fine <= np.quantile(fine, _FLATTEST)
    noise = max(0.0, (fine[flattest].mean() - coarse[flattest].mean()) / (1 - 1 / 4))
    if robust_deviation(bends) > _ROUGHEST:
        noise = max(noise, fine[flattest].mean())
    return float(np.sqrt(noise)) / _OF_FLATTEST


def _bends(view: Image | FloatMap) -> FloatMap:
    """The second differences of a view (H, W), in whose places noise keeps its deviation."""
    return np.asarray(cv2.filter2D(view, cv2.CV_32F, _MASK), np.float32)


def _means(values: FloatMap, side_px: int) -> FloatMap:
    """The means of (H, W) in square blocks, (H / side_px, W / side_px)."""
    size = (values.shape[1] // side_px, values.shape[0] // side_px)
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)


def remove_noise(view: Image, level: float) -> Image:
    """Denoise a view (H, W) grey or (H, W, 3), uint8, whose noise is `level` grey levels.

    By non-local means (Buades 2005).
    """
    return np.asarray(cv2.fastNlMeansDenoising(view, None, _STRENGTH * level, _PATCH_PX, _SEARCH_PX), np.uint8)
