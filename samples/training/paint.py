"""Random textures, from plain paint to print: all of it noise, arithmetic and a few drawn shapes."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Rng = np.random.Generator

TEXTURE_SIZE = 256


def _noise(rng: Rng, cells_y: float, cells_x: float) -> Floats:
    """Smooth noise (S, S) in 0..1 that wraps around, with so many blobs along each axis."""
    rows, columns = (int(np.clip(round(c), 1, TEXTURE_SIZE)) for c in (cells_y, cells_x))
    grid = rng.random((rows, columns), dtype=np.float32)
    grid = np.pad(grid, 3, mode="wrap")
    y, x = np.mgrid[0:TEXTURE_SIZE, 0:TEXTURE_SIZE].astype(np.float32) / np.float32(TEXTURE_SIZE)
    return np.asarray(np.clip(cv2.remap(grid, x * columns + 2.5, y * rows + 2.5, cv2.INTER_CUBIC), 0, 1), np.float32)


def _fractal(rng: Rng, cells: float, stretch: float = 1.0, octaves: int = 5) -> Floats:
    layers = [0.6**k * (_noise(rng, cells * 2**k, cells * stretch * 2**k) - 0.5) for k in range(octaves)]
    total = np.sum(layers, axis=0)
    return np.clip(0.5 + total / (2.5 * total.std() + 1e-6), 0, 1)


def color(rng: Rng) -> Floats:
    """A colour as things have them: mostly dull, sometimes strong."""
    grey = rng.beta(1.6, 1.6)
    return np.clip(grey + rng.normal(0, rng.choice([0.02, 0.06, 0.12, 0.25]), 3), 0.02, 0.98)


def _mixed(first: Floats, second: Floats, weight: Floats) -> Floats:
    return first * (1 - weight[..., None]) + second * weight[..., None]


def _plain(rng: Rng) -> Floats:
    faint = rng.choice([0.0, 0.01, 0.03, 0.08])
    wear = _fractal(rng, rng.uniform(1, 6)) - 0.5
    grain = rng.normal(0, 0.3, (TEXTURE_SIZE, TEXTURE_SIZE)).astype(np.float32)
    return np.clip(
        color(rng) + faint * (wear + rng.choice([0, 1]) * cv2.GaussianBlur(grain, (0, 0), 1))[..., None], 0, 1
    )


def _mottled(rng: Rng) -> Floats:
    weight = _fractal(rng, rng.uniform(2, 40), 2 ** rng.uniform(-3, 3))
    if rng.random() < 0.4:
        weight = np.clip((weight - 0.5) * rng.uniform(2, 12) + 0.5, 0, 1)
    return _mixed(color(rng), color(rng), weight)


def _stripes(rng: Rng) -> Floats:
    y, x = np.mgrid[0:TEXTURE_SIZE, 0:TEXTURE_SIZE] / TEXTURE_SIZE
    count = rng.integers(2, 40)
    along = x if rng.random() < 0.5 else y
    wave = np.sin(2 * np.pi * (count * along + rng.choice([0, 0.3]) * _noise(rng, 4, 4)))
    weight = np.clip(wave * rng.uniform(1, 8) + rng.uniform(-0.8, 0.8), 0, 1)
    if rng.random() < 0.4:
        weight = np.maximum(weight, np.clip(np.sin(2 * np.pi * rng.integers(2, 40) * (x + y - along)) * 4, 0, 1))
    return _mixed(color(rng), color(rng), weight.astype(np.float32))


def _tiles(rng: Rng) -> Floats:
    y, x = np.mgrid[0:TEXTURE_SIZE, 0:TEXTURE_SIZE] / TEXTURE_SIZE
    rows, columns = rng.integers(2, 20, 2)
    row = np.floor(y * rows)
    shifted = x * columns + rng.choice([0, 0.5]) * (row % 2)
    column = np.floor(shifted) % columns
    tones = rng.random((rows, columns + 1))[row.astype(int), column.astype(int)]
    edge = np.maximum(np.abs((y * rows) % 1 - 0.5), np.abs(shifted % 1 - 0.5)) > 0.5 - rng.uniform(0.01, 0.1)
    body = _mixed(color(rng), color(rng), (tones * rng.choice([0.05, 0.3, 1])).astype(np.float32))
    body = body + 0.1 * (_fractal(rng, 8) - 0.5)[..., None]
    return np.clip(_mixed(body, color(rng), edge.astype(np.float32)), 0, 1)


def _print(rng: Rng) -> Floats:
    """Shapes and letters on a ground."""
    canvas = (np.ones((TEXTURE_SIZE, TEXTURE_SIZE, 3)) * color(rng) * 255).astype(np.uint8)
    for _ in range(rng.integers(4, 60)):
        ink = (color(rng) * 255).tolist()
        at = rng.integers(-20, TEXTURE_SIZE, 2).tolist()
        size = int(TEXTURE_SIZE * rng.uniform(0.01, 0.25))
        kind = rng.integers(0, 5)
        if kind == 0:
            cv2.circle(canvas, at, size, ink, int(rng.choice([-1, 2, 5])), cv2.LINE_AA)
        elif kind == 1:
            cv2.rectangle(canvas, at, (at[0] + size, at[1] + int(size * rng.uniform(0.2, 2))), ink, -1)
        elif kind == 2:
            points = (np.array(at) + rng.normal(0, size, (rng.integers(3, 8), 2))).astype(np.int32)
            cv2.fillPoly(canvas, [points], ink, cv2.LINE_AA)
        else:
            text = "".join(chr(c) for c in rng.integers(33, 126, rng.integers(2, 24)))
            font = int(
                rng.choice([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX])
            )
            cv2.putText(canvas, text, at, font, rng.uniform(0.3, 2.2), ink, int(rng.integers(1, 4)), cv2.LINE_AA)
    return canvas.astype(np.float32) / 255


def _weave(rng: Rng) -> Floats:
    y, x = np.mgrid[0:TEXTURE_SIZE, 0:TEXTURE_SIZE] / TEXTURE_SIZE
    threads = int(rng.integers(20, 90))
    bend = 0.4 * _noise(rng, 6, 6)
    tone = np.abs(np.sin(np.pi * (threads * x + bend))) * np.abs(np.sin(np.pi * (threads * y + bend)))
    tone = tone * (0.5 + _noise(rng, threads, threads / 8))
    return _mixed(color(rng), color(rng), np.clip(tone + 0.3 * (_fractal(rng, 4) - 0.5), 0, 1).astype(np.float32))


def texture(rng: Rng, *, plain: bool = False) -> Floats:
    """One texture (S, S, 3) in linear light, 0..1."""
    makers = (_plain, _mottled, _stripes, _tiles, _print, _weave)
    weights = (0.34, 0.28, 0.07, 0.08, 0.13, 0.10)
    painted = _plain(rng) if plain else makers[rng.choice(len(makers), p=weights)](rng)
    if not plain and rng.random() < 0.3:  # dirt
        painted = painted * (1 - rng.uniform(0, 0.4) * _fractal(rng, rng.uniform(2, 20))[..., None])
    return np.asarray(painted, np.float32) ** 2.2
