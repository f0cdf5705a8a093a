"""A layered scene as plain numbers, so that compiled loops can look it up: what every layer and the light are made of.

Everything is anchored in the left picture: a layer has a disparity, an outline and a paint at every (x, y) px of it.
A surface point therefore keeps its look from view to view, and the right view finds it at x - d(x, y). That needs
|dd/dx| < 1, which also keeps a surface from hiding parts of itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FULL, RECTANGLE, ELLIPSE, BITMAP = range(4)  # kinds of outline
FLAT, RIDGE, VALLEY = range(3)  # one plane, the farther of two (seen from outside a box), the nearer (inside a corner)
FACING, FLOOR, SIDE = range(3)  # how paint lies on a layer: in the picture's plane, on a floor, on a side wall
STEEPEST = 0.85  # px a px, |dd/dx|

LAYER = np.dtype(
    [
        # disparity: two planes about (cx, cy), two waves, and a bulge over the outline's own ellipse
        *[(name, "f4") for name in ("cx", "cy", "a", "b", "c", "a2", "b2", "c2")],
        ("fold", "i4"),
        *[(f"{name}{k}", "f4") for k in (1, 2) for name in ("wave", "kx", "ky", "phase")],
        ("bulge", "f4"),
        # outline: (x, y) - (cx, cy), turned and over (half) sizes, is (u, v) in -1..1
        ("outline", "i4"),
        *[(name, "f4") for name in ("cos", "sin", "half_u", "half_v")],
        *[(name, "i4") for name in ("bitmap", "bitmap_width", "bitmap_height")],
        *[(name, "f4") for name in ("left", "right", "top", "bottom", "farthest", "nearest")],
        ("thin", "i4"),
        # paint: texels a px, turned; contrast over the texture's mean; two colours, of the first and the second plane
        *[(name, "i4") for name in ("texture", "lie")],
        *[(name, "f4") for name in ("density", "paint_cos", "paint_sin", "paint_u", "paint_v", "contrast")],
        ("color", "f4", (3,)),
        ("color2", "f4", (3,)),
        # light: gradients over the layer, and what it mirrors: a lamp's spot and a texture, at a disparity of their own
        *[(name, "f4") for name in ("shade_x", "shade_y", "gloss", "gloss_x", "gloss_y", "gloss_size", "gloss_d")],
        *[(name, "f4") for name in ("mirror", "mirror_density")],
        ("mirror_texture", "i4"),
    ],
    align=True,
)

LIGHT = np.dtype(
    [
        *[(name, "f4") for name in ("ambient", "toward_x", "toward_y", "infinity", "centre_x", "centre_y", "focal")],
        *[(name, "f4") for name in ("lamp", "lamp_x", "lamp_y", "lamp_d", "lamp_size", "lamp_depth")],
        *[(name, "f4") for name in ("shadow", "shadow_x", "shadow_y", "fog", "unit")],
        ("fog_color", "f4", (3,)),
        ("casters", "i4"),  # the first so many layers cast shadows
    ],
    align=True,
)

Layers = Any  # (N,) of LAYER; numpy's typing knows no record fields
Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class LayeredScene:
    """layers (N,) of LAYER, nearest first; bitmaps (any,) uint8, all outlines' one after the other; light of LIGHT."""

    layers: Layers
    bitmaps: NDArray[np.uint8]
    light: Any


def bound(layer: Layers, width: float, height: float) -> None:
    """Write into a layer the box of its outline, cut to the picture and its surroundings, and its disparities there."""
    if layer["outline"] == FULL:
        layer["left"], layer["right"], layer["top"], layer["bottom"] = -1e4, 1e4, -1e4, 1e4
        box = (-0.5 * width, 1.5 * width, 0.0, height)
    else:
        across = abs(layer["half_u"] * layer["cos"]) + abs(layer["half_v"] * layer["sin"])
        down = abs(layer["half_u"] * layer["sin"]) + abs(layer["half_v"] * layer["cos"])
        box = (layer["cx"] - across, layer["cx"] + across, layer["cy"] - down, layer["cy"] + down)
        layer["left"], layer["right"], layer["top"], layer["bottom"] = box
    x = np.array([box[0], box[1], box[0], box[1]]) - layer["cx"]
    y = np.array([box[2], box[2], box[3], box[3]]) - layer["cy"]
    first = layer["a"] + layer["b"] * x + layer["c"] * y
    second = layer["a2"] + layer["b2"] * x + layer["c2"] * y
    if layer["fold"] == RIDGE:
        values = np.minimum(first, second)
        values = np.append(values, min(first.max(), second.max()))  # the ridge lies between corners
    elif layer["fold"] == VALLEY:
        values = np.maximum(first, second)
        values = np.append(values, max(first.min(), second.min()))
    else:
        values = first
    waves = abs(layer["wave1"]) + abs(layer["wave2"])
    layer["nearest"] = values.max() + waves + max(layer["bulge"], 0)
    layer["farthest"] = values.min() - waves + min(layer["bulge"], 0)
