"""Bokeh against the same lens ray-traced, beside a blend of gaussian blurs.

    python tests/benchmarks/bokeh.py [--seeds 0 1 2] [--quality fast balanced best] [--save FOLDER]

Scenes are made up from their seeds: textured walls, slanted ground, cards, twigs and, every third time, lamps at night,
all of them planes, so that a ray through any point of the lens meets them in closed form. The truth is the mean of 256
such points, each through another point of the pixel. Renderers get an 8-bit picture and its exact blur, focused near,
in the middle and far. Prints the rows of README.md's table: PSNR in dB and SSIM of the encoded pictures, and the PSNR
within reach of depth edges.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from bokeh_photos import gaussian
from numpy.typing import NDArray

from depthapps import BokehParams, FloatMap, Image, Quality, write_image
from depthapps.bokeh.render import blur
from depthapps.core.color import from_linear, srgb_decode, srgb_encode, to_linear

WIDTH, HEIGHT = 480, 360
FINE = 2  # texels a pixel
AROUND = 40  # px, by which surfaces go on beyond the picture
LARGEST_PX = 24.0  # blur, of what is farthest out of focus
SAMPLES = 256
EDGE_PX = 2.5

Linear = NDArray[np.floating]
Renderer = Callable[[Image, FloatMap], Image]


class Surface(NamedTuple):
    """A plane with what is painted on it: texels, premultiplied RGBA linear light; (a, b, c) of 1/z = a + b·x + c·y."""

    texels: Linear
    plane: NDArray[np.floating]


def texture(rng: np.random.Generator, shape: tuple[int, int]) -> Linear:
    """Blotches, fine grain, and stripes or dots."""
    height, width = shape
    noise = [cv2.resize(rng.random((n, n), np.float32), (width, height)) for n in (6, 25, 100)]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    turn, step = rng.uniform(0, np.pi), rng.uniform(6, 30)
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    wave = np.sin(along * 2 * np.pi / step) * (np.sin(across * 2 * np.pi / step) if rng.random() < 0.5 else 1)
    dark, light, ink = rng.uniform(0.05, 0.4, 3), rng.uniform(0.5, 0.9, 3), rng.uniform(0, 1, 3)
    paint = dark + (light - dark) * ((noise[0] + noise[1] + noise[2]) / 3)[..., None]
    return srgb_decode(np.clip(paint + (ink - paint) * 0.7 * (wave > 0.4)[..., None], 0.03, 0.98))


def surface(rng: np.random.Generator, shape: Linear | None, inverse: float, slope: float, light: float = 1) -> Surface:
    """A textured plane, cut out by a mask of shares (H, W); 1/z in the middle, and how much it grows down."""
    size = (FINE * (HEIGHT + 2 * AROUND), FINE * (WIDTH + 2 * AROUND))
    share = np.ones(size, np.float32) if shape is None else shape
    texels = np.dstack([light * texture(rng, size), np.ones(size, np.float32)]) * share[..., None]
    plane = np.array([inverse - slope / 2, 0, slope / HEIGHT])
    return Surface(texels.astype(np.float32), plane)


def mask(draw: Callable[[NDArray[np.uint8]], object]) -> Linear:
    """What a function draws in white onto a canvas of texels, as shares."""
    canvas = np.zeros((FINE * (HEIGHT + 2 * AROUND), FINE * (WIDTH + 2 * AROUND)), np.uint8)
    draw(canvas)
    return canvas.astype(np.float32) / 255


def make_scene(seed: int) -> list[Surface]:
    """Surfaces from near to far."""
    rng = np.random.default_rng(seed)
    night = seed % 3 == 2
    light = 0.06 if night else 1.0
    wall = surface(rng, None, 0.15, 0.0, light)
    horizon = FINE * (AROUND + int(rng.uniform(0.5, 0.7) * HEIGHT))
    ground = surface(rng, mask(lambda m: m[horizon:].fill(255)), 0.25, 0.35, light)
    things: list[Surface] = []

    def point() -> tuple[int, int]:
        return int(FINE * (AROUND + rng.uniform(0, WIDTH))), int(FINE * (AROUND + rng.uniform(0, HEIGHT)))

    if night:
        for depth in (0.16, 0.2):
            texels = np.zeros((*wall.texels.shape[:2], 4), np.float32)
            for _ in range(12):
                x, y, r = *point(), int(rng.integers(1, 4))
                lamp = mask(lambda m, x=x, y=y, r=r: cv2.circle(m, (x, min(y, horizon)), r, 255, -1, cv2.LINE_AA))
                color = rng.uniform(0.5, 1, 3) * rng.uniform(5, 40)
                texels = np.maximum(texels, np.append(color, 1).astype(np.float32) * lamp[..., None])
            things.append(Surface(texels, np.array([depth, 0, 0])))
    for k in range(4):
        corners = cv2.boxPoints((point(), rng.uniform(120, 320, 2).tolist(), rng.uniform(0, 90))).astype(np.int32)
        card = mask(lambda m, corners=corners: cv2.fillConvexPoly(m, corners, 255, cv2.LINE_AA))
        things.append(surface(rng, card, 0.35 + 0.12 * k, rng.uniform(-0.04, 0.04), 5 * light if night else 1))
    if seed % 3 == 1:
        for k in range(10):
            a, b, wide = point(), point(), int(rng.integers(3, 10))
            twig = mask(lambda m, a=a, b=b, wide=wide: cv2.line(m, a, b, 255, wide, cv2.LINE_AA))
            things.append(surface(rng, twig, 0.85 + 0.015 * k, 0.0))
    return [*sorted(things, key=lambda s: -(s.plane[0] + s.plane[2] * HEIGHT / 2)), ground, wall]


def look(
    scene: list[Surface], strength: float, focus: float, at: tuple[float, float], pixel: tuple[float, float]
) -> Linear:
    """The picture (H, W, 3) from one point of the lens, in radii, through one point of each pixel, in pixels.

    A ray through pixel x that leaves the lens at u meets the plane where the middle of the lens sees x + c·u, with the
    blur c = strength · (1/z − focus) there.
    """
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    x, y = x + np.float32(pixel[0]), y + np.float32(pixel[1])
    light, left = np.zeros((HEIGHT, WIDTH, 3), np.float32), np.ones((HEIGHT, WIDTH, 1), np.float32)
    for texels, (a, b, c) in scene:
        coc = strength * (a + b * x + c * y - focus) / (1 - strength * (b * at[0] + c * at[1]))
        u, v = (FINE * (p + coc * s + AROUND + 0.5) - 0.5 for p, s in ((x, at[0]), (y, at[1])))
        seen = cv2.remap(
            texels, u.astype(np.float32), v.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        light += left * seen[..., :3]
        left *= 1 - seen[..., 3:]
    return light


def ray_trace(scene: list[Surface], strength: float, focus: float, samples: int = SAMPLES) -> Linear:
    """The mean over the lens, sampled along a spiral; strength 0 is a pinhole."""
    total = np.zeros((HEIGHT, WIDTH, 3))
    for k in range(samples):
        radius, angle = np.sqrt((k + 0.5) / samples), k * np.pi * (3 - np.sqrt(5))
        pixel = ((k * 0.754877666) % 1 - 0.5, (k * 0.569840291) % 1 - 0.5)  # Roberts' sequence
        total += look(scene, strength, focus, (radius * np.cos(angle), radius * np.sin(angle)), pixel)
    return (total / samples).astype(np.float32)


def inverse_depth(scene: list[Surface]) -> Linear:
    """1/z (H, W) of what the middle of each pixel shows."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    out = np.zeros((HEIGHT, WIDTH), np.float32)
    for texels, (a, b, c) in reversed(scene):
        opaque = cv2.resize(texels[..., 3], None, fx=1 / FINE, fy=1 / FINE, interpolation=cv2.INTER_AREA) > 0.5
        out = np.where(opaque[AROUND:-AROUND, AROUND:-AROUND], a + b * x + c * y, out)
    return out.astype(np.float32)


