"""Restore light that a photo or its blur has lost: clipped highlights, and film or sensor grain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import from_linear, srgb_decode, srgb_encode, to_linear
from depthapps.core.scene import FloatMap, Image

_CLIPPED = 253 / 255  # JPEG and demosaicing leave clipped pixels slightly below white
# Linear brightness of a small clipped spot in the dark, relative to white. It is a guess, which params.highlights
# scales. A bare bulb is thousands of times as bright as white paper in a lit street, but most pixels of a small spot
# are its halo or partly covered. Over 587 clipped pixels of lamps up to 60 times white, ray-traced in one made-up
# street, the mean was 19.
LAMP_POWER = 20.0
# Share of the picture. Clipped areas larger than this are walls and skies more likely than lamps; the effect fades out
# towards four times this size.
_LARGEST_SHARE = 1e-3
# Linear brightness. Around brighter surroundings the photo's exposure implies that little light is missing.
_DARK = 0.25
_BRIGHT_SIDE = 80  # percentile of the surroundings' brightness
_FLAT_PX = 0.5  # CoC; pixels below it are sharp and show the photo's grain


class Lamp(NamedTuple):
    """A clipped spot that may be a lamp.

    window: rows and columns of the picture around it. spot: mask of its pixels in that window. share: 0 to 1, how much
    it looks like a lamp. hue: (3,) the colour of its light, largest channel 1.
    """

    window: tuple[slice, slice]
    spot: NDArray[np.bool_]
    share: float
    hue: NDArray[np.floating]


def recover_highlights(image: Image, strength: float) -> NDArray[np.floating]:
    """Convert a picture to linear light (H, W, 3), with clipped lamps made as bright as real lamps.

    A lamp gets up to LAMP_POWER times `strength` times white, by its share of being one, in its own colour. Float
    pictures are not clipped and stay as they are.
    """
    linear = to_linear(image)
    if strength == 0:
        return linear
    out = linear.copy()
    for lamp in find_lamps(image):
        power = 1 + (LAMP_POWER * strength - 1) * lamp.share
        if power > 1:
            out[lamp.window][lamp.spot] = power * lamp.hue
    return out


def find_lamps(image: Image) -> Iterator[Lamp]:
    """Find the clipped spots of a picture that may be lamps; a float picture has none.

    A clipped spot counts as a lamp to the degree that it is small and its surroundings are dark. It has the colour of
    the light in the unclipped pixels of its rim.
    """
    if image.dtype.kind == "f":
        return
    linear = to_linear(image)
    white = np.iinfo(image.dtype.name).max
    clipped = (image.max(axis=2) >= round(_CLIPPED * white)).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(clipped, connectivity=8)
    largest = max(_LARGEST_SHARE * clipped.size, 16.0)
    height, width = clipped.shape
    for k in range(1, count):
        x, y, w, h, area = (int(v) for v in stats[k])
        if area >= 4 * largest:
            continue
        window = np.s_[max(0, y - 4) : min(height, y + h + 4), max(0, x - 4) : min(width, x + w + 4)]
        spot = labels[window] == k
        colors = linear[window]
        rim = cv2.dilate(spot.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool) & (clipped[window] == 0)
        inner, outer = (cv2.dilate(spot.astype(np.uint8), np.ones((side, side), np.uint8)) for side in (5, 9))
        beyond = (outer > inner) & (clipped[window] == 0)
        if not beyond.any():
            continue
        around = np.median(colors[beyond], axis=0)
        # a reflection fades into its surface, so at least one side of it is bright
        darkness = np.clip(1 - float(np.percentile(colors[beyond].max(axis=1), _BRIGHT_SIDE)) / _DARK, 0, 1)
        smallness = np.clip((4 * largest - area) / (3 * largest), 0, 1)
        if darkness * smallness > 0:
            yield Lamp(window, spot, float(darkness * smallness), _rim_color(colors, rim, around))


def _rim_color(colors: NDArray[np.floating], rim: NDArray[np.bool_], around: NDArray) -> NDArray[np.floating]:
    """Hue (3,) of the light that a lamp adds to its rim, largest channel 1; white if the rim shows none."""
    added = np.maximum(colors[rim] - around, 0).sum(axis=0) if rim.any() else np.zeros(3)
    # 0.05 of white, summed over the rim: less added light than this is noise or halo
    trust = float(added.max()) / (float(added.max()) + 0.05)
    hue = added / max(float(added.max()), 1e-6)
    return trust * hue + (1 - trust)


def give_grain(picture: Image, original: Image, coc: FloatMap, strength: float) -> Image:
    """Add grain to the blurred parts of a picture, as strong as in the sharp parts of the original.

    The grain is measured for each brightness: the deviation of pixels from a Gaussian mean (sigma 1 px) over 7x7
    pixels, of which the lower quartile stands for flat places. New noise of that deviation is added, with a fixed seed.
    If nothing is sharp, the whole original is measured. coc: (H, W) px. strength: 0 to 1.
    """
    encoded = srgb_encode(to_linear(original))
    luma = encoded.mean(axis=2)
    residual = luma - cv2.GaussianBlur(luma, (0, 0), 1.0)
    spread = np.sqrt(cv2.blur(residual * residual, (7, 7)))
    sharp = np.abs(coc) < _FLAT_PX
    levels = np.linspace(0, 1, 9)
    sharp = sharp if sharp.mean() > 0.01 else np.ones_like(sharp)
    measured = [np.nan] * (len(levels) - 1)
    for k in range(len(measured)):
        here = spread[sharp & (luma >= levels[k]) & (luma <= levels[k + 1])]
        if here.size > 100:
            measured[k] = float(np.percentile(here, 25))
    known = np.flatnonzero(np.isfinite(measured))
    if not known.size:
        return picture
    centres = (levels[:-1] + levels[1:]) / 2
    shown = srgb_encode(to_linear(picture))
    deviation = np.interp(shown.mean(axis=2), centres[known], np.array(measured)[known])
    noise = np.random.default_rng(0).standard_normal(luma.shape)
    # the variance of the grain that survives blur is 1 over the disc's area, so a wide disc gets all of it back
    lost = np.sqrt(1 - 1 / np.maximum(np.pi * coc.astype(np.float64) ** 2, 1))
    grainy = shown + (strength * deviation * lost * noise)[..., None]
    return from_linear(srgb_decode(np.clip(grainy, 0, 1)), picture.dtype)
