"""Train the fusion network on what examples.py made, and write it as depthapps/engine/fusion/fusion.onnx.

    pip install '.[training]'
    python samples/training/examples.py --count 6000 --output examples
    python samples/training/train.py examples --out run --minutes 60      # again and again: it goes on where it stopped
    python samples/training/train.py examples --out run --minutes 30 --cool --onnx fusion.onnx      # the last piece

The first piece starts from the network in the package, or from nothing with --anew. `run/log.csv` has a row each time
the network is looked at, `run/step-*` are the newest checkpoints. On a CPU bfloat16 and channels-last make it several
times as fast as plain float32. What becomes the network is the running mean of the weights.
"""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from checkpoints import resume, run_options, save, write_row
from examples import Example, made_wrong
from model import CANDIDATES, CLUES, EVIDENCE, Deployed, FusionNet, base_disparity, loss, winner
from torch.nn import functional as F  # noqa: N812  # pyright: ignore[reportMissingImports]
from torch.utils.data import DataLoader, IterableDataset  # pyright: ignore[reportMissingImports]

from depthapps.engine.fusion.clues import see_from_right
from depthapps.engine.fusion.fuse import from_blocks, to_blocks

BATCH = 4
CROP = (256, 320)  # rows and columns of an example that are learned from at a time: batches are more varied
WARM_UP = 100  # steps
AVERAGED = 0.998  # share of the running mean that a step keeps: it spans 500 steps
HELD_OUT = 24  # examples that are looked at but not learned from
WRONG_SHARE = 0.15  # of the examples have patches that are wrong on purpose
THIN_PX = 7  # across the row, a surface that is less wide is thin
EDGE_REACH_PX = 2
HIDDEN_PX = 1.0  # a pixel is occluded if the right view shows something nearer by more than this


def occluded(truth: np.ndarray) -> np.ndarray:
    """Where the right view does not show the surface of a true disparity (H, W) px, 0 or 1."""
    last = truth.shape[1] - 1
    landing = np.rint(np.arange(last + 1) - truth).astype(np.intp)
    there = np.take_along_axis(see_from_right(truth), np.clip(landing, 0, last), axis=1)
    return ((landing < 0) | (landing > last) | (there > truth + HIDDEN_PX)).astype(np.float32)


def pixel_weights(truth: np.ndarray) -> np.ndarray:
    """How much each pixel of a true disparity (H, W) px counts: thin things and depth edges are few and matter."""
    thin = cv2.morphologyEx(truth, cv2.MORPH_TOPHAT, np.ones((1, THIN_PX), np.uint8)) > 1.5
    near = np.ones((2 * EDGE_REACH_PX + 1,) * 2, np.uint8)
    edges = cv2.dilate(truth, near) - cv2.erode(truth, near) > 2.5
    weights = 1 + 3 * thin.astype(np.float32) + edges
    return weights / weights.mean()