def ssim(a: Linear, b: Linear) -> float:
    """Mean SSIM of two encoded pictures' luma (Wang et al. 2004)."""
    a, b = (cv2.cvtColor(v, cv2.COLOR_RGB2GRAY).astype(np.float64) for v in (a, b))
    mean_a, mean_b, aa, bb, ab = (cv2.GaussianBlur(v, (11, 11), 1.5) for v in (a, b, a * a, b * b, a * b))
    c1, c2 = 0.01**2, 0.03**2
    alike = (2 * mean_a * mean_b + c1) * (2 * (ab - mean_a * mean_b) + c2)
    return float((alike / ((mean_a**2 + mean_b**2 + c1) * (aa - mean_a**2 + bb - mean_b**2 + c2))).mean())


def measure(made: Linear, truth: Linear, coc: FloatMap) -> list[float]:
    """PSNR, SSIM, and PSNR within reach of depth edges."""
    error = ((made - truth) ** 2).mean(axis=2)
    kernel = np.ones((3, 3), np.uint8)
    edge = (cv2.dilate(coc, kernel) - cv2.erode(coc, kernel)) > EDGE_PX
    near = cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, 5) <= LARGEST_PX
    return [-10 * float(np.log10(error.mean())), ssim(made, truth), -10 * float(np.log10(error[near].mean()))]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--quality", nargs="+", type=Quality, default=list(Quality))
    parser.add_argument("--save", type=Path, help="a folder for pictures of the truth and of each renderer")
    arguments = parser.parse_args()
    methods: dict[str, Renderer] = {
        "gaussians, as tutorials blend them": lambda i, c: from_linear(
            srgb_decode(gaussian(srgb_encode(to_linear(i)), c)), i.dtype
        ),
        "gaussians in linear light": lambda i, c: from_linear(gaussian(to_linear(i), c), i.dtype),
    }
    for quality in arguments.quality:
        methods[f"depthapps `{quality}`"] = lambda i, c, q=quality: blur(i, c, BokehParams(), q)
    rows: dict[str, list[list[float]]] = {name: [] for name in methods}
    for seed in arguments.seeds:
        scene = make_scene(seed)
        image = from_linear(ray_trace(scene, 0, 0, 64), np.uint8)
        inverse = inverse_depth(scene)
        for percentile in (97, 50, 3):
            focus = float(np.percentile(inverse, percentile))
            strength = LARGEST_PX / float(np.abs(inverse - focus).max())
            truth = srgb_encode(ray_trace(scene, strength, focus))
            coc = (strength * (inverse - focus)).astype(np.float32)
            for name, render in methods.items():
                made = render(image, coc)
                rows[name].append(measure(made.astype(np.float32) / 255, truth, coc))
                if arguments.save:
                    label = "".join(filter(str.isalnum, name))
                    both = np.hstack([image, from_linear(srgb_decode(truth), np.uint8), made])
                    write_image(arguments.save / f"{seed}_{percentile}_{label}.png", both)
    print("| | PSNR | SSIM | PSNR within reach of depth edges |\n|---|---|---|---|")
    for name, values in rows.items():
        mean = np.mean(values, axis=0)
        print(f"| {name} | {mean[0]:.1f} | {mean[1]:.3f} | {mean[2]:.1f} |")


if __name__ == "__main__":
    main()
