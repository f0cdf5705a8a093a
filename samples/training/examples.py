"""What the fusion network learns from: the clues and candidates of a rendered pair, beside its true disparity.

    python samples/training/examples.py --count 1200 --output examples

Every example is one .npz: clues (C, H/2, W/2) float16, candidates (K, H, W) and truth (H, W) int16 in 1/64 px. It is
made by the engine's own front end, matchers and clues. Run it once per core, with --part 0/2 and --part 1/2.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scenes import TrainingPair, training_pair

from depthapps.core.errors import StereoError
from depthapps.engine.front.align import align
from depthapps.engine.fusion.clues import clues, see_from_right
from depthapps.engine.fusion.fuse import stack_candidates
from depthapps.engine.matching.pyramid import FOUR_PATHS, THREE_PATHS, guess_disparity

WIDTH, HEIGHT = 576, 384
UNITS = 64.0  # a pixel
UNKNOWN = -32768
WRONG_SHARE = 0.15  # of the examples have patches that are wrong on purpose


@dataclass(frozen=True)
class Example:
    """clues (C, H/2, W/2) and candidates (K, H, W) px as the network takes them, truth (H, W) px with NaN = unknown."""

    clues: NDArray[np.floating[Any]]
    candidates: NDArray[np.floating[Any]]
    truth: NDArray[np.floating[Any]]

    def save(self, path: Path) -> None:
        """Write it, whole or not at all."""
        part = path.with_suffix(".part.npz")
        clues = self.clues.astype(np.float16)
        np.savez(part, clues=clues, candidates=_packed(self.candidates), truth=_packed(self.truth))
        part.rename(path)

    @classmethod
    def load(cls, path: Path) -> Example:
        """Read what `save` wrote."""
        with np.load(path) as file:
            truth = np.where(file["truth"] == UNKNOWN, np.nan, file["truth"] / UNITS).astype(np.float32)
            return cls(file["clues"].astype(np.float32), (file["candidates"] / UNITS).astype(np.float32), truth)


def _packed(disparity: NDArray[np.floating[Any]]) -> NDArray[np.int16]:
    units = np.where(np.isfinite(disparity), np.clip(np.rint(disparity * UNITS), -32000, 32000), UNKNOWN)
    return units.astype(np.int16)


def _worse(pair: TrainingPair, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The right view, now and then by a worse camera than the left one: other gamma, more noise, or less sharp."""
    kind, right = rng.random(), pair.right
    if kind < 0.08:
        return (255 * (right / 255) ** np.exp(rng.uniform(-0.7, 0.7))).round().astype(np.uint8)
    if kind < 0.20:
        return np.clip(right + rng.normal(0, rng.uniform(2, 10), right.shape), 0, 255).round().astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(right, (0, 0), rng.uniform(0.5, 1.2)) if kind < 0.25 else right, np.uint8)


def _made_wrong(
    guesses: list[NDArray[np.float32]], known: NDArray[np.float32], rng: np.random.Generator
) -> tuple[list[NDArray[np.float32]], NDArray[np.float32]]:
    """With patches of the best guess moved, so that what fits is learned to count for more than what comes first."""
    patches, (height, width) = np.zeros(known.shape, np.uint8), known.shape
    for _ in range(rng.integers(1, 6)):
        middle = (int(rng.integers(width)), int(rng.integers(height)))
        axes = tuple(int(v) for v in rng.integers(5, 60, 2))
        cv2.ellipse(patches, middle, axes, float(rng.uniform(0, 180)), 0, 360, 1, -1)
    moved = (patches * (rng.choice([-1, 1]) * np.exp(rng.uniform(0, np.log(24))))).astype(np.float32)
    return [guesses[0] + moved, *guesses[1:]], known + moved


def make_example(seed: int) -> Example:
    """The example of one seed. Raises StereoError when the engine takes its views for no pair."""
    pair = training_pair(seed, WIDTH, HEIGHT)
    rng = np.random.default_rng((seed, 1))
    views = align(pair.left, _worse(pair, rng))
    # as `best` has it, with either matcher alone, and as a guess from half the size that is raised to full size
    kind = rng.choice(["both", "three", "four", "raised"], p=[0.4, 0.3, 0.15, 0.15])
    matchers = {"both": (FOUR_PATHS, THREE_PATHS), "three": (THREE_PATHS,)}.get(kind, (FOUR_PATHS,))
    guesses, known, from_right = guess_disparity(views, matchers)
    if kind == "raised":
        guesses, known, from_right = [guesses[2]], guesses[2], see_from_right(guesses[2])
    if rng.random() < WRONG_SHARE:
        guesses, known = _made_wrong(guesses, known, rng)
    candidates = stack_candidates(guesses, known)
    seen = clues(views.left, views.right_grey, candidates, np.isfinite(known).astype(np.float32), from_right)
    return Example(seen, candidates, pair.disparity_px)


def main() -> None:
    """Write the examples that are not there yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1200)
    parser.add_argument("--part", default="0/1", help="which of how many shares of the work")
    parser.add_argument("--output", type=Path, default=Path("examples"))
    args = parser.parse_args()
    part, parts = (int(v) for v in args.part.split("/"))
    args.output.mkdir(exist_ok=True)
    cv2.setNumThreads(1)
    for seed in range(part, args.count, parts):
        path = args.output / f"{seed:06d}.npz"
        if path.exists():
            continue
        try:
            make_example(seed).save(path)
        except StereoError as error:
            print(f"scene {seed} left out: {error}")


if __name__ == "__main__":
    main()
