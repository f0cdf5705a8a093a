"""The coarse network: two views in, how likely each disparity is in each cell of 4 x 4 px, from 2-D convolutions.

Plain walls and what only one view sees are questions of surroundings, not of pixels: they can be answered at a low
resolution, for little work, and there learned in hours. Views are resized so that their disparities lie within LEVELS
px; features of both, one a cell of CELL px, are compared at each of BINS disparities outside of the network (a loop at
inference, a matrix product here), and a U-Net over that volume says which disparity it is. It classifies instead of
regressing, so that nothing floats between two surfaces, and adds what lies between bins.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]
from torch.nn import functional as F  # noqa: N812  # pyright: ignore[reportMissingImports]

Tensor = Any

# px of the resized views, the side of a cell: with 2 a pair takes four times the work for twice the bins, and a step
# of training three times as long; networks of this kind work at 4
CELL = 4
BINS = 48  # disparities, in cells
LEVELS = CELL * BINS  # px of the resized views
GROUPS = 2  # parts of the features that are compared each for itself
FEATURES = 32
_PICTURE_WIDTHS = (32, 48, 80)  # channels at 1, 1/2 and 1/4 of the grid
_VOLUME_WIDTHS = (48, 80, 128, 192, 192)  # and down to 1/16 of it
_AUXILIARY = 2  # the level of the decoder that is taught as well, at a quarter of the grid
_DETAIL_PX = 9
GREY = (0.299, 0.587, 0.114)
PICTURE_CHANNELS = 3 * CELL**2  # of what `picture_input` makes
GUIDE_CHANNELS = 3 * CELL**2  # of colours of the left view


@dataclass(frozen=True)
class Design:
    """What is compared in training runs at equal work.

    guess: whether a semi-global matcher's own map is shown as well, as a volume of bins, and how sure it is.
    patches: whether patches of the views are compared as well as learned features, as a plain matcher does.
    widths: channels of the U-Net over the volume.
    """

    guess: bool = False
    patches: bool = False
    widths: tuple[int, ...] = _VOLUME_WIDTHS


DESIGNS = {"plain": Design(), "guess": Design(guess=True), "patches": Design(patches=True)}


def _conv(inputs: int, outputs: int, stride: int = 1) -> Any:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1), nn.ReLU(inplace=True))


class _Residual(nn.Module):
    """Two convolutions beside a short cut; it starts as little more than that, so it needs no normalisation."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(width, width, 3, 1, 1), nn.Conv2d(width, width, 3, 1, 1)
        self.second.weight.data *= 0.2

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(F.relu(self.first(x))))


class FeatureNet(nn.Module):
    """A view's input (B, PICTURE_CHANNELS, h, w) to what is compared (B, FEATURES, h, w), and context (B, 32, h, w)."""

    def __init__(self) -> None:
        super().__init__()
        a, b, c = _PICTURE_WIDTHS
        self.fine = nn.Sequential(_conv(PICTURE_CHANNELS, a), _Residual(a))
        self.middle = nn.Sequential(_conv(a, b, 2), _Residual(b))
        self.rough = nn.Sequential(_conv(b, c, 2), _Residual(c))
        self.up_middle, self.join_middle = nn.ConvTranspose2d(c, b, 2, 2), _conv(b, b)
        self.up_fine, self.join_fine = nn.ConvTranspose2d(b, a, 2, 2), _conv(a, a)
        self.out = nn.Conv2d(a, FEATURES, 1)

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """Features and context; see the class."""
        fine = self.fine(picture)
        middle = self.middle(fine)
        middle = self.join_middle(middle + self.up_middle(self.rough(middle)))
        context = self.join_fine(fine + self.up_fine(middle))
        return self.out(context), context


