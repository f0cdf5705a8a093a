"""What the fusion network learns from: rendered pairs as the engine matched them, beside their true disparity.

    python samples/training/examples.py --count 6000 --output examples

Every example is one .npz of some 3 or 8 MB, see `Example`. The engine's own front end and matchers make it; clues and
candidates are computed from it when it is read, so that they can be changed. Two of three are layered scenes, the third
is a ray-cast room. Run it once per core, with --part 0/2 and --part 1/2.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from layered_pairs import layered_photos
from numpy.typing import NDArray
from scenes import training_pair
from spoiling import spoil

from depthapps.core.errors import StereoError
from depthapps.engine.front.align import align
from depthapps.engine.fusion.clues import clues, see_from_right
from depthapps.engine.fusion.fuse import stack_candidates, to_blocks
from depthapps.engine.matching.pyramid import FOUR_PATHS, guess_disparity

# Width and height of even and odd seeds. The larger ones have what `guess_disparity` keeps for larger pairs: a guess
# that the network chose at half the size.
SIZES = ((512, 320), (896, 576))
ROOMS_EVERY = 3  # one in so many examples is a ray-cast room, which takes ten times as long to make
UNITS = 64.0  # a pixel
UNKNOWN = -32768
# An example whose best guess is off by more than 2 px at so much of it shows nothing that can be told: plain all over
HARDEST = 0.7
_ALL = slice(None)
_MAPS = ("guesses", "known", "from_right", "truth")


@dataclass(frozen=True, eq=False)
class Example:
    """What the engine knows of a pair before it chooses, and the truth.

    left: (H, W, 3) uint8 RGB; right: (H, W) uint8 grey, aligned with it.
    guesses (5, H, W), known, from_right (H, W): float32 px, see `guess_disparity`.
    truth: (H, W) float32 px.
    """

    left: NDArray[np.uint8]
    right: NDArray[np.uint8]
    guesses: NDArray[np.floating[Any]]
    known: NDArray[np.floating[Any]]
    from_right: NDArray[np.floating[Any]]
    truth: NDArray[np.floating[Any]]

    def save(self, path: Path) -> None:
        """Write it, whole or not at all; disparities as int16 in 1/64 px."""
        part = path.with_suffix(".part.npz")
        maps: dict[str, Any] = {name: _packed(getattr(self, name)) for name in _MAPS}
        np.savez(part, left=self.left, right=self.right, **maps)
        part.rename(path)

    @classmethod
    def load(cls, path: Path) -> Example:
        """Read what `save` wrote."""
        with np.load(path) as file:
            return cls(file["left"], file["right"], *(_unpacked(file[name]) for name in _MAPS))

    def upside_down(self) -> Example:
        """The example turned over, which leaves rows rows."""
        turned = {name: getattr(self, name)[..., ::-1, :].copy() for name in ("right", *_MAPS)}
        return Example(left=self.left[::-1].copy(), **turned)

    def inputs(
        self, rows: slice = _ALL, columns: slice = _ALL
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """The network's clues (C, h/2, w/2), and candidates px and evidence (4, any, h/2, w/2), see `Clues`.

        rows, columns: a part of the picture (h, w) px, which begins and ends at multiples of 4.
        """
        candidates = stack_candidates(list(self.guesses), self.known)[:, rows, columns]
        sure = np.isfinite(self.known[rows, columns]).astype(np.float32)
        right, from_right = self.right[rows], self.from_right[rows]
        seen = clues(self.left[rows, columns], right, candidates, sure, from_right, columns.start or 0)
        return seen.picture, to_blocks(candidates), seen.evidence


def _packed(disparity: NDArray[np.floating[Any]]) -> NDArray[np.int16]:
    units = np.where(np.isfinite(disparity), np.clip(np.rint(disparity * UNITS), -32000, 32000), UNKNOWN)
    return units.astype(np.int16)


def _unpacked(units: NDArray[np.int16]) -> NDArray[np.float32]:
    return np.where(units == UNKNOWN, np.float32(np.nan), units / np.float32(UNITS))


def made_wrong(example: Example, rng: np.random.Generator) -> Example:
    """With patches of the best guess moved, so that what fits is learned to count for more than what comes first."""
    patches, (height, width) = np.zeros(example.known.shape, np.uint8), example.known.shape
    for _ in range(rng.integers(1, 6)):
        middle = (int(rng.integers(width)), int(rng.integers(height)))
        axes = tuple(int(v) for v in rng.integers(5, 60, 2))
        cv2.ellipse(patches, middle, axes, float(rng.uniform(0, 180)), 0, 360, 1, -1)
    moved = (patches * (rng.choice([-1, 1]) * np.exp(rng.uniform(0, np.log(24))))).astype(np.float32)
    guesses = example.guesses.copy()
    guesses[0] += moved
    return replace(example, guesses=guesses, known=example.known + moved)


def _worse(right: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The right view, now and then by a worse camera than the left one: other gamma, more noise, or less sharp."""
    kind = rng.random()
    if kind < 0.08:
        return (255 * (right / 255) ** np.exp(rng.uniform(-0.7, 0.7))).round().astype(np.uint8)
    if kind < 0.20:
        return np.clip(right + rng.normal(0, rng.uniform(2, 10), right.shape), 0, 255).round().astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(right, (0, 0), rng.uniform(0.5, 1.2)) if kind < 0.25 else right, np.uint8)


