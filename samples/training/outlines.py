"""Outlines that no formula holds: blobs, polygons, lattices, plants, letters, drawn as bitmaps at twice the size."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Rng = np.random.Generator
Bitmap = NDArray[np.uint8]

TEXELS = 2.0  # a px, so that outlines are true to a quarter of it
LARGEST = 720  # texels


def _canvas(half_u: float, half_v: float) -> Bitmap:
    size = [int(np.clip(2 * TEXELS * half, 8, LARGEST)) for half in (half_v, half_u)]
    return np.zeros(size, np.uint8)


def _fill(canvas: Bitmap, points: NDArray[np.floating[Any]], value: int = 255) -> None:
    """Fill a polygon of (N, 2) points in -1..1."""
    size = np.array(canvas.shape[::-1])
    cv2.fillPoly(canvas, [np.rint((points + 1) / 2 * size * 16).astype(np.int32)], value, cv2.LINE_AA, 4)


def blob(half_u: float, half_v: float, rng: Rng) -> Bitmap:
    """A round thing with a wavy rim."""
    canvas, angle = _canvas(half_u, half_v), np.linspace(0, 2 * np.pi, 96, endpoint=False)
    radius = np.ones(96)
    for k in range(2, int(rng.integers(3, 9))):
        radius += rng.normal(0, 0.35 / k) * np.sin(k * angle + rng.uniform(0, 6.3))
    radius = np.clip(radius, 0.15, None) / radius.max()
    _fill(canvas, np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1))
    return canvas


def polygon(half_u: float, half_v: float, rng: Rng) -> Bitmap:
    """A polygon, from a triangle to a ragged star."""
    canvas, corners = _canvas(half_u, half_v), int(rng.integers(3, 14))
    angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
    radius = rng.uniform(rng.choice([0.3, 0.8]), 1, corners)
    _fill(canvas, np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1))
    return canvas


def slats(half_u: float, half_v: float, rng: Rng) -> Bitmap:
    """Bars in a row, with rails or without: fences, backs of chairs, railings, blinds."""
    canvas = _canvas(half_u, half_v)
    height, width = canvas.shape
    bar = TEXELS * float(np.exp(rng.uniform(np.log(1.0), np.log(9.0))))
    pitch = bar * rng.uniform(1.6, 8.0)
    for x in np.arange(rng.uniform(0, pitch / 2), width, pitch):
        _fill(canvas, np.array([[x, 0], [x + bar, 0], [x + bar, height], [x, height]]) / [width / 2, height / 2] - 1)
    if rng.random() < 0.7:
        rail = max(1, int(bar * rng.uniform(0.7, 2)))
        for y in rng.uniform(0, 1, int(rng.integers(1, 4))):
            canvas[int(y * (height - rail)) :][:rail] = 255
    return canvas if rng.random() < 0.75 else np.asarray(cv2.resize(canvas.T, (width, height)), np.uint8)


def mesh(half_u: float, half_v: float, rng: Rng) -> Bitmap:
    """Thin bars crossing."""
    canvas = _canvas(half_u, half_v)
    bar = TEXELS * float(np.exp(rng.uniform(np.log(0.8), np.log(5.0))))
    for axis in (0, 1):
        pitch = bar * rng.uniform(2.5, 9.0)
        lines = (np.arange(canvas.shape[axis]) % pitch) < bar
        canvas |= (255 * (lines[:, None] if axis == 0 else lines[None])).astype(np.uint8)
    return canvas


def holes(half_u: float, half_v: float, rng: Rng) -> Bitmap:
    """A board with holes in a lattice, or with one window."""
    canvas = _canvas(half_u, half_v) + np.uint8(255)
    height, width = canvas.shape
    if rng.random() < 0.5:
        frame = rng.uniform(0.05, 0.4) * min(height, width)
        top, left = int(frame), int(frame * rng.uniform(0.5, 2))
        canvas[top : height - top, left : width - left] = 0
        return canvas
    pitch = TEXELS * rng.uniform(6, 30)
    radius = int(max(1, pitch * rng.uniform(0.2, 0.42)))
    for y in np.arange(pitch / 2, height, pitch):
        for x in np.arange(pitch / 2, width, pitch):
            cv2.circle(canvas, (int(x), int(y)), radius, 0, -1, cv2.LINE_AA)
    return canvas


def plant(half_u: float, half_v: float, rng: Rng) -> Bitmap:
    """Stems that branch, with leaves or without."""
    canvas = _canvas(half_u, half_v)
    height, width = canvas.shape
    leafy, spread = rng.random() < 0.7, rng.uniform(0.2, 0.8)
    thick = TEXELS * rng.uniform(1, 4.5)
    tips = [(width / 2, height - 1.0, -np.pi / 2, 0.35 * height, thick)]
    for _ in range(int(rng.integers(8, 50))):
        x, y, angle, length, stem = tips.pop(0)
        for _ in range(2 if len(tips) < 40 else 1):
            turn = angle + rng.normal(0, spread)
            far = (x + length * rng.uniform(0.5, 1) * np.cos(turn), y + length * rng.uniform(0.5, 1) * np.sin(turn))
            cv2.line(canvas, (int(x), int(y)), (int(far[0]), int(far[1])), 255, max(1, round(stem)), cv2.LINE_AA)
            if leafy and rng.random() < 0.8:
                axes = (int(length * rng.uniform(0.15, 0.4)) + 1, int(length * rng.uniform(0.04, 0.18)) + 1)
                cv2.ellipse(canvas, (int(far[0]), int(far[1])), axes, np.degrees(turn), 0, 360, 255, -1, cv2.LINE_AA)
            tips.append((*far, turn, length * rng.uniform(0.65, 0.9), max(TEXELS * 0.7, stem * 0.8)))
    return canvas


def cable(half_u: float, half_v: float, rng: Rng) -> Bitmap:
    """One or a few lines that hang or wind, 1 to 4 px wide."""
    canvas = _canvas(half_u, half_v)
    height, width = canvas.shape
    x = np.linspace(0, width, 48)
    for _ in range(int(rng.choice([1, 1, 2, 3]))):
        thick = max(1, round(TEXELS * float(np.exp(rng.uniform(np.log(0.8), np.log(4.0))))))
        y = height * (rng.uniform(0.1, 0.5) + rng.uniform(-0.4, 0.4) * (2 * x / width - 1) ** 2)
        y += height * rng.uniform(0, 0.2) * np.sin(x / width * rng.uniform(2, 20) + rng.uniform(0, 6))
        points = np.rint(np.stack([x, y], 1) * 16).astype(np.int32)
        cv2.polylines(canvas, [points], False, 255, thick, cv2.LINE_AA, 4)
    return canvas


def letters(half_u: float, half_v: float, rng: Rng) -> Bitmap:
    """A word that stands by itself, like the signs on roofs."""
    canvas = _canvas(half_u, half_v)
    height, width = canvas.shape
    text = "".join(chr(c) for c in rng.integers(48, 91, int(rng.integers(1, 6))))
    thick = int(rng.integers(1, 8))
    (wide, high), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 1)
    scale = min((width - thick) / wide, (height - thick) / (1.2 * high))
    cv2.putText(
        canvas, text, (thick, height - thick - 1), cv2.FONT_HERSHEY_SIMPLEX, max(scale, 0.1), 255, thick, cv2.LINE_AA
    )
    return canvas


def ring(half_u: float, half_v: float, rng: Rng) -> Bitmap:
    """A ring, or a handle."""
    canvas = _canvas(half_u, half_v)
    height, width = canvas.shape
    thick = int(np.clip(rng.uniform(0.05, 0.3) * min(height, width), 2, 200))
    axes = (max(1, (width - thick) // 2 - 1), max(1, (height - thick) // 2 - 1))
    cv2.ellipse(canvas, (width // 2, height // 2), axes, 0, rng.choice([0, 60]), 360, 255, thick, cv2.LINE_AA)
    return canvas


# what is drawn, how often, and whether it counts as thin
DRAWN = (
    (blob, 0.22, False),
    (polygon, 0.20, False),
    (slats, 0.12, True),
    (mesh, 0.07, True),
    (holes, 0.08, False),
    (plant, 0.12, True),
    (cable, 0.09, True),
    (letters, 0.05, True),
    (ring, 0.05, False),
)