class VolumeNet(nn.Module):
    """Volume, context, colours and room (and a guess) to logits (B, BINS, h, w), and to offset, occluded and sure."""

    def __init__(self, design: Design) -> None:
        super().__init__()
        widths = design.widths
        self.design = design
        self.groups = GROUPS + 2 * design.patches
        extra = BINS + 1 if design.guess else 0
        self.squeeze = nn.Conv2d(self.groups * BINS + extra, widths[0], 1)
        self.guide = nn.Conv2d(_PICTURE_WIDTHS[0] + GUIDE_CHANNELS + 1, widths[0], 3, 1, 1)
        self.entry = _conv(widths[0], widths[0])
        pairs = list(itertools.pairwise(widths))
        self.down = nn.ModuleList([nn.Sequential(_conv(a, b, 2), _Residual(b)) for a, b in pairs])
        self.up = nn.ModuleList([nn.ConvTranspose2d(b, a, 2, 2) for a, b in reversed(pairs)])
        self.join = nn.ModuleList([_conv(a, a) for a, _ in reversed(pairs)])
        self.auxiliary = nn.Conv2d(widths[_AUXILIARY], BINS, 1)
        self.logits = nn.Conv2d(widths[0], BINS, 1)
        self.rest = nn.Conv2d(widths[0], 3, 1)
        # in the volume as it is, so that it starts as a plain matcher
        self.trust = nn.Parameter(torch.tensor([2.0, 2.0] * design.patches + [2.0] * GROUPS))

    def forward(self, volume: Tensor, context: Tensor, guide: Tensor, guess: Tensor | None = None) -> Tensor:
        """(B, BINS + 3, h, w); in training also the auxiliary logits at a quarter of the grid."""
        seen = volume if guess is None else torch.cat([volume, guess], 1)
        x = self.entry(F.relu(self.squeeze(seen) + self.guide(torch.cat([context, guide], 1))))
        kept, auxiliary = [x], None
        for down in self.down:
            x = down(x)
            kept.append(x)
        for level, (up, join) in enumerate(zip(self.up, self.join, strict=True)):
            x = join(up(x) + kept[-2 - level])
            if len(self.up) - 1 - level == _AUXILIARY and self.training:
                auxiliary = self.auxiliary(x)
        logits = self.logits(x)
        for group in range(self.groups):
            logits = logits + self.trust[group] * volume[:, group * BINS : (group + 1) * BINS]
        out = torch.cat([logits, self.rest(x)], 1)
        return (out, auxiliary) if self.training else out


