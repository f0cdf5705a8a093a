"""Random layered scenes: rooms, open ground or mere clutter, with thin, plain, shiny and patterned things before them.

Sizes are in px of the picture that is rendered, which is a crop of a larger one (`picture` px wide): 320 px hold a
whole photo with disparities of 40 % of the width, or a quarter of the width of one with 10 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from bank import TEXTURES
from layers import (
    BITMAP,
    ELLIPSE,
    FACING,
    FLAT,
    FLOOR,
    FULL,
    LAYER,
    LIGHT,
    RECTANGLE,
    RIDGE,
    SIDE,
    STEEPEST,
    VALLEY,
    LayeredScene,
    Layers,
    bound,
)
from outlines import DRAWN, Bitmap
from paint import color

Rng = np.random.Generator
CASTERS = 5  # layers that cast shadows


@dataclass(frozen=True)
class View:
    """The crop (width, height) px, the picture it is cut from, its vanishing point, and its disparities' ends."""

    width: int
    height: int
    picture: float  # px, its width
    centre_x: float
    centre_y: float
    infinity: float  # px of disparity
    nearest: float

    def disparity(self, rng: Rng) -> float:
        """Where something stands: as likely at any disparity as at any depth."""
        span = self.nearest - self.infinity
        share = rng.random() if rng.random() < 0.6 else 1 / rng.uniform(1, 12)
        return self.infinity + span * (0.04 + 0.96 * share)


def _random_view(width: int, height: int, levels: float, rng: Rng) -> View:
    """From 8 to 97 % of the levels are used; the picture is such that they are 2 to 45 % of its width."""
    used = np.exp(rng.uniform(np.log(0.08), np.log(0.97))) if rng.random() < 0.5 else rng.uniform(0.3, 0.97)
    nearest = levels * float(used)
    share = float(np.exp(rng.uniform(np.log(0.02), np.log(0.45))))
    picture = float(np.clip(nearest / share, 0.8 * width, 6 * width))
    infinity = rng.uniform(0.0, 0.05) * levels if rng.random() < 0.7 else rng.uniform(0, 0.6) * nearest
    tall = picture * rng.uniform(0.45, 0.8)
    # a crop that is larger than its picture lies in the middle of it
    x = rng.uniform(min(0, width - picture), max(0, width - picture)) + picture / 2
    y = rng.uniform(min(0, height - tall), max(0, height - tall)) + tall * rng.uniform(0.3, 0.6)
    return View(width, height, picture, x, y, min(infinity, 0.7 * nearest), nearest)


def _blank(view: View, a: float, rng: Rng) -> Layers:
    """A layer that faces the camera at disparity `a`, painted."""
    layer = np.zeros((), LAYER)
    layer["cx"], layer["cy"], layer["a"], layer["a2"] = view.centre_x, view.centre_y, a, a
    layer["cos"] = layer["half_u"] = layer["half_v"] = 1.0
    _paint(layer, view, rng)
    return layer


def _paint(layer: Layers, view: View, rng: Rng) -> None:
    layer["texture"] = rng.integers(TEXTURES)
    turn = rng.choice([0.0, rng.uniform(0, 2 * np.pi)])
    layer["paint_cos"], layer["paint_sin"] = np.cos(turn), np.sin(turn)
    # texels a px: below 1 large spots, above 1 fine ones; tiles that repeat after 20 px at the most
    layer["density"] = np.exp(rng.uniform(np.log(0.25), np.log(6.0)))
    layer["paint_u"], layer["paint_v"] = rng.uniform(0, 256, 2)
    # a quarter of all surfaces is plain or nearly so, as walls are; of what nothing tells, nothing is learned
    layer["contrast"] = rng.choice([0.0, rng.uniform(0.01, 0.1), rng.uniform(0.1, 0.5), 1.0], p=[0.1, 0.18, 0.27, 0.45])
    layer["color"] = color(rng) ** 2.2
    layer["color2"] = layer["color"] * rng.uniform(0.4, 1.3)
    layer["shade_x"], layer["shade_y"] = rng.normal(0, 0.25, 2)
    if rng.random() < 0.25:
        layer["gloss"] = rng.uniform(0.1, 1.2)
        layer["gloss_x"], layer["gloss_y"] = rng.uniform(0, view.width), rng.uniform(0, view.height)
        layer["gloss_size"] = np.exp(rng.uniform(np.log(4), np.log(80)))
    if rng.random() < 0.08:
        layer["mirror"], layer["mirror_texture"] = rng.uniform(0.05, 0.35), rng.integers(TEXTURES)
        layer["mirror_density"] = np.exp(rng.uniform(np.log(0.2), np.log(2)))
    # what is mirrored lies behind the surface, farther than it
    layer["gloss_d"] = view.infinity + rng.uniform(0, 1) * max(float(layer["a"]) - view.infinity, 0)