def _photos(seed: int, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.floating]]:
    """Two photos (H, W, 3) RGB, and the left one's disparity (H, W) px."""
    width, height = SIZES[seed % 2]
    if seed % ROOMS_EVERY == 0:
        room = training_pair(seed, width, height)
        return room.left, _worse(room.right, rng), room.disparity_px
    pair = layered_photos(seed, width, height)
    linear = [torch.from_numpy(view.astype(np.float32)).permute(2, 0, 1)[None] for view in (pair.left, pair.right)]
    left, right = (
        (255 * view[0]).round().byte().permute(1, 2, 0).numpy() for view in spoil(linear[0], linear[1], seed)
    )
    return left.copy(), right.copy(), pair.disparity_px


def make_example(seed: int) -> Example:
    """The example of one seed. Raises StereoError when the engine takes its views for no pair."""
    rng = np.random.default_rng((seed, 1))
    left, right, truth = _photos(seed, rng)
    views = align(left, right)
    # as `balanced` has it, as `best` has it, and as a guess from half the size that is raised to full size
    kind = rng.choice(["native", "enlarged", "raised"], p=[0.5, 0.35, 0.15])
    scale = float(rng.uniform(1.2, 1.6)) if kind == "enlarged" else 1.0
    guesses, known, from_right = guess_disparity(views, FOUR_PATHS, scale)
    if kind == "raised":
        guesses, known, from_right = [guesses[2]] * len(guesses), guesses[2], see_from_right(guesses[2])
    left, right_grey = (np.asarray(view, np.uint8) for view in (views.left, views.right_grey))
    return Example(left, right_grey, np.stack(guesses), known, from_right, truth)


def main() -> None:
    """Write the examples that are not there yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=6000)
    parser.add_argument("--part", default="0/1", help="which of how many shares of the work")
    parser.add_argument("--output", type=Path, default=Path("examples"))
    args = parser.parse_args()
    part, parts = (int(v) for v in args.part.split("/"))
    args.output.mkdir(exist_ok=True)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    for seed in range(part, args.count, parts):
        path = args.output / f"{seed:06d}.npz"
        if path.exists():
            continue
        try:
            example = make_example(seed)
        except StereoError as error:
            print(f"scene {seed} left out: {error}", flush=True)
            continue
        wrong = float(np.mean(np.abs(example.guesses[0] - example.truth) > 2))
        if wrong > HARDEST:
            print(f"scene {seed} left out: {100 * wrong:.0f} % of the best guess is wrong", flush=True)
            continue
        example.save(path)


if __name__ == "__main__":
    main()
