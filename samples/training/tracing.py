"""Compiled loops that look a layered scene up along the rays of either camera: what is hit, and in what light."""

from __future__ import annotations

import math
from typing import Any

import numba
from bank import LEVEL_STARTS, LEVELS
from layers import ELLIPSE, FLOOR, FULL, RECTANGLE, RIDGE, SIDE, VALLEY
from paint import TEXTURE_SIZE

_jit = numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
_STEPS = 4  # of Newton's method; planes take one, a wave's last step is below 0.001 px


@_jit
def surface(layer: Any, x: float, y: float) -> tuple[float, float, int]:
    """Disparity px of a layer at (x, y) px of the left picture, how it changes along x, and which plane it is of."""
    dx, dy = x - layer.cx, y - layer.cy
    d, slope, face = layer.a + layer.b * dx + layer.c * dy, layer.b, 0
    if layer.fold != 0:
        other = layer.a2 + layer.b2 * dx + layer.c2 * dy
        if (layer.fold == RIDGE and other < d) or (layer.fold == VALLEY and other > d):
            d, slope, face = other, layer.b2, 1
    if layer.wave1 != 0:
        angle = layer.kx1 * x + layer.ky1 * y + layer.phase1
        d += layer.wave1 * math.sin(angle)
        slope += layer.wave1 * layer.kx1 * math.cos(angle)
        angle = layer.kx2 * x + layer.ky2 * y + layer.phase2
        d += layer.wave2 * math.sin(angle)
        slope += layer.wave2 * layer.kx2 * math.cos(angle)
    if layer.bulge != 0:
        u = (dx * layer.cos + dy * layer.sin) / layer.half_u
        v = (dy * layer.cos - dx * layer.sin) / layer.half_v
        if u * u + v * v < 1:
            d += layer.bulge * (1 - u * u - v * v)
            slope -= 2 * layer.bulge * (u * layer.cos / layer.half_u - v * layer.sin / layer.half_v)
    return d, slope, face


@_jit
def inside(layer: Any, bitmaps: Any, x: float, y: float) -> bool:
    """Whether (x, y) px of the left picture lies within a layer's outline."""
    if layer.outline == FULL:
        return True
    dx, dy = x - layer.cx, y - layer.cy
    u = (dx * layer.cos + dy * layer.sin) / layer.half_u
    v = (dy * layer.cos - dx * layer.sin) / layer.half_v
    if abs(u) > 1 or abs(v) > 1:
        return False
    if layer.outline == RECTANGLE:
        return True
    if layer.outline == ELLIPSE:
        return u * u + v * v <= 1
    # between four texels, so that the rim is smooth
    width, height = layer.bitmap_width, layer.bitmap_height
    column = min(max(0.5 * (u + 1) * width - 0.5, 0.0), width - 1.001)
    row = min(max(0.5 * (v + 1) * height - 0.5, 0.0), height - 1.001)
    i, j = int(row), int(column)
    s, t = column - j, row - i
    at = layer.bitmap + i * width + j
    above = bitmaps[at] * (1 - s) + bitmaps[at + 1] * s
    below = bitmaps[at + width] * (1 - s) + bitmaps[at + width + 1] * s
    return above * (1 - t) + below * t >= 127.5


@_jit
def first_hit(
    layers: Any, bitmaps: Any, active: Any, count: int, x: float, y: float, right: bool
) -> tuple[int, float, float, int]:
    """Layer, x px in the left picture, disparity px and plane of what a ray sees; layer -1 if it sees nothing.

    x: in the left picture or, if `right`, in the right one. active: the first `count` are the layers of this row,
    nearest first.
    """
    best, best_x, best_d, best_face = -1, x, -1e9, 0
    for n in range(count):
        k = active[n]
        layer = layers[k]
        if layer.nearest <= best_d:
            break
        if right and (x + layer.nearest < layer.left or x + layer.farthest > layer.right):
            continue
        if not right and (x < layer.left or x > layer.right):
            continue
        at = x
        if right:
            at = x + layer.a
            for _ in range(_STEPS):
                d, slope, face = surface(layer, at, y)
                move = (at - x - d) / (1 - min(slope, 0.95))
                at -= move
                if abs(move) < 1e-3:
                    break
        d, slope, face = surface(layer, at, y)
        if d > best_d and inside(layer, bitmaps, at, y):
            best, best_x, best_d, best_face = k, at, d, face
    return best, best_x, best_d, best_face


@_jit
def _texel(bank: Any, texture: int, u: float, v: float, footprint: float, out: Any) -> None:
    """Colour of a texture that repeats, at (u, v) texels where a px is `footprint` texels wide, into out (3,)."""
    level = 0
    while level < LEVELS - 1 and footprint > 1.5:
        footprint *= 0.5
        u, v = u * 0.5 - 0.25, v * 0.5 - 0.25
        level += 1
    size = TEXTURE_SIZE >> level
    start = LEVEL_STARTS[level]
    i, j = math.floor(v), math.floor(u)
    s, t = u - j, v - i
    i0, j0 = int(i) % size, int(j) % size
    i1, j1 = (i0 + 1) % size, (j0 + 1) % size
    for c in range(3):
        above = bank[texture, start + i0 * size + j0, c] * (1 - s) + bank[texture, start + i0 * size + j1, c] * s
        below = bank[texture, start + i1 * size + j0, c] * (1 - s) + bank[texture, start + i1 * size + j1, c] * s
        out[c] = above * (1 - t) + below * t