def _slopes(view: View, a: float, rng: Rng, steep: float) -> tuple[float, float]:
    """Of a plane at disparity a: it turns by as much whether it is near or far, so slopes grow with a."""
    scale = steep * max(a - view.infinity, 1.0) / (0.5 * view.picture)
    b, c = rng.normal(0, scale, 2)
    return float(np.clip(b, -STEEPEST, STEEPEST)), float(np.clip(c, -1.5, 1.5))


def _room(view: View, rng: Rng) -> list[Layers]:
    """Back wall, floor, perhaps ceiling and side walls: the nearest of them is what is seen."""
    span = view.nearest - view.infinity
    layers = [_blank(view, view.infinity + span * rng.uniform(0.05, 0.5), rng)]
    if rng.random() < 0.5:
        layers[0]["b"], layers[0]["c"] = _slopes(view, float(layers[0]["a"]), rng, 0.4)
    half = 0.5 * view.picture
    for is_floor, sign, chance in ((True, 1, 0.8), (True, -1, 0.25), (False, -1, 0.3), (False, 1, 0.3)):
        if rng.random() > chance:
            continue
        layer = _blank(view, view.infinity, rng)
        slope = sign * span * rng.uniform(0.5, 1.3) / (half * (0.65 if is_floor else 1.0))
        if is_floor:
            layer["c"], layer["lie"] = slope, FLOOR
        else:
            layer["b"], layer["lie"] = np.clip(slope, -STEEPEST, STEEPEST), SIDE
        layers.append(layer)
    return layers


def _open(view: View, rng: Rng) -> list[Layers]:
    """Sky or far things, and ground."""
    sky = _blank(view, view.infinity, rng)
    sky["contrast"] *= rng.choice([0, 1])
    ground = _blank(view, view.infinity, rng)
    ground["c"] = (view.nearest - view.infinity) * rng.uniform(0.5, 1.2) / (0.3 * view.picture)
    ground["lie"] = FLOOR
    return [sky, ground]


def _clutter(view: View, rng: Rng) -> list[Layers]:
    layer = _blank(view, view.infinity + 0.3 * (view.disparity(rng) - view.infinity), rng)
    layer["b"], layer["c"] = _slopes(view, float(layer["a"]), rng, 0.8)
    return [layer]


def _wave(layer: Layers, rng: Rng) -> None:
    """Folds of cloth, or uneven ground; less steep than what planes are left to be."""
    for k in (1, 2):
        length = np.exp(rng.uniform(np.log(16), np.log(200)))
        turn = rng.uniform(0, np.pi)
        k_x, k_y = 2 * np.pi / length * np.cos(turn), 2 * np.pi / length * np.sin(turn)
        layer[f"kx{k}"], layer[f"ky{k}"], layer[f"phase{k}"] = k_x, k_y, rng.uniform(0, 2 * np.pi)
        layer[f"wave{k}"] = min(rng.uniform(0.03, 0.2) / max(abs(k_x), abs(k_y) / 2), 0.1 * float(layer["a"]) + 1)


def _stand(layer: Layers, grounds: list[Layers], view: View, rng: Rng) -> None:
    """Put a thing somewhere in the crop, often with its foot on the floor."""
    layer["cx"], layer["cy"] = rng.uniform(-0.1, 1.15) * view.width, rng.uniform(0, 1) * view.height
    floors = [g for g in grounds if g["lie"] == FLOOR and g["c"] > 0]
    if floors and rng.random() < 0.6:
        foot = view.centre_y + (layer["a"] - view.infinity) / floors[0]["c"]
        layer["cy"] = foot - layer["half_v"]


def _thing(view: View, grounds: list[Layers], rng: Rng, bitmaps: list[Bitmap]) -> Layers:
    layer = _blank(view, view.disparity(rng), rng)
    near = (layer["a"] - view.infinity) / max(view.nearest - view.infinity, 1e-3)
    size = np.exp(rng.uniform(np.log(14), np.log(240))) * (0.4 + 0.8 * near)
    aspect = np.exp(rng.normal(0, 0.5))
    layer["half_u"], layer["half_v"] = 0.5 * size * aspect, 0.5 * size / aspect
    upright = rng.random() < 0.6
    turn = rng.normal(0, 0.04) if upright else rng.uniform(0, 2 * np.pi)
    kind = rng.random()
    if kind < 0.16:  # a rod, 1 to 5 px wide
        layer["outline"], layer["thin"] = RECTANGLE, 1
        layer["half_u"], layer["half_v"] = (
            0.5 * np.exp(rng.uniform(np.log(1.0), np.log(5.0))),
            0.5 * np.exp(rng.uniform(np.log(20), np.log(300))),
        )
        turn += rng.choice([0, np.pi / 2])
    elif kind < 0.40:
        layer["outline"] = RECTANGLE
    elif kind < 0.50:
        layer["outline"] = ELLIPSE
    else:
        k = rng.choice(len(DRAWN), p=[share for _, share, _ in DRAWN])
        bitmap = DRAWN[k][0](float(layer["half_u"]), float(layer["half_v"]), rng)
        layer["outline"], layer["thin"] = BITMAP, int(DRAWN[k][2])
        layer["bitmap"], (layer["bitmap_height"], layer["bitmap_width"]) = sum(b.size for b in bitmaps), bitmap.shape
        bitmaps.append(bitmap)
    layer["cos"], layer["sin"] = np.cos(turn), np.sin(turn)
    _stand(layer, grounds, view, rng)
    _shape(layer, view, rng)
    return layer