def _mean(values: Tensor) -> Tensor:
    """Of windows of a map (B, 1, H, W), 0 beyond it, as average pooling gives them in more time on a CPU."""
    row = torch.full((1, 1, 1, _DETAIL_PX), 1 / _DETAIL_PX, device=values.device)
    with torch.autocast(values.device.type, enabled=False):
        across = F.conv2d(values, row, padding=(0, _DETAIL_PX // 2))
        return F.conv2d(across, row.transpose(2, 3), padding=(_DETAIL_PX // 2, 0))


def picture_input(photo: Tensor, known: Tensor) -> Tensor:
    """What FeatureNet takes of a photo (B, 3, H, W) 0..1 that is `known` (B, 1, H, W) 0 or 1: (B, .., H/CELL, W/CELL).

    Grey, its detail, and its detail at one strength; colours of two cameras differ more than they tell.
    """
    weights = torch.tensor(GREY, device=photo.device, dtype=photo.dtype).reshape(1, 3, 1, 1)
    grey = (photo * weights).sum(1, keepdim=True)
    share = _mean(known).clamp(min=1e-3)
    detail = (grey - _mean(grey * known) / share) * known
    deviation = torch.sqrt(_mean(detail * detail).clamp(min=0) / share)
    shown = torch.cat([(grey - 0.5) * 3 * known, detail * 10, detail / (deviation + 0.01)], 1)
    return F.pixel_unshuffle(shown, CELL)


def guide_input(photo: Tensor, room: Tensor) -> Tensor:
    """The left view's colours (B, 3, H, W), and `room` (B, 1, h, w), the cells to the right view's border."""
    return torch.cat([F.pixel_unshuffle((photo - 0.5) * 3, CELL), (room / BINS).clamp(0, 1)], 1)


def _band(products: Tensor) -> Tensor:
    """Of products (N, w, w + BINS) of all columns, those of columns at most BINS apart: a view (N, w, BINS)."""
    count, width, other = products.shape
    return products.as_strided((count, width, BINS), (width * other, other + 1, 1), 1)


class _Correlation(torch.autograd.Function):
    """Products of a row's columns by a matrix product: many times as fast as BINS shifted products, either way."""

    @staticmethod
    def forward(ctx: Any, left: Tensor, right: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx.save_for_backward(left, right)
        return _band(torch.bmm(left, right.transpose(1, 2)).contiguous()).flip(2)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        left, right = ctx.saved_tensors
        full = torch.zeros((len(left), left.shape[1], right.shape[1]), dtype=left.dtype, device=left.device)
        _band(full).copy_(gradients[0].flip(2))
        return torch.bmm(full, right), torch.bmm(full.transpose(1, 2), left)


def correlation(left: Tensor, right: Tensor, known: Tensor) -> Tensor:
    """Volume (B, h, w, BINS) of features (B, C, h, w) and, from BINS cells before, (B, C, h, w + BINS).

    Cosines, so that exposure and contrast count for nothing; 0 where the right view is not `known` (B, 1, h, w + BINS).
    """

    def rows(features: Tensor) -> Tensor:
        """(B · h, w, C), of length 1."""
        unit = F.normalize(features.float().permute(0, 2, 3, 1), dim=3, eps=1e-3)
        return unit.reshape(-1, *unit.shape[2:]).to(features.dtype)

    batch, _, height, width = left.shape
    mask = known.permute(0, 2, 3, 1).reshape(-1, width + BINS, 1).to(right.dtype)
    return _Correlation.apply(rows(left), rows(right) * mask).reshape(batch, height, width, BINS)


def patch_correlation(left: Tensor, right: Tensor, known: Tensor) -> list[Tensor]:
    """Two such volumes of patches of both views, NCC of 6 x 6 px at half the size: at each bin, and half a bin on.

    With the better of both alone nothing tells where in a bin a match lies: after 1100 steps answers were off by 0.3
    cells even where the bin was right.
    """

    def patches(picture: Tensor) -> Tensor:
        """Half-size detail around each cell, less its mean, (B, 36, h, w)."""
        halved = F.avg_pool2d(F.pixel_shuffle(picture[:, -(CELL**2) :], CELL), 2)
        half = CELL // 2
        around = F.unfold(halved, half + 4, padding=2, stride=half)
        around = around.reshape(len(picture), -1, *picture.shape[2:])
        return around - around.mean(1, keepdim=True)

    def stepped(picture: Tensor) -> Tensor:
        """Moved by half a bin."""
        px = F.pixel_shuffle(picture[:, -(CELL**2) :], CELL)
        return F.pixel_unshuffle(F.pad(px[..., : -CELL // 2], (CELL // 2, 0)), CELL)

    first = patches(left)
    return [correlation(first, patches(other), known) for other in (right, stepped(right))]


def masks(first_column: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Of right views that begin at first_column (B,) px: known (B, 1, H, W + LEVELS), room (B, 1, h, w) in cells."""
    device = first_column.device
    column = torch.arange(-LEVELS, width, device=device)
    known = (column >= first_column[:, None])[:, None, None].float().expand(-1, 1, height, -1)
    cell = torch.arange(width // CELL, device=device)
    room = (cell - first_column[:, None] / CELL)[:, None, None].expand(-1, 1, height // CELL, -1)
    return known, room


class CoarseNet(nn.Module):
    """Both networks and the comparison between them."""

    def __init__(self, design: Design) -> None:
        super().__init__()
        self.features, self.volume = FeatureNet(), VolumeNet(design)

    def forward(self, left: Tensor, right: Tensor, known: Tensor, room: Tensor, guess: Tensor | None = None) -> Tensor:
        """Photos (B, 3, H, W) and, from x = -LEVELS on, (B, 3, H, W + LEVELS), 0..1; known, room: see `masks`."""
        shown, there = picture_input(left, torch.ones_like(left[:, :1])), picture_input(right, known)
        (seen, context), (other, _) = self.features(shown), self.features(there)
        known = known[:, :, ::CELL, ::CELL]
        pairs = zip(seen.chunk(GROUPS, 1), other.chunk(GROUPS, 1), strict=True)
        volumes = [correlation(a, b, known) for a, b in pairs]
        if self.volume.design.patches:
            volumes = [v.to(seen.dtype) for v in patch_correlation(shown, there, known)] + volumes
        return self.volume(torch.cat(volumes, 3).permute(0, 3, 1, 2), context, guide_input(left, room), guess)