class Examples(IterableDataset):
    """Examples without end, in random order, some turned over, in other colours, or with wrong patches.

    Only two pixels P of each 2x2 block are learned from at a time, which takes two thirds of the time. An item: which
    two; clues (C, H/2, W/2); base disparity and true one (1, H/4, W/4); and candidates, evidence, truth, whether it is
    occluded, and how much it counts, (P, any, H/2, W/2).
    """

    def __init__(self, folder: Path, seed: int, batch: int) -> None:
        self.folder, self.seed, self.batch = folder, seed, batch

    def __iter__(self) -> Iterator[Any]:
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
        rng, count = np.random.default_rng(self.seed), 0
        while True:
            for path in rng.permutation(np.array(example_paths(self.folder)[HELD_OUT:])):  # new ones are found
                example = Example.load(path)
                if rng.random() < WRONG_SHARE:
                    example = made_wrong(example, rng)
                if rng.random() < 0.5:
                    example = example.upside_down()
                part = tuple(_part(side, crop, rng) for side, crop in zip(example.truth.shape, CROP, strict=True))
                clues, candidates, evidence = example.inputs(*part)
                color = clues[:12] * rng.uniform(0.8, 1.2) + rng.uniform(-0.1, 0.1)
                clues[:12] = color.reshape(3, 4, *clues.shape[1:])[rng.permutation(3)].reshape(color.shape)
                maps = [example.truth, occluded(example.truth), pixel_weights(example.truth)]
                blocks = (candidates, evidence, *(to_blocks(value[part][None]) for value in maps))
                pixels = np.array([(0, 3), (1, 2)][count // self.batch % 2])
                yield pixels, clues, base(candidates), _quarter(example.truth[part]), *(v[pixels] for v in blocks)
                count += 1


def _part(side: int, crop: int, rng: np.random.Generator) -> slice:
    """A range of `crop` px of a side of the picture, from a multiple of 4 on."""
    start = 4 * int(rng.integers((side - crop) // 4 + 1))
    return slice(start, start + crop)


def base(candidates: np.ndarray) -> np.ndarray:
    """The disparity (1, H/4, W/4) px that the network corrects, of candidates (4, K, H/2, W/2)."""
    with torch.no_grad():
        return F.avg_pool2d(base_disparity(torch.from_numpy(candidates)).mean(0), 2).numpy()


def _quarter(disparity: np.ndarray) -> np.ndarray:
    """A map (H, W) averaged over 4x4 px, (1, H/4, W/4)."""
    height, width = disparity.shape
    return disparity.reshape(1, height // 4, 4, width // 4, 4).mean((2, 4))


def example_paths(folder: Path) -> list[Path]:
    """The examples that are there, in order of their seeds."""
    return sorted(p for p in folder.glob("*.npz") if not p.stem.endswith(".part"))


@torch.no_grad()
def look(net: FusionNet, paths: list[Path], device: torch.device) -> dict[str, float]:
    """Bad pixels in percent and mean error in px over examples, of the best guess and of what the network says."""
    rows: dict[str, list[float]] = {}
    net.eval()
    for path in paths:
        example = Example.load(path)
        clues, candidates, evidence = example.inputs()
        inputs = (clues[None], candidates, evidence, base(candidates)[None])
        _, disparities, scores, sure, _ = net(*(torch.from_numpy(v).to(device) for v in inputs), [0, 1, 2, 3])
        found, told = (from_blocks(v.cpu().numpy())[0] for v in (winner(disparities, scores), torch.sigmoid(sure)))
        error = np.abs(found - example.truth)
        hidden = occluded(example.truth) > 0
        values = {f"bad{t}": 100 * np.mean(error > t) for t in (0.5, 1, 2)}
        values |= {"bad2_seen": 100 * np.mean(error[~hidden] > 2), "error_px": error.mean()}
        values |= {"guess_bad2": 100 * np.mean(np.abs(example.guesses[0] - example.truth) > 2)}
        values |= {"brier": np.mean((told - (error < 1)) ** 2)}
        for name, value in values.items():
            rows.setdefault(name, []).append(float(value))
    net.train()
    return {name: round(float(np.mean(values)), 3) for name, values in rows.items()}


def packaged_weights() -> dict[str, torch.Tensor]:
    """The weights of the network in the package."""
    import onnx  # pyright: ignore[reportMissingImports]

    with (files("depthapps.engine.fusion") / "fusion.onnx").open("rb") as file:
        tensors = onnx.load(file).graph.initializer
    arrays = {t.name.removeprefix("net."): onnx.numpy_helper.to_array(t) for t in tensors if t.name.startswith("net.")}
    return {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}


class Training:
    """One piece of a run."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args, self.out = args, args.out
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(0)
        last = torch.channels_last
        self.net, self.average = (FusionNet().to(self.device, memory_format=last) for _ in range(2))  # pyright: ignore[reportCallIssue]
        if not args.anew:
            self.net.load_state_dict(packaged_weights())
        self.optimizer = torch.optim.AdamW(self.net.parameters(), args.rate, weight_decay=1e-4, betas=(0.9, 0.98))
        self.progress = resume(self.out, self.net, self.average, self.optimizer, self.device)
        self.before, self.start = self.progress.minutes, time.monotonic()
        self.losses: list[float] = []

    def minutes(self) -> float:
        """Of this piece."""
        return (time.monotonic() - self.start) / 60

    def learn(self, batch: list[torch.Tensor]) -> None:
        """One step."""
        rate = self.args.rate * min(1, (self.progress.step + 1) / WARM_UP)
        if self.args.cool:
            rate *= max(0.0, 1 - self.minutes() / self.args.minutes)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        pixels, clues, base, coarse_truth, *blocks = (value.to(self.device, non_blocking=True) for value in batch)
        # a pixel of all examples after the other, as the network lays them out
        candidates, evidence, truth, hidden, weight = (value.transpose(0, 1).flatten(0, 1) for value in blocks)
        with torch.autocast(self.device.type, torch.bfloat16):
            clues = clues.to(memory_format=torch.channels_last)
            found = self.net(clues, candidates, evidence, base, pixels[0].tolist())
        value = loss([part.float() for part in found], truth, coarse_truth, hidden, weight)
        self.optimizer.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()
        keep = min(AVERAGED, (self.progress.step + 1) / (self.progress.step + 10))
        with torch.no_grad():
            for mean, weight in zip(self.average.parameters(), self.net.parameters(), strict=True):
                mean.lerp_(weight, 1 - keep)
        self.progress.step += 1
        self.progress.samples += len(clues)
        self.progress.minutes = self.before + self.minutes()
        self.losses.append(value.item())

    def report(self) -> None:
        """Look at the network and keep it."""
        save(self.out, self.net, self.average, self.optimizer, self.progress, self.args.keep)
        paths = example_paths(self.args.examples)
        row: dict[str, Any] = {"time": time.strftime("%Y-%m-%d %H:%M:%S"), "device": self.device.type}
        row |= {"rate": self.args.rate, "cool": self.args.cool, "examples": len(paths)}
        row |= {"step": self.progress.step, "samples": self.progress.samples}
        row |= {"minutes": round(self.progress.minutes, 1), "loss": round(float(np.mean(self.losses or [0])), 4)}
        self.losses.clear()
        write_row(self.out / "log.csv", row | look(self.average, paths[:HELD_OUT], self.device))

    def run(self) -> None:
        """Learn until the minutes are over."""
        examples = Examples(self.args.examples, self.progress.step, self.args.batch)
        reported = time.monotonic()
        for batch in DataLoader(examples, self.args.batch, num_workers=1, prefetch_factor=6):
            self.learn(batch)
            if self.minutes() >= self.args.minutes:
                break
            if time.monotonic() - reported > 60 * self.args.every:
                self.report()
                reported = time.monotonic()
        self.report()


def export(net: FusionNet, path: Path) -> None:
    """Write the network as ONNX for pictures of any size."""
    outputs = ("choices", "scores", "confidence", "occluded")
    sizes = {name: {2: "h", 3: "w"} for name in ("clues", "candidates", "evidence", *outputs)}
    shapes = [torch.zeros(batch, n, 64, 96) for batch, n in ((1, CLUES), (4, CANDIDATES), (4, CANDIDATES * EVIDENCE))]
    net.to("cpu", memory_format=torch.contiguous_format)  # pyright: ignore[reportCallIssue]
    torch.onnx.export(
        Deployed(net.eval()),
        tuple(shapes),
        path,
        input_names=["clues", "candidates", "evidence"],
        output_names=list(outputs),
        dynamic_axes=sizes,
        opset_version=17,
        dynamo=False,
    )


def main() -> None:
    """Train for so long, from where the last piece stopped, say how well, and write."""
    parser = run_options(__doc__, every=5, rate=4e-4, checkpoint_mb=22)
    parser.add_argument("examples", type=Path)
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--anew", action="store_true", help="start from nothing, not from the network in the package")
    parser.add_argument("--onnx", type=Path, help="write the network, after the piece")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    training = Training(args)
    with contextlib.suppress(KeyboardInterrupt):
        training.run()
    if args.onnx:
        export(training.average, args.onnx)


if __name__ == "__main__":
    main()
