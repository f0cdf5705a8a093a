"""The fusion network and what it is taught: a U-Net over the clues that weighs candidate disparities."""

from __future__ import annotations

import itertools
from typing import Any

import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]
from torch.nn import functional as F  # noqa: N812  # pyright: ignore[reportMissingImports]

CLUES, CANDIDATES, EVIDENCE = 72, 9, 6
WIDTHS = (32, 64, 96, 128, 160)
_NEIGHBOURS, _CHOICES = 9, CANDIDATES + 1
_GATES = 8  # numbers with which the U-Net tells at each pixel what the evidence for a candidate is worth
# a pixel's weights and scores, the best guess's step, logits of right and occluded, and gates
_HEADS = _NEIGHBOURS + _CHOICES + 3 + _GATES
_BASE = (0, 2, 3)  # the candidates that the coarse disparity starts from: the best guess, that of half the size, planes
# Real pairs are easier than rendered ones, and the best guess is right more often than it was in training. Of 0, 0.5
# and 1 a head start of 0.5 was chosen on the 26 real pairs that tests/benchmarks measures: with an earlier network bad2
# is 8.84, 8.71 and 8.79 with them, and D1 on KITTI 6.13, 5.71 and 5.81.
_HEAD_START = 0.5
_LEAK, _LEAKING = 0.1, 96  # slope below zero of the layers of so many channels and more
_LARGEST_STEP_PX = 1.0  # by which the best guess may be moved
_COARSE_LEVEL = 2  # the step of the decoder whose disparities are raised to full size, at a quarter of it

Tensor = Any


def _conv(inputs: int, outputs: int, stride: int = 1) -> Any:
    # ReLUs that never let anything through died in most channels of an earlier network below a quarter of the size, so
    # that it saw no farther than some 20 px
    rest = nn.LeakyReLU(_LEAK, inplace=True) if outputs >= _LEAKING else nn.ReLU(inplace=True)
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1), rest)