def _shape(layer: Layers, view: View, rng: Rng) -> None:
    """Slanted, folded like the sides of a box, bulging like a ball, or wavy."""
    a = float(layer["a"])
    layer["b"], layer["c"] = _slopes(view, a, rng, 0.5)
    kind = rng.random()
    if layer["thin"]:
        return
    if kind < 0.25:
        layer["fold"] = rng.choice([RIDGE, VALLEY], p=[0.8, 0.2])
        layer["b2"], layer["c2"] = _slopes(view, a, rng, 1.5)
        shift = rng.uniform(-0.6, 0.6) * layer["half_u"]
        layer["a2"] = a + (layer["b"] - layer["b2"]) * shift
    elif kind < 0.45:
        room = 0.3 * min(float(layer["half_u"]), float(layer["half_v"]))
        layer["bulge"] = rng.uniform(-0.3, 1) * min(room, 0.5 * (a - view.infinity))
        layer["b"] *= 0.3
    elif kind < 0.6:
        _wave(layer, rng)
        layer["b"] *= 0.5


def _light(view: View, rng: Rng) -> Any:
    light = np.zeros((), LIGHT)
    light["ambient"] = rng.uniform(0.15, 0.8)
    light["toward_x"], light["toward_y"] = rng.normal(0, 1.2, 2)
    light["infinity"], light["centre_x"], light["centre_y"] = view.infinity, view.centre_x, view.centre_y
    light["focal"], light["unit"] = view.picture, max(view.nearest - view.infinity, 1.0)
    light["lamp"] = rng.choice([0, rng.uniform(0.5, 4)])
    light["lamp_x"], light["lamp_y"] = rng.uniform(-0.2, 1.2) * view.width, rng.uniform(-0.2, 1) * view.height
    light["lamp_d"], light["lamp_depth"] = view.disparity(rng), light["unit"] * rng.uniform(0.3, 1.5)
    light["lamp_size"] = view.picture * np.exp(rng.uniform(np.log(0.05), np.log(0.8)))
    light["shadow"] = rng.choice([0.0, rng.uniform(0.2, 0.9)], p=[0.3, 0.7])
    light["shadow_x"], light["shadow_y"] = rng.normal(0, 1.2), rng.uniform(-0.2, 1.5)
    light["fog"] = rng.uniform(0.01, 0.15) if rng.random() < 0.12 else 0.0
    light["fog_color"] = rng.uniform(0.3, 0.9) * (0.9 + 0.1 * rng.random(3))
    light["casters"] = CASTERS
    return light


def random_layers(rng: Rng, width: int, height: int, levels: float) -> LayeredScene:
    """A scene for a crop of (width, height) px whose disparities lie between 0 and `levels` px."""
    view = _random_view(width, height, levels, rng)
    grounds = (_room, _open, _clutter)[rng.choice(3, p=[0.55, 0.25, 0.2])](view, rng)
    for ground in grounds:
        ground["outline"], ground["fold"] = FULL, FLAT
        if rng.random() < 0.15 and ground["lie"] == FACING:
            _wave(ground, rng)
    bitmaps = [np.zeros(1, np.uint8)]
    count = int(rng.choice([5, 12, 20, 30, 42, 56], p=[0.1, 0.2, 0.25, 0.2, 0.15, 0.1]))
    things = [_thing(view, grounds, rng, bitmaps) for _ in range(count)]
    for thing in things:  # camouflage: some wear what another does
        if rng.random() < 0.15:
            other = (grounds + things)[rng.integers(len(grounds) + len(things))]
            for name in ("texture", "density", "contrast", "color", "color2", "paint_cos", "paint_sin"):
                thing[name] = other[name]
    kept = []
    for layer in grounds + things:
        bound(layer, width, height)
        # things stay before what the searched range ends with; grounds may leave it, where nothing shows them
        if layer["outline"] == FULL or 0 <= layer["farthest"] <= layer["nearest"] <= levels - 1:
            kept.append(layer)
    layers = np.stack(kept)
    layers = layers[np.argsort(-layers["nearest"], kind="stable")]
    return LayeredScene(layers, np.concatenate([b.ravel() for b in bitmaps]), light=_light(view, rng))
