"""Stereo pairs of random layered scenes with exact truth, in some 50 ms a core: what the coarse network learns from.

    python samples/training/layered_pairs.py --count 12 --output sheets     # pictures to look at

Both views are looked up in the same scene, so what one of them hides is hidden by what stands before it. Rims and thin
things are sampled five times a pixel, the rest once, with textures made smaller beforehand. Pixel centres have integer
coordinates, disparity is x_left - x_right. Views are linear light without noise: `spoiling.py` makes photos of them.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numba
import numpy as np
from bank import SCENES_A_BANK, texture_bank
from layers import LayeredScene
from layouts import random_layers
from numpy.typing import NDArray
from tracing import first_hit, shade

WIDTH, HEIGHT = 384, 192  # px of the left view
LEVELS = 192  # px: disparities lie between 0 and this
CUT_SHARE = 0.35  # of the right views end where the left one does, as they do at a photo's left border
# The middle, and a turned square about it: no two on a row or column. Half of the time went into nine a pixel, which
# noise and blur make look the same.
_OFFSETS = np.array([(0, 0), (-0.4, -0.2), (-0.2, 0.4), (0.2, -0.4), (0.4, 0.2)], np.float32)


@dataclass(frozen=True, eq=False)
class LayeredPair:
    """A pair of views and what is true of the left one.

    left (H, W, 3), right (H, W + LEVELS, 3): linear light, float16; the right one begins at x = -LEVELS, and is 0
    before `first_column`, -LEVELS or 0; or (H, W, 3) and begins at 0. disparity_px (H, W) float32; occluded, thin
    (H, W) bool: the right view does not show the surface; the layer is at most some 5 px wide.
    """

    left: NDArray[np.float16]
    right: NDArray[np.float16]
    disparity_px: NDArray[np.float32]
    occluded: NDArray[np.bool_]
    thin: NDArray[np.bool_]
    first_column: int


_jit = numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")


@_jit
def _active(layers: Any, y: float, active: Any) -> int:
    """The layers that reach a row, nearest first, into active (N,), and how many they are."""
    count = 0
    for k in range(len(layers)):
        if layers[k].top - 1 <= y <= layers[k].bottom + 1:
            active[count] = k
            count += 1
    return count


@_jit
def _render(scene: Any, paints: Any, first_x: int, rows: Any, right: bool, offsets: Any, out: Any) -> tuple[Any, Any]:
    """A view into out (H, W, 3) from column first_x on: which layer and plane a pixel's centre sees, and disparity.

    scene: layers, bitmaps, light; paints: the bank's textures and their means. rows (3,): by how many px the
    view's rows lie lower than the left one's, and how that grows along x and y.
    """
    layers, bitmaps, _ = scene
    height, width = out.shape[:2]
    label = np.empty((height, width), np.int32)
    disparity = np.empty((height, width), np.float32)
    active = np.empty(len(layers), np.int32)
    color = np.empty(3, np.float32)
    for i in range(height):
        count = _active(layers, i, active)
        for j in range(width):
            x = float(first_x + j)
            y = i + rows[0] + rows[1] * x + rows[2] * i
            hit = first_hit(layers, bitmaps, active, count, x, y, right)
            shade(scene, paints, hit, x, y, right, color)
            label[i, j], disparity[i, j] = 2 * hit[0] + hit[3], hit[2]
            for c in range(3):
                out[i, j, c] = color[c]
    for i in range(height):
        count = _active(layers, i, active)
        for j in range(width):
            rim = False
            for di in range(-1, 2):
                for dj in range(-1, 2):
                    rim |= label[min(max(i + di, 0), height - 1), min(max(j + dj, 0), width - 1)] != label[i, j]
            if not rim:
                continue
            for n in range(1, len(offsets)):
                x, lower = first_x + j + offsets[n, 0], i + offsets[n, 1]
                y = lower + rows[0] + rows[1] * x + rows[2] * i
                hit = first_hit(layers, bitmaps, active, count, x, y, right)
                shade(scene, paints, hit, x, y, right, color)
                for c in range(3):
                    out[i, j, c] += color[c]
            for c in range(3):
                out[i, j, c] /= len(offsets)
    return label, disparity


@_jit
def _occluded(layers: Any, bitmaps: Any, disparity: Any, first_column: int) -> Any:
    """Where the right view has something nearer in the way, or does not reach."""
    height, width = disparity.shape
    hidden = np.zeros((height, width), np.bool_)
    active = np.empty(len(layers), np.int32)
    for i in range(height):
        count = _active(layers, i, active)
        for j in range(width):
            x = j - disparity[i, j]
            hit = first_hit(layers, bitmaps, active, count, x, float(i), True)
            hidden[i, j] = x < first_column or hit[2] > disparity[i, j] + 0.5
    return hidden


def render_pair(
    scene: LayeredScene,
    bank: tuple[Any, Any],
    first_column: int,
    rows: NDArray[Any],
    size: tuple[int, int, int] = (WIDTH, HEIGHT, LEVELS),
) -> LayeredPair:
    """The pair that two cameras take of a scene; rows: see `_render`. size: width, height, and columns further left."""
    layers = np.asarray(scene.layers)
    parts = (layers, scene.bitmaps, scene.light[()])
    width, height, further = size
    left = np.empty((height, width, 3), np.float32)
    label, disparity = _render(parts, bank, 0, np.zeros(3, np.float32), False, _OFFSETS, left)
    right = np.zeros((height, width + further, 3), np.float32)
    _render(parts, bank, first_column, rows, True, _OFFSETS, right[:, first_column + further :])
    hidden = _occluded(layers, scene.bitmaps, disparity, first_column)
    thin = layers["thin"][label // 2] > 0
    left, right = (np.minimum(view, 6e4).astype(np.float16) for view in (left, right))
    return LayeredPair(left, right, disparity, hidden, thin, first_column)


def layered_pair(seed: int) -> LayeredPair:
    """The pair of one seed."""
    rng = np.random.default_rng((seed, 11))
    scene = random_layers(rng, WIDTH, HEIGHT, LEVELS)
    first_column = 0 if rng.random() < CUT_SHARE else -LEVELS
    return render_pair(scene, texture_bank(seed // SCENES_A_BANK), first_column, _rows(WIDTH, HEIGHT, rng))


def _rows(width: int, height: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """By how much rows are off: in photos that were aligned a few tenths of a px, else more, turned and stretched."""
    off = rng.choice([0, 0.1, 0.25, 0.6], p=[0.3, 0.35, 0.25, 0.1])
    return (rng.normal(0, off, 3) * [1, 0.5 / width, 0.5 / height]).astype(np.float32)


def layered_photos(seed: int, width: int, height: int) -> LayeredPair:
    """The whole pair of one seed as people bring them: two views of one size, disparities up to 4 to 40 % of it."""
    rng = np.random.default_rng((seed, 13))
    levels = width * float(np.exp(rng.uniform(np.log(0.04), np.log(0.4))))
    scene = random_layers(rng, width, height, levels)
    bank = texture_bank(seed // SCENES_A_BANK)
    return render_pair(scene, bank, 0, _rows(width, height, rng), (width, height, 0))


def sheet(seed: int) -> NDArray[np.uint8]:
    """Both views of a seed, its disparity and what is hidden, side by side, (H, any, 3) BGR."""
    pair = layered_pair(seed)
    scale = 0.9 / max(float(np.percentile(pair.left, 98)), 1e-3)
    views = [255 * np.clip(v.astype(np.float32) * scale, 0, 1) ** (1 / 2.2) for v in (pair.left, pair.right)]
    shown = cv2.applyColorMap(np.clip(pair.disparity_px * (255 / LEVELS), 0, 255).astype(np.uint8), cv2.COLORMAP_TURBO)
    flags = np.stack([pair.occluded, pair.thin, pair.thin], -1).astype(np.uint8) * 255
    return np.concatenate([*(v[..., ::-1].astype(np.uint8) for v in views), np.asarray(shown, np.uint8), flags], 1)


def main() -> None:
    """Write pictures of the first seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("sheets"))
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    for seed in range(args.first, args.first + args.count):
        cv2.imwrite(str(args.output / f"{seed:06d}.png"), sheet(seed))


if __name__ == "__main__":
    main()
