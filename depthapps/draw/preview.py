"""Draw a depth or disparity map in colours with a legend."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from depthapps.core.geometry import inverse_depth
from depthapps.core.scene import FloatMap

_UNKNOWN_RGB = (64, 64, 64)
_UNSURE_RGB = (128, 128, 128)
_BACKGROUND_RGB = (24, 24, 28)
_TEXT_RGB = (225, 225, 225)
_TICKS = 6
_COLOURS = 256
# The colour scale ends at these percentiles, or at those of the bulk plus a share of its range if these lie nearer: up
# to 2 % of outliers then take no more than half of the scale.
_ENDS_PERCENT, _BULK_PERCENT, _BEYOND_BULK = (0.5, 99.5), (2, 98), 0.5


def render_disparity_preview(disparity_px: FloatMap, sure: NDArray[np.bool_] | None = None) -> NDArray[np.uint8]:
    """Draw disparity (H, W) px as (H, W + legend, 3) uint8 RGB: near red, far blue, unknown grey, legend in px.

    sure: mask (H, W) of what gets a colour; the rest is a lighter grey, and the legend does not regard it.
    """
    low, high = _ends(disparity_px, sure)
    return _picture(disparity_px, low, high, "px", _round_values(low, high), sure)


def render_depth_preview(depth_m: FloatMap, sure: NDArray[np.bool_] | None = None) -> NDArray[np.uint8]:
    """Draw depth (H, W) in metres as (H, W + legend, 3) uint8 RGB: near red, far blue, unknown grey, legend in metres.

    The colours are evenly spaced in 1/Z, in which the errors of stereo are even too. sure: as for disparity.
    """
    inverse = inverse_depth(depth_m, infinite=0)
    low, high = _ends(inverse, sure)
    # the scale ends at infinity if its lowest 1/Z is within one colour step of 0
    farthest = 1 / low if low * _COLOURS > high else math.inf
    values = [float(f"{z:.2g}") for z in _even_depths(1 / high, farthest)]
    return _picture(inverse, low, high, "m", {max(1 / z, low): f"{z:g}" for z in values}, sure)


def _ends(values: FloatMap, sure: NDArray[np.bool_] | None) -> tuple[float, float]:
    """The values at the two ends of the colour scale, by those that are sure if any are."""
    known = np.isfinite(values)
    if sure is not None and (known & sure).any():
        known &= sure
    if not known.any():
        return 0.0, 1.0
    low, first, last, high = (
        float(v) for v in np.percentile(values[known], (_ENDS_PERCENT[0], *_BULK_PERCENT, _ENDS_PERCENT[1]))
    )
    if (beyond := _BEYOND_BULK * (last - first)) > 0:
        low, high = max(low, first - beyond), min(high, last + beyond)
    return (low, high) if high > low else (low, low + max(abs(low) * 1e-3, 1e-6))


def _round_values(low: float, high: float) -> dict[float, str]:
    """Choose about _TICKS round numbers between low and high; return them with their texts."""
    rough = (high - low) / _TICKS
    decade = 10 ** np.floor(np.log10(rough))
    step = decade * min((1, 2, 5, 10), key=lambda m: abs(m * decade - rough))
    return {float(v): f"{v:g}" for v in np.round(np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step, 9)}


def _even_depths(nearest: float, farthest: float) -> list[float]:
    """Depths whose inverses are evenly spaced from 1/nearest to 1/farthest."""
    return [float(1 / w) if w else math.inf for w in np.linspace(1 / nearest, 1 / farthest, _TICKS)]


def _picture(
    values: FloatMap, low: float, high: float, unit: str, ticks: dict[float, str], sure: NDArray[np.bool_] | None
) -> NDArray[np.uint8]:
    """Colour `values` (H, W) from low (far) to high (near), and append the legend on the right."""
    height = values.shape[0]
    coloured = _colour(values, low, high)
    if sure is not None:
        coloured[np.isfinite(values) & ~sure] = _UNSURE_RGB
    size = round(max(10.0, min(height / 24, 40.0)))
    font = ImageFont.load_default(size)
    bar, gap, top = size, size // 2, size
    labels = {value: f"{text} {unit}" for value, text in ticks.items()}
    text_width = int(max(font.getlength(t) for t in [*labels.values(), "0"])) + 1
    legend = Image.new("RGB", (gap + bar + gap + text_width + gap, height), _BACKGROUND_RGB)
    rows = max(height - 2 * top, 1)
    scale = np.linspace(high, low, rows, dtype=np.float32)[:, None].repeat(bar, axis=1)
    legend.paste(Image.fromarray(_colour(scale, low, high)), (gap, top))
    draw = ImageDraw.Draw(legend)
    last = -size
    for value, label in sorted(labels.items(), reverse=True):
        y = top + (high - value) / (high - low) * (rows - 1)
        if not top - 1 <= y <= top + rows or y - last < 1.2 * size:
            continue
        last = y
        draw.line([(gap + bar, y), (gap + bar + gap // 2, y)], _TEXT_RGB)
        draw.text((gap + bar + gap, y), label, _TEXT_RGB, font, anchor="lm")
    return np.hstack([coloured, np.asarray(legend)])


def _colour(values: FloatMap, low: float, high: float) -> NDArray[np.uint8]:
    """Colour values (H, W) from low to high with the Turbo map, as (H, W, 3) uint8 RGB; unknown values are grey."""
    share = np.clip((values - low) / (high - low), 0, 1)
    known = np.isfinite(values)
    indexed = np.rint(np.where(known, share, 0) * 255).astype(np.uint8)
    coloured = cv2.cvtColor(cv2.applyColorMap(indexed, cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB)
    coloured[~known] = _UNKNOWN_RGB
    return np.asarray(coloured, np.uint8)