class FusionNet(nn.Module):
    """Clues (B, C, H/2, W/2) to the correction of a coarse disparity (B, 1, H/4, W/4) and to weights (B, 30, H, W).

    The scores of candidates have a second part: a small network judges each candidate's own evidence, all of them
    alike, given what the U-Net makes of the surroundings. All evidence of nine candidates and four pixels would not fit
    through the U-Net's 32 channels.
    """

    def __init__(self) -> None:
        super().__init__()
        self.entry = nn.Sequential(_conv(CLUES, WIDTHS[0]), _conv(WIDTHS[0], WIDTHS[0]))
        steps = list(itertools.pairwise(WIDTHS))
        self.down = nn.ModuleList([nn.Sequential(_conv(a, b, 2), _conv(b, b)) for a, b in steps])
        self.bottom = _conv(WIDTHS[-1], WIDTHS[-1])
        self.up = nn.ModuleList([nn.ConvTranspose2d(b, a, 2, 2) for a, b in reversed(steps)])
        self.join = nn.ModuleList([nn.Sequential(_conv(2 * a, a), _conv(a, a)) for a, _ in reversed(steps)])
        self.coarse = nn.Conv2d(WIDTHS[1], 1, 3, 1, 1)
        self.heads = nn.Conv2d(WIDTHS[0], 4 * _HEADS, 3, 1, 1)
        self.weigh, self.judge = nn.Conv2d(EVIDENCE, _GATES, 1), nn.Conv2d(_GATES, 1, 1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3):
                nn.init.kaiming_normal_(layer.weight, a=_LEAK)
                nn.init.zeros_(layer.bias)  # pyright: ignore[reportArgumentType]
        start: Tensor = self.heads.bias
        for tensor in (self.coarse.weight, self.coarse.bias, self.judge.weight, self.judge.bias, start):
            nn.init.zeros_(tensor)  # pyright: ignore[reportArgumentType]
        self.heads.weight.data *= 0.1
        start.data.view(-1, 4)[_NEIGHBOURS // 2] = 1.0  # start with the nearest coarse disparity

    def forward(self, clues: Tensor, candidates: Tensor, evidence: Tensor, base: Tensor, pixels: list[int]) -> Any:
        """The coarse disparity (B, 1, H/4, W/4) px, and what `choices` returns for some of the pixels of 2x2 blocks.

        pixels: P of 0..3, counted along rows. candidates (P · B, K, H/2, W/2) px and evidence (P · B, K · EVIDENCE,
        H/2, W/2) are of these pixels. base: (B, 1, H/4, W/4) px, see `base_disparity`.
        """
        correction, blocks = self.blocks(clues)
        heads = torch.cat([blocks[:, k::4] for k in pixels], 0)
        coarse = base + 4 * correction
        return coarse, *self.choices(torch.cat([coarse] * len(pixels), 0), heads, candidates, evidence)

    def blocks(self, clues: Tensor) -> tuple[Tensor, Tensor]:
        """The same with the weights of 2x2 blocks of pixels as channels, (B, 4 · 30, H/2, W/2)."""
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

    def judged(self, evidence: Tensor, gates: Tensor) -> Tensor:
        """Each candidate's second part of the score (B, K, H, W) from (B, K · EVIDENCE, H, W) and (B, GATES, H, W)."""
        parts = torch.split(evidence, [EVIDENCE] * CANDIDATES, 1)
        return torch.cat([self.judge(F.relu(self.weigh(part) + gates)) for part in parts], 1)

    def choices(self, coarse: Tensor, heads: Tensor, candidates: Tensor, evidence: Tensor) -> Any:
        """All choices (B, K + 1, H, W) px, their scores, and logits of right and occluded.

        coarse: (B, 1, H/2, W/2) px. The first choice is the coarse disparity raised to full size, the second the best
        guess moved a little.
        """
        weights, scores, step, sure, hidden, gates = torch.split(heads, [_NEIGHBOURS, _CHOICES, 1, 1, 1, _GATES], 1)
        raised = (_around(coarse, 2) * weights.softmax(1)).sum(1, keepdim=True)
        moved = candidates[:, :1] + _LARGEST_STEP_PX * torch.tanh(step)
        scores = torch.cat([scores[:, :1], scores[:, 1:] + self.judged(evidence, gates)], 1)
        return torch.cat([raised, moved, candidates[:, 1:]], 1), scores, sure, hidden


def base_disparity(candidates: Tensor) -> Tensor:
    """The middle one of three candidates, (B, 1, H, W): on plain walls the best guess alone is too often far off."""
    a, b, c = (candidates[:, k : k + 1] for k in _BASE)
    return torch.maximum(torch.minimum(a, b), torch.minimum(torch.maximum(a, b), c))


def _around(coarse: Tensor, times: int) -> Tensor:
    """The nearest coarse disparities of each pixel, (B, 9, h, w) for a picture `times` as large as they."""
    height, width = coarse.shape[2:]
    padded = F.pad(coarse, (1, 1, 1, 1), mode="replicate")
    around = torch.cat([padded[:, :, y : y + height, x : x + width] for y in range(3) for x in range(3)], 1)
    return F.interpolate(around, scale_factor=times, mode="nearest")


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


def loss(found: Any, truth: Tensor, coarse_truth: Tensor, hidden: Tensor, weight: Tensor) -> Tensor:
    """What training makes least.

    found: by the network; truth (B, 1, H, W) px, coarse_truth (B, 1, H/2, W/2) px; hidden (B, 1, H, W) 0 or 1; weight
    (B, 1, H, W): how much a pixel counts.

    A score is the logit of how right its choice is, taught for each choice by itself: scores taught by the expected
    penalty of the winner end with one choice that always wins. Pixels at which the choices differ count more. The other
    terms teach what the choices are made of.
    """
    coarse, disparities, scores, sure, occluded = found
    errors = (disparities - truth).abs()
    rightness = 1 / (1 + errors.detach() ** 2)
    matters = weight * (0.5 + 2 * (rightness.amax(1, keepdim=True) - rightness.amin(1, keepdim=True)))
    judged = F.binary_cross_entropy_with_logits(scores, rightness, reduction="none").mean(1, keepdim=True)
    moved = (weight * penalty(errors[:, 1:2])).mean()
    far = F.smooth_l1_loss(disparities[:, :1], truth, reduction="none").clamp(max=30).mean()
    near = (weight * penalty(errors[:, :1])).mean()
    rough = F.smooth_l1_loss(coarse, coarse_truth, reduction="none").clamp(max=30).mean()
    right = (winner(disparities.detach(), scores.detach()) - truth).abs() < 1
    told = F.binary_cross_entropy_with_logits(sure, right.float())
    seen = F.binary_cross_entropy_with_logits(occluded, hidden)
    return (
        2 * (matters * judged).mean() + 0.5 * moved + 0.5 * near + 0.05 * far + 0.03 * rough + 0.15 * told + 0.1 * seen
    )


class Deployed(nn.Module):
    """The network as the engine runs it, for one picture."""

    def __init__(self, net: FusionNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, clues: Tensor, candidates: Tensor, evidence: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Choices (4, K + 1, H/2, W/2) px, their scores as logits, how likely the winner is right to 1 px, and how
        likely the right view does not show the pixel; from candidates (4, K, H/2, W/2), evidence (4, any, H/2, W/2).

        The four pixels of a 2x2 block are a batch. OpenCV takes a sixth of the network's time to lay the blocks of all
        weights out as pictures.
        """
        base = F.avg_pool2d(base_disparity(candidates).mean(0, keepdim=True), 2)
        _, disparities, scores, sure, hidden = self.net(clues, candidates, evidence, base, [0, 1, 2, 3])
        scores = torch.cat([scores[:, :1], scores[:, 1:2] + _HEAD_START, scores[:, 2:]], 1)
        return disparities, scores, torch.sigmoid(sure), torch.sigmoid(hidden)