@_jit
def _paint(layer: Any, light: Any, bank: Any, means: Any, x: float, y: float, d: float, face: int, out: Any) -> None:
    """What share of light a surface sends back, into out (3,)."""
    depth = light.unit / max(d - light.infinity, 0.02 * light.unit)
    if layer.lie == FLOOR or layer.lie == SIDE:
        # seen along: what is farther is smaller, and more so along depth than across
        u, v = depth * (x - light.centre_x), depth * 0.5 * light.focal
        if layer.lie == SIDE:
            u, v = v, depth * (y - light.centre_y)
        slope = max(abs(layer.b), abs(layer.c), 1e-3)
        stretch = depth * 0.5 * light.focal * slope / max(d - light.infinity, 0.02 * light.unit)
        footprint = layer.density * math.sqrt(depth * max(depth, stretch))
    else:
        u, v = x - layer.cx, y - layer.cy
        footprint = layer.density
    s = layer.density * (u * layer.paint_cos + v * layer.paint_sin) + layer.paint_u
    t = layer.density * (v * layer.paint_cos - u * layer.paint_sin) + layer.paint_v
    if layer.contrast > 0:
        _texel(bank, layer.texture, s, t, footprint, out)
    for c in range(3):
        color = layer.color2[c] if face == 1 else layer.color[c]
        if layer.contrast >= 1:  # the texture's own colours
            out[c] *= 0.4 + 0.6 * color
        else:
            share = (out[c] / (means[layer.texture, c] + 0.02) - 1) if layer.contrast > 0 else 0.0
            out[c] = color * max(1 + layer.contrast * share, 0.0)


@_jit
def _in_shadow(layers: Any, bitmaps: Any, light: Any, hit: int, x: float, y: float, d: float) -> bool:
    """Whether one of the nearest layers stands between a surface and the sun."""
    for k in range(min(light.casters, len(layers))):
        layer = layers[k]
        gap = layer.a - d
        if k == hit or layer.outline == FULL or gap < 1:
            continue
        from_x, from_y = x - light.shadow_x * gap, y - light.shadow_y * gap
        near = layer.left < from_x < layer.right and layer.top < from_y < layer.bottom
        if near and inside(layer, bitmaps, from_x, from_y):
            return True
    return False


@_jit
def shade(scene: Any, paints: Any, hit: Any, seen_x: float, y: float, right: bool, out: Any) -> None:
    """Linear light from what `first_hit` found, into out (3,); seen_x: where the view itself has it, px."""
    layers, bitmaps, light = scene
    bank, means = paints
    k, x, d, face = hit
    if k < 0:
        for c in range(3):
            out[c] = light.fog_color[c]
        return
    layer = layers[k]
    _paint(layer, light, bank, means, x, y, d, face, out)
    _, slope, _ = surface(layer, x, y)
    facing = 1 - 0.6 * light.toward_x * slope
    if layer.wave1 != 0 or layer.bulge != 0:  # how it rises along y, by difference
        above, _, _ = surface(layer, x, y - 1)
        below, _, _ = surface(layer, x, y + 1)
        facing -= 0.3 * light.toward_y * (below - above)
    sun = max(facing, 0.1) * (1 - light.ambient)
    if light.shadow > 0 and _in_shadow(layers, bitmaps, light, k, x, y, d):
        sun *= 1 - light.shadow
    level = light.ambient + sun
    level *= max(1 + (layer.shade_x * (x - layer.cx) + layer.shade_y * (y - layer.cy)) / light.focal, 0.1)
    if light.lamp > 0:
        away = ((x - light.lamp_x) ** 2 + (y - light.lamp_y) ** 2) / light.lamp_size**2
        away += ((d - light.lamp_d) / light.lamp_depth) ** 2
        level += light.lamp * math.exp(-away)
    shine = 0.0
    mirrored_x = seen_x + layer.gloss_d if right else seen_x
    if layer.gloss > 0:
        away = ((mirrored_x - layer.gloss_x) ** 2 + (y - layer.gloss_y) ** 2) / layer.gloss_size**2
        shine = layer.gloss / (1 + away * away)
    fog = 0.0
    if light.fog > 0:
        depth = light.unit / max(d - light.infinity, 0.02 * light.unit)
        fog = 1 - math.exp(-light.fog * depth)
    base = (out[0] * level, out[1] * level, out[2] * level)
    if layer.mirror > 0:
        u, v = layer.mirror_density * mirrored_x, layer.mirror_density * y
        _texel(bank, layer.mirror_texture, u, v, layer.mirror_density, out)
    for c in range(3):
        mirrored = layer.mirror * out[c] if layer.mirror > 0 else 0.0
        out[c] = (base[c] + shine + mirrored) * (1 - fog) + fog * light.fog_color[c]
