"""What the coarse network is taught, how its answer is read, and how that is measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch  # pyright: ignore[reportMissingImports]
from coarse_net import BINS, CELL
from torch.nn import functional as F  # noqa: N812  # pyright: ignore[reportMissingImports]

Tensor = Any

# Laplacians about the true disparities, in cells: ADL (Xu, CVPR 2024) found 0.8 px best for bins of one px; bins of
# 4 px would blur surfaces that are 6 px apart into one
_SPREAD = 0.5
# Of the 4 x 4 pixels of a cell those that teach: one a row and a column, and about its middle
_TEACHERS = (1, 7, 8, 14)
_REACH = 2  # cells to both sides of the likeliest bin that belong to its mode
_LARGEST_OFFSET = 1.0  # cells
_RIGHT = 1.0 / CELL  # an answer within a px of the resized views is right


@dataclass(frozen=True)
class Answer:
    """disparity (B, 1, h, w) in cells; the logits of `sure` and `hidden`; mode: the disparity without its offset."""

    disparity: Tensor
    mode: Tensor
    offset: Tensor
    sure: Tensor
    hidden: Tensor


def read(out: Tensor) -> Answer:
    """The answer in (B, BINS + 3, h, w): the mean of the likeliest mode, and the offset that is added."""
    logits, offset, hidden, sure = torch.split(out.float(), [BINS, 1, 1, 1], 1)
    share = logits.softmax(1)
    # the mode with most in three bins, so that a narrow peak does not beat a broad one of more weight
    three = F.pad(share, (0, 0, 0, 0, 1, 1))
    best = (three[:, :-2] + three[:, 1:-1] + three[:, 2:]).argmax(1, keepdim=True)
    bins = torch.arange(BINS, device=out.device).reshape(1, -1, 1, 1)
    near = share * ((bins - best).abs() <= _REACH)
    mode = (near * bins).sum(1, keepdim=True) / near.sum(1, keepdim=True)
    offset = _LARGEST_OFFSET * torch.tanh(offset)
    return Answer(mode + offset, mode, offset, sure, hidden)


def cell_truth(disparity_px: Tensor) -> Tensor:
    """The CELL² true disparities (B, CELL², h, w), in cells, of every cell of a map (B, 1, H, W) px; NaN = unknown."""
    return F.pixel_unshuffle(disparity_px, CELL) / CELL


def mixture(truth: Tensor) -> tuple[Tensor, Tensor]:
    """How likely each bin is where pixels of a cell differ, (B, BINS, h, w), and whether anything is known there."""
    truth = truth[:, _TEACHERS]
    inside = (truth > -0.5) & (truth < BINS - 0.5)
    bins = torch.arange(BINS, device=truth.device).reshape(1, -1, 1, 1)
    total = torch.zeros((len(truth), BINS, *truth.shape[2:]), device=truth.device)
    for k in range(truth.shape[1]):
        peak = torch.exp(-(bins - torch.nan_to_num(truth[:, k : k + 1])).abs() / _SPREAD)
        total += inside[:, k : k + 1] * peak / peak.sum(1, keepdim=True)
    count = inside.sum(1, keepdim=True)
    return total / count.clamp(min=1), count > 0


def nearest_error(disparity: Tensor, truth: Tensor) -> Tensor:
    """The error against whichever true disparity of the cell is nearest (B, 1, h, w), signed, in cells."""
    difference = torch.where(torch.isfinite(truth), truth - disparity, torch.inf)
    best = difference[:, :1]
    for k in range(1, truth.shape[1]):
        other = difference[:, k : k + 1]
        best = torch.where(other.abs() < best.abs(), other, best)
    return torch.nan_to_num(best, posinf=0.0)


def loss(out: Tensor, auxiliary: Tensor, truth: Tensor, occluded: Tensor) -> tuple[Tensor, dict[str, float]]:
    """What training makes least; truth (B, CELL², h, w) in cells, occluded (B, 1, h, w) 0..1 of each cell."""
    target, known = mixture(truth)
    cross = -(target * F.log_softmax(out[:, :BINS].float(), 1)).sum(1, keepdim=True)[known].mean()
    times = out.shape[3] // auxiliary.shape[3]
    rough = -(F.avg_pool2d(target, times) * F.log_softmax(auxiliary.float(), 1)).sum(1).mean()
    answer = read(out)
    left_over = nearest_error(answer.mode.detach(), truth)
    near = known & (left_over.abs() < _LARGEST_OFFSET)
    offset = F.smooth_l1_loss(answer.offset[near], left_over[near], beta=0.1)
    right = (nearest_error(answer.disparity.detach(), truth).abs() < _RIGHT).float()
    told = F.binary_cross_entropy_with_logits(answer.sure[known], right[known])
    hidden = F.binary_cross_entropy_with_logits(answer.hidden[known], occluded[known])
    total = cross + 0.3 * rough + 0.5 * offset + 0.2 * told + 0.3 * hidden
    parts = {"cross": cross, "rough": rough, "offset": offset, "told": told, "hidden": hidden}
    return total, {name: float(value.detach()) for name, value in parts.items()}


def bad_shares(
    disparity: Tensor, truth: Tensor, parts: dict[str, Tensor], threshold: float
) -> dict[str, tuple[float, float]]:
    """For parts (B, 1, h, w) bool of the grid: how many cells are off by more than `threshold` cells, of how many."""
    bad = nearest_error(disparity, truth).abs() > threshold
    known = torch.isfinite(truth).any(1, keepdim=True)
    return {name: (float((bad & known & part).sum()), float((known & part).sum())) for name, part in parts.items()}
