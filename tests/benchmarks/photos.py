"""How much of the engine's accuracy is left when the right view of a rectified pair was taken by another camera.

    python tests/benchmarks/photos.py FOLDER [--tries 1] [--seed 0] [--quality fast] [--assume-focal]

FOLDER holds a folder a pair, as for stereo.py. Each right view is taken anew, `--tries` times, by a camera that is
turned by up to 5 degrees about each axis, has another focal length (up to 3 %), bends lines (k1 up to 0.05) and stands
lower or higher by up to 2 % of the width, all uniformly random. The focal length of the first camera is that of
calib.txt, or a field of view of 60 degrees where there is none: parallel views are consistent with any. It is told as
EXIF would tell it; with --assume-focal it is not.

Both photos are given to the engine as they are. Bad means off by more than 2 px, in percent of those pixels with known
disparity that the new view shows; an occluded pixel counts, and so does one without an answer. Columns:

    untouched      of the pair before
    warped back    of the columns of the right view that the places found in the second photo came from
    up to infinity of the disparity in the first photo's frame once its median error is taken out
    disparity      of the disparity as it comes, with infinity where the engine puts it
    infinity       its disparity, px, and between which bounds the engine says that it lies, nine times in ten
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps import (
    Calibration,
    Camera,
    FloatMap,
    Frame,
    Image,
    PhotoMatch,
    PhotoPair,
    Quality,
    StereoError,
    StereoPair,
    match_pair,
    match_photos,
    read_calibration,
    read_disparity,
    read_image,
)

WORSE = 3.0  # points of bad pixels that a rectification may cost
Points = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class OtherCamera:
    """A camera in the right view's place: turned, refocused, bent and shifted."""

    first: Camera
    rotation: Points
    focal_px: float
    k1: float
    down_px: float

    @classmethod
    def random(cls, first: Camera, rng: np.random.Generator) -> OtherCamera:
        """As people hold one."""
        rotation = np.asarray(cv2.Rodrigues(np.radians(rng.uniform(-5, 5, 3)))[0], np.float64)
        focal, k1 = first.fx * (1 + rng.uniform(-0.03, 0.03)), rng.uniform(-0.05, 0.05)
        return cls(first, rotation, focal, k1, rng.uniform(-0.02, 0.02) * first.width)

    @property
    def _matrices(self) -> tuple[Points, Points, Points]:
        """Of the first camera and of this one, and this one's lens."""
        c = self.first
        matrix = np.array([[c.fx, 0, c.cx], [0, c.fx, c.cy], [0, 0, 1]])
        other = np.array([[self.focal_px, 0, c.cx], [0, self.focal_px, c.cy + self.down_px], [0, 0, 1]])
        return matrix, other, np.array([self.k1, 0, 0, 0])

    def photo(self, right: Image) -> Image:
        """What it sees of the right view (H, W, 3)."""
        height, width = right.shape[:2]
        first, other, lens = self._matrices
        y, x = np.mgrid[:height, :width].astype(float)
        points = np.stack([x, y], -1).reshape(-1, 1, 2)
        stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 50, 1e-9)
        at = cv2.undistortPoints(points, other, lens, R=self.rotation.T, P=first, criteria=stop)
        at = np.asarray(at, np.float32).reshape(height, width, 2)
        return cv2.remap(right, at[..., 0], at[..., 1], cv2.INTER_CUBIC)

    def before(self, points: Points) -> Points:
        """Where points (N, 2) px of it are in the right view; NaN stays."""
        first, other, lens = self._matrices
        stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 50, 1e-9)
        found = cv2.undistortPoints(points[:, None], other, lens, R=self.rotation.T, P=first, criteria=stop)
        return np.asarray(found, np.float64).reshape(-1, 2)

    def places(self, points: Points) -> Points:
        """Where points (N, 2) px of the right view are in it."""
        first, other, lens = self._matrices
        rays = np.column_stack([points, np.ones(len(points))]) @ np.linalg.inv(first).T @ self.rotation.T
        found = cv2.projectPoints(rays, np.zeros(3), np.zeros(3), other, lens)[0]
        return np.asarray(found, np.float64).reshape(-1, 2)


def found_places(found: PhotoMatch, points: Points) -> Points:
    """Where points (N, 2) px of the first photo are in the second, by a match in the rectified frame; NaN = unknown."""
    disparity, way = found.match.disparity_px, found.rectification
    if way is None:
        x, y = points.astype(int).T
        offset = found.match.row_offset
        down = 0 if offset is None else offset.field(*disparity.shape)[y, x]
        return np.column_stack([points[:, 0] - disparity[y, x], points[:, 1] + down])
    if way.mirrored:
        disparity = disparity[:, ::-1]
    at = way.first.rectified(points)
    x, y = (
        np.clip(np.rint(at), 0, (way.width - 1, way.height - 1)).astype(int).T
    )  # the frame holds the whole first photo
    there = disparity[y, x]
    if offset := found.match.row_offset:
        across, down = at[:, 0] / way.width - 0.5, at[:, 1] / way.height - 0.5
        at = at + np.column_stack([0 * across, offset.constant + offset.across * across + offset.down * down])
    return way.second.taken(at - np.column_stack([there, np.zeros_like(there)]))


