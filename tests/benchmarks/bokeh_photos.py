"""Bokeh against real photos: all in focus, blurred by the measured defocus, beside the one with shallow depth of field.

    python tests/benchmarks/bokeh_photos.py FOLDER

FOLDER holds a folder a scene with aif.png, shallow.png and defocus_gt.npy, the radius of the blur in an unknown unit,
the same for all scenes, 0 where it is not known. Whether it lies before or behind the focus is not told, so both are
tried. Both photos are brought onto each other first (ECC, affine) and to one exposure. Prints the PSNR, in dB, mean
over the scenes, where the defocus is known, of each renderer and of gaussians of the same sizes: with the lens's unit,
which is fitted once for all scenes by `best`, in both directions, and with the unit that suits the row best.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps import read_image
from depthapps.bokeh.render import scatter, scatter_filled, scatter_seen
from depthapps.core.color import srgb_decode, srgb_encode, to_linear
from depthapps.core.filling import fill_background

Linear = NDArray[np.floating]
Blur = Callable[[Linear, Linear], Linear]  # linear light (H, W, 3) and signed CoC (H, W) px
UNITS_PX = range(12, 22)
BORDER_PX = 8  # what is left out along the borders, where the two photos may not show the same


class Photos(NamedTuple):
    """A scene: linear light (H, W, 3) twice, the radius of its blur (H, W), NaN where not known, and what counts."""

    sharp: Linear
    shallow: Linear
    defocus: Linear
    known: NDArray[np.bool_]


def gaussian(linear: Linear, coc: Linear, levels: int = 9) -> Linear:
    """A blend of gaussian blurs; a disc of radius r has the variance of a gaussian of sigma r / 2."""
    radius = np.abs(coc)
    step = max(float(radius.max()), 1e-3) / (levels - 1)
    out = np.zeros_like(linear)
    for k in range(levels):
        layer = cv2.GaussianBlur(linear, (0, 0), k * step / 2) if k else linear
        out += np.clip(1 - np.abs(radius / step - k), 0, 1)[..., None] * layer
    return out


METHODS: dict[str, Blur] = {
    "gaussian in sRGB": lambda linear, coc: srgb_decode(gaussian(srgb_encode(linear), coc)),
    "gaussian in linear light": gaussian,
    "depthapps `fast`": scatter,
    "depthapps `balanced`": scatter_filled,
    "depthapps `best`": scatter_seen,
}


def read_photos(folder: Path) -> Photos:
    """One scene, the shallow photo moved onto the sharp one: focusing and the hand have moved the camera's view."""
    sharp, shallow = (to_linear(read_image(folder / name)) for name in ("aif.png", "shallow.png"))
    measured = np.load(folder / "defocus_gt.npy").astype(np.float32)
    known = measured > 0
    defocus = np.where(known, measured, np.float32(np.nan))
    inside = np.zeros_like(known)
    inside[BORDER_PX:-BORDER_PX, BORDER_PX:-BORDER_PX] = True
    known &= inside
    alike = srgb_encode(gaussian(sharp, np.median(UNITS_PX) * fill_background(defocus))).mean(axis=2)
    move = np.eye(2, 3, dtype=np.float32)
    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 100, 1e-5)
    target = srgb_encode(shallow).mean(axis=2)
    _, move = cv2.findTransformECC(target, alike, move, cv2.MOTION_AFFINE, criteria, known.astype(np.uint8), 5)
    size = (sharp.shape[1], sharp.shape[0])
    moved = np.asarray(cv2.warpAffine(shallow, move, size, borderMode=cv2.BORDER_REPLICATE), np.float32)
    return Photos(sharp, moved, defocus, known)


def psnr(made: Linear, photos: Photos) -> float:
    """Of the encoded pictures where the blur is known, at one exposure."""
    made, truth = made[photos.known], photos.shallow[photos.known]
    made = made * float((made * truth).sum() / (made * made).sum())
    return -10 * float(np.log10(np.mean((srgb_encode(made) - srgb_encode(truth)) ** 2)))


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folders = sorted(path.parent for path in parser.parse_args().folder.glob("*/defocus_gt.npy"))
    if not folders:
        sys.exit("no scene with a defocus_gt.npy in that folder")
    scenes = [read_photos(folder) for folder in folders]
    found = {
        (name, sign): {
            u: float(np.mean([psnr(blur(s.sharp, fill_background(sign * u * s.defocus)), s) for s in scenes]))
            for u in UNITS_PX
        }
        for name, blur in METHODS.items()
        for sign in (-1, 1)
    }
    lens = max(UNITS_PX, key=lambda u: found["depthapps `best`", -1][u] + found["depthapps `best`", 1][u])
    print(f"| | behind the focus, {lens} px | before it | with its own unit, behind | before |\n|---|---|---|---|---|")
    for name in METHODS:
        at_lens, own = [], []
        for sign in (-1, 1):
            values = found[name, sign]
            best = max(values, key=lambda u: values[u])
            at_lens.append(f"{values[lens]:.2f}")
            own.append(f"{values[best]:.2f} at {best} px")
        print(f"| {name} | {' | '.join(at_lens + own)} |")


if __name__ == "__main__":
    main()
