"""Linear light to what two cameras make of it: batches of views on any device, each view spoiled for itself.

Strong changes of one view only are what makes networks that were trained on made-up scenes work on photos (error from
34.2 to 10.2 and the like in the literature). Half of the pairs are taken by two good cameras all the same.
"""

from __future__ import annotations

import math
from typing import Any

import torch  # pyright: ignore[reportMissingImports]
from torch.nn import functional as F  # noqa: N812  # pyright: ignore[reportMissingImports]

Tensor = Any

_BLUR_TAPS = 9
_JPEG_SHARE = 0.3
# The luminance table of the JPEG standard (Annex K), for quality 50
_JPEG_TABLE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)


class Dice:
    """Random numbers for a batch, from one generator on one device."""

    def __init__(self, seed: int, batch: int, device: Any) -> None:
        self.generator = torch.Generator(device).manual_seed(seed)
        self.batch, self.device = batch, device

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """(B, *shape or 1, 1, 1) from low to high."""
        size = (self.batch, *(shape or (1, 1, 1)))
        return low + (high - low) * torch.rand(size, generator=self.generator, device=self.device)

    def normal(self, *shape: int) -> Tensor:
        """(B, *shape or 1, 1, 1), with a deviation of 1."""
        return torch.randn((self.batch, *(shape or (1, 1, 1))), generator=self.generator, device=self.device)

    def chance(self, share: float) -> Tensor:
        """(B, 1, 1, 1), 1 for that share of the batch, else 0."""
        return (self.uniform(0, 1) < share).float()


def _blurred(view: Tensor, sigma: Tensor) -> Tensor:
    """Each picture of a batch (B, 3, H, W) blurred by a Gaussian of its own, sigma (B, 1, 1, 1) px."""
    batch, channels, height, width = view.shape
    reach = _BLUR_TAPS // 2
    at = torch.arange(-reach, reach + 1, device=view.device).float()
    taps = torch.exp(-0.5 * (at / sigma.reshape(batch, 1).clamp(min=0.15)) ** 2)
    taps = (taps / taps.sum(1, keepdim=True)).repeat_interleave(channels, 0)
    flat = F.pad(view.reshape(1, batch * channels, height, width), (reach,) * 4, mode="replicate")
    across = F.conv2d(flat, taps[:, None, None, :], groups=batch * channels)
    return F.conv2d(across, taps[:, None, :, None], groups=batch * channels).reshape(view.shape)


def _vignetted(view: Tensor, dice: Dice) -> Tensor:
    height, width = view.shape[2:]
    y = torch.linspace(-1, 1, height, device=view.device)[:, None] - dice.uniform(-1, 1)
    x = torch.linspace(-1, 1, width, device=view.device) - dice.uniform(-1, 1)
    return view * (1 - dice.uniform(0, 0.18) * dice.chance(0.5) * (x**2 + y**2) / 2)


def _uneven(view: Tensor, dice: Dice, share: float) -> Tensor:
    """Brighter here and darker there than the other view, by up to some 30 %."""
    field = F.interpolate(dice.normal(1, 3, 5), size=view.shape[2:], mode="bicubic", align_corners=True)
    return view * torch.exp(0.15 * dice.chance(share) * field)


def _noisy(view: Tensor, dice: Dice, extra: Tensor) -> Tensor:
    """Read noise and shot noise, most of it grey, in the encoded signal (B, 3, H, W) 0..1."""
    level = torch.exp(dice.uniform(math.log(0.001), math.log(0.02))) + extra
    level = level * (0.6 + 0.8 * (1 - view).clamp(0, 1))  # encoding raises the dark parts' noise
    return view + level * (dice.normal(*view.shape[1:]) + 0.5 * dice.normal(1, *view.shape[2:]))


def _compressed(view: Tensor, dice: Dice) -> Tensor:
    """What JPEG leaves of a part of the batch (B, 3, H, W) 0..1, H and W multiples of 8."""
    chosen = torch.nonzero(dice.chance(_JPEG_SHARE).flatten()).flatten()
    step = torch.exp(dice.uniform(math.log(0.1), math.log(1.0), 1, 1, 1, 1, 1))[chosen]
    if not len(chosen):
        return view
    k = torch.arange(8, device=view.device).float()
    basis = torch.cos(math.pi * k * (2 * k[:, None] + 1) / 16).T / 2
    basis[0] /= math.sqrt(2)
    step = step * (torch.tensor(_JPEG_TABLE, device=view.device) / 255)[:, None, :]
    _, channels, height, width = view.shape
    blocks = view[chosen].reshape(-1, channels, height // 8, 8, width // 8, 8)
    waves = torch.round(torch.einsum("ui,bcyixj,vj->bcyuxv", basis, blocks, basis) / step) * step
    back = torch.einsum("ui,bcyuxv,vj->bcyixj", basis, waves, basis)
    return view.index_copy(0, chosen, back.reshape(-1, channels, height, width))


def _photo(view: Tensor, gain: Tensor, gamma: Tensor, blur: Tensor, noise: Tensor, dice: Dice) -> Tensor:
    """One camera's photo (B, 3, H, W) 0..1 in steps of 1/255 of linear light."""
    view = _vignetted(view * gain * torch.exp(0.03 * dice.normal(3, 1, 1)), dice)
    encoded = _blurred(view, blur).clamp(0, 1) ** (1 / gamma)
    return torch.round(255 * _compressed(_noisy(encoded, dice, noise), dice).clamp(0, 1)) / 255


def spoil(left: Tensor, right: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Photos (B, 3, H, W) and (B, 3, H, W'), 0..1 with 8 bits, of linear light of the same shapes."""
    dice = Dice(seed, len(left), left.device)
    levels = left[:, :, ::4, ::4].reshape(len(left), -1)
    bright = torch.quantile(levels, 0.95, dim=1).reshape(-1, 1, 1, 1).clamp(min=1e-3)
    gain, gamma, blur = dice.uniform(0.5, 1.15) / bright, dice.uniform(1.8, 2.6), dice.uniform(0.2, 0.8)
    # a quarter of the pairs each: much unlike, a little unlike; the rest are by two cameras of one kind
    much, little = dice.chance(0.25), dice.chance(0.35)
    unlike = 0.03 + 0.07 * little + 0.35 * much
    other_gain = gain * torch.exp(unlike * dice.normal())
    other_gamma = gamma * torch.exp(0.6 * unlike * dice.normal())
    other_blur = blur + dice.uniform(0, 1.2) * dice.chance(0.15)
    extra = dice.uniform(0, 0.03) * dice.chance(0.12)
    grain = dice.uniform(0, 0.02) * dice.chance(0.1)  # of both
    first = _photo(left, gain, gamma, blur, grain, dice)
    second = _photo(_uneven(right, dice, 0.3), other_gain, other_gamma, other_blur, grain + extra, dice)
    return first, second
