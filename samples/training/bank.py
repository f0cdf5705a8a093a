"""A bank of textures with their smaller copies, in one array that compiled loops read."""

from __future__ import annotations

import functools
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from paint import TEXTURE_SIZE, texture

# Each scene takes some twenty of them, in colours, contrasts, sizes and directions of its own. A texture costs some
# 10 ms, a scene some 50 ms, so a new bank every so many scenes costs little.
TEXTURES = 96
SCENES_A_BANK = 2048
LEVELS = 6
# where each level starts among the texels of one texture, one after the other
LEVEL_STARTS = np.cumsum([0] + [(TEXTURE_SIZE >> k) ** 2 for k in range(LEVELS)]).astype(np.int64)

Bank = NDArray[np.floating[Any]]


@functools.lru_cache(maxsize=2)
def texture_bank(seed: int) -> tuple[Bank, Bank]:
    """Textures (TEXTURES, texels of all levels, 3) float32 in linear light, and the mean of each (TEXTURES, 3)."""
    rng = np.random.default_rng((seed, 7))
    bank = np.empty((TEXTURES, int(LEVEL_STARTS[-1]), 3), np.float32)
    for k in range(TEXTURES):
        level = np.asarray(texture(rng), np.float32)
        for n in range(LEVELS):
            bank[k, LEVEL_STARTS[n] : LEVEL_STARTS[n + 1]] = level.reshape(-1, 3)
            level = np.asarray(cv2.resize(level, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.float32)
    return bank, np.ascontiguousarray(bank[:, : LEVEL_STARTS[1]].mean(axis=1))
