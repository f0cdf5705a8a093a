"""Accuracy and speed of the engine on a folder of real pairs, beside OpenCV's SGBM in the same run.

    python tests/benchmarks/stereo.py FOLDER [--quality fast balanced best]

FOLDER holds a folder a pair, in Middlebury's layout: im0.png (left), im1.png (right) and disp0.pfm (inf = unknown), or
KITTI's disp0.png (16 bit, 256 a pixel, 0 = unknown). Prints the rows of README.md's table: the percentage of pixels
with known disparity that are off by more than 0.5, 1 and 2 px, the D1 of pairs whose name starts with "kitti" (off by
more than 3 px and 5 %), and seconds a megapixel. A pixel without an answer is bad. SGBM gets the true range.

The column before the last one tells what confidence is worth: the area under the sparsification curve, that is the
percentage of pixels off by more than 1 px among the surest share of them, averaged over all shares. In brackets is what
a confidence that knew the errors would reach.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps import (
    Calibration,
    Camera,
    FloatMap,
    Image,
    Quality,
    StereoError,
    StereoPair,
    match_pair,
    read_disparity,
    read_image,
)
from depthapps.runtime.memory import keep_freed_memory

Matcher = Callable[[Image, Image, FloatMap], tuple[FloatMap, FloatMap | None]]  # disparity and confidence


def sgbm(left: Image, right: Image, truth: FloatMap) -> tuple[FloatMap, FloatMap | None]:
    """OpenCV's matcher as its documentation sets it up."""
    levels = int(np.ceil((np.nanmax(truth) + 4) / 16) * 16)
    matcher = cv2.StereoSGBM.create(0, levels, 5, 8 * 3 * 25, 32 * 3 * 25, 1, 63, 10, 100, 2)
    found = matcher.compute(np.asarray(left)[..., ::-1].copy(), np.asarray(right)[..., ::-1].copy()) / np.float32(16)
    return np.where(found >= 0, found, np.float32(np.nan)), None


def engine(quality: Quality) -> Matcher:
    """The engine at one quality."""

    def run(left: Image, right: Image, truth: FloatMap) -> tuple[FloatMap, FloatMap | None]:
        camera = Camera.from_fov(left.shape[1], left.shape[0], 60)
        try:
            found = match_pair(StereoPair(left, right, Calibration(camera, 0.1)), quality)
        except StereoError as error:
            print(f"refused: {error.message}", file=sys.stderr)
            return np.full(truth.shape, np.nan, np.float32), None
        return found.disparity_px, found.confidence

    return run


def sparsification_area(confidence: FloatMap, wrong: NDArray[np.bool_]) -> float:
    """Percentage of wrong ones among the surest share, averaged over all shares; both (N,)."""
    sorted_wrong = wrong[np.argsort(-confidence, kind="stable")]
    return 100 * float(np.mean(np.cumsum(sorted_wrong) / np.arange(1, len(wrong) + 1)))


def measure(matcher: Matcher, folder: Path) -> dict[str, float]:
    """Errors in percent and seconds a megapixel of one pair."""
    left, right = read_image(folder / "im0.png"), read_image(folder / "im1.png")
    pfm = folder / "disp0.pfm"
    truth = read_disparity(pfm if pfm.exists() else folder / "disp0.png")
    start = time.perf_counter()
    disparity, confidence = matcher(left, right, truth)
    seconds = time.perf_counter() - start
    known = np.isfinite(truth) & (truth > 0)
    error: NDArray[np.floating] = np.abs(disparity - truth)[known]
    error[np.isnan(error)] = np.inf
    row = {f"bad{t:g}": 100 * float((error > t).mean()) for t in (0.5, 1, 2)}
    row["D1"] = 100 * float(((error > 3) & (error > 0.05 * truth[known])).mean())
    if confidence is not None:
        wrong = error > 1
        row["area"] = sparsification_area(confidence[known], wrong)
        row["least area"] = sparsification_area(-error, wrong)
    return row | {"s/Mpx": seconds / (truth.size / 1e6)}


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quality", nargs="+", type=Quality, default=list(Quality))
    arguments = parser.parse_args()
    keep_freed_memory()  # as every command and `open_scene` do; SGBM gains by it too
    folders = sorted(p.parent for p in arguments.folder.glob("*/im0.png"))
    if not folders:
        sys.exit(f"no pair under {arguments.folder}")
    matchers: dict[str, Matcher] = {"OpenCV SGBM 5x5": sgbm}
    matchers |= {f"depthapps `{q}`": engine(q) for q in arguments.quality}
    print("| | off by > 0.5 px | > 1 px | > 2 px | KITTI D1 | confidence | s/Mpx |\n|---|---|---|---|---|---|---|")
    for name, matcher in matchers.items():
        measure(matcher, folders[0])  # compiles, and wakes the threads
        rows = {f.name: measure(matcher, f) for f in folders}
        kitti = [r for n, r in rows.items() if n.startswith("kitti")]
        others = [r for n, r in rows.items() if not n.startswith("kitti")] or kitti
        cells = [np.mean([r[k] for r in others]) for k in ("bad0.5", "bad1", "bad2")]
        cells += [np.mean([r["D1"] for r in kitti]) if kitti else np.nan]
        seconds, area, least = (
            np.mean([r.get(k, np.nan) for r in rows.values()]) for k in ("s/Mpx", "area", "least area")
        )
        sure = "" if np.isnan(area) else f"{area:.1f} ({least:.1f})"
        print(f"| {name} | {' | '.join(f'{c:.1f}' for c in cells)} | {sure} | {seconds:.2f} |")


if __name__ == "__main__":
    main()