def bad(error: Points) -> float:
    """Percentage of errors (N,) px beyond 2 px; NaN is one."""
    return 100 * float((~(error <= 2)).mean())


def load(folder: Path) -> tuple[Image, Image, FloatMap, Camera]:
    """Both views, the disparity, and the left camera with a centred principal point."""
    left, right = read_image(folder / "im0.png"), read_image(folder / "im1.png")
    pfm = folder / "disp0.pfm"
    truth = read_disparity(pfm if pfm.exists() else folder / "disp0.png")
    height, width = left.shape[:2]
    file = folder / "calib.txt"
    if file.exists():
        return left, right, truth, Camera.centred(width, height, read_calibration(file).camera(width, height).fx)
    return left, right, truth, Camera.from_fov(width, height, 60)


def measure(folder: Path, seeds: range, quality: Quality, *, assume_focal: bool) -> list[tuple[float, ...] | str]:
    """For each seed its four figures, where infinity is and may be, px, and the width; or why it was refused."""
    left, right, truth, camera = load(folder)
    height, width = truth.shape
    assumed = ("focal length",) if assume_focal else ()
    told = Camera.from_fov(width, height, 60) if assume_focal else camera
    calibration = Calibration(told, 0.1, assumed=assumed)
    plain = match_pair(StereoPair(left, right, calibration), quality, confidence=False).disparity_px
    rows: list[tuple[float, ...] | str] = []
    for seed in seeds:
        other = OtherCamera.random(camera, np.random.default_rng([seed, *folder.name.encode()]))
        pair = PhotoPair(left, other.photo(right), calibration)
        try:
            found = match_photos(pair, quality, frame=Frame.RECTIFIED, confidence=False)
        except StereoError as error:
            rows.append(error.message)
            continue
        y, x = np.nonzero(np.isfinite(truth) & (truth > 0))
        points: Points = np.column_stack([x, y]).astype(np.float64)
        matched = points - np.column_stack([truth[y, x], 0 * y])
        places = other.places(matched)
        shown = (matched[:, 0] >= 0) & (places >= 0).all(axis=1) & (places <= (width - 1, height - 1)).all(axis=1)
        x, y, points, places = x[shown], y[shown], points[shown], places[shown]
        off = np.abs(other.before(found_places(found, points))[:, 0] - matched[shown, 0])
        disparity = found.match.disparity_px
        if found.rectification is not None:  # what --frame original gives
            if found.rectification.mirrored:
                disparity = np.ascontiguousarray(disparity[:, ::-1])
            disparity = found.rectification.restored(disparity, *found.match.range_px)
        error = disparity[y, x] - truth[y, x]
        rows.append(
            (
                bad(np.abs(plain[y, x] - truth[y, x])),
                bad(off),
                bad(np.abs(error - np.nanmedian(error))),
                bad(np.abs(error)),
                float(np.nanmedian(error)),
                *(found.report.infinity_px if found.report else (0.0, 0.0)),
                width,
            )
        )
    return rows


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tries", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0, help="of the first try; the next ones count on")
    parser.add_argument("--quality", type=Quality, default=Quality.FAST)
    parser.add_argument("--assume-focal", action="store_true")
    arguments = parser.parse_args()
    folders = sorted(p.parent for p in arguments.folder.glob("*/im0.png"))
    if not folders:
        sys.exit(f"no pair under {arguments.folder}")
    print(
        "| pair | untouched | warped back | up to infinity | disparity | infinity |\n|---|---|---|---|---|---|",
        flush=True,
    )
    figures, refused = [], 0
    for folder in folders:
        seeds = range(arguments.seed, arguments.seed + arguments.tries)
        rows = measure(folder, seeds, arguments.quality, assume_focal=arguments.assume_focal)
        for row in rows:
            if isinstance(row, str):
                refused += 1
                print(f"| {folder.name} | refused: {row} | | | | |", flush=True)
            else:
                figures.append(row)
                off, low, high = row[4:7]
                cells = [f"{v:.1f}" for v in row[:4]]
                print(f"| {folder.name} | {' | '.join(cells)} | {off:.1f} ({low:.1f} to {high:.1f}) |", flush=True)
    total = len(figures) + refused
    kept = [sum(row[k] <= row[0] + WORSE for row in figures) for k in (1, 2, 3)]
    inside = sum(low <= off <= high for *_, off, low, high, _ in figures)
    share = 100 * float(np.median([(high - low) / width for *_, low, high, width in figures])) if figures else np.nan
    print(
        f"| within {WORSE:g} points | {refused} of {total} refused | {' | '.join(f'{k} of {total}' for k in kept)} "
        f"| {inside} of {total} as said, between bounds {share:.2f} % of the width apart (median) |"
    )


if __name__ == "__main__":
    main()
