"""The engine's semi-global matcher on resized views, as the volume of bins that the coarse network may be shown."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from coarse_net import BINS, CELL, GREY, LEVELS
from numpy.typing import NDArray
from torch.nn import functional as F  # noqa: N812  # pyright: ignore[reportMissingImports]

from depthapps.engine.matching.pyramid import FOUR_PATHS
from depthapps.engine.matching.sgbm import match

Tensor = Any


def _grey(photo: Tensor) -> NDArray[np.uint8]:
    weights = torch.tensor(GREY).reshape(3, 1, 1)
    return (255 * (photo.float().cpu() * weights).sum(0)).round().numpy().astype(np.uint8)


def guess_volume(left: Tensor, right: Tensor) -> Tensor:
    """(B, BINS + 1, h, w) for photos as CoarseNet takes them: peaks at the matcher's map, and how sure it is."""
    maps = []
    for first, second in zip(left, right, strict=True):
        wide = np.pad(_grey(first), ((0, 0), (LEVELS, 0)), mode="edge")
        maps.append(match(wide, _grey(second), 0, LEVELS, FOUR_PATHS)[:, LEVELS:])
    cells = F.pixel_unshuffle(torch.from_numpy(np.stack(maps))[:, None], CELL) / CELL
    known = torch.isfinite(cells)
    bins = torch.arange(BINS).reshape(1, -1, 1, 1)
    total = torch.zeros((len(cells), BINS, *cells.shape[2:]))
    for k in range(cells.shape[1]):
        peak = torch.exp(-(bins - cells[:, k : k + 1].nan_to_num()).abs())
        total += known[:, k : k + 1] * peak / CELL**2
    return torch.cat([total, known.float().mean(1, keepdim=True)], 1).to(left.device)
