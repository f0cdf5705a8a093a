"""Train the coarse network on layered scenes that are made on the way, in pieces of any length.

    python samples/training/train_coarse.py --out DIR --minutes 9

The same command goes on where the last one stopped, on a CPU or on a GPU: everything is in DIR. It needs torch, numba,
opencv-python and numpy; --real FOLDER, which is looked at and never learned from, needs depthapps as well.

    DIR/step-NNNNNNNN/    weights.pt, average.pt, moments.pt: each below 16 MiB; the newest are kept
    DIR/log.csv           a row each time the network is looked at

The rate stays as it is, so a run may go on for ever; what is looked at and used is the mean of the last weights, and
--cool lets the rate fall to nothing over a last piece, which gives what a schedule would.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from bank import SCENES_A_BANK
from checkpoints import resume, run_options, save, write_row
from coarse_loss import bad_shares, cell_truth, loss, nearest_error, read
from coarse_net import CELL, DESIGNS, CoarseNet, Design, masks
from layered_pairs import HEIGHT, WIDTH, layered_pair
from spoiling import spoil
from torch.utils.data import DataLoader, IterableDataset, get_worker_info  # pyright: ignore[reportMissingImports]

Tensor = Any

LOOKED_AT = 32  # rendered scenes
WARM_UP = 50  # steps
AVERAGED = 0.999  # what the mean of the weights keeps at a step
POOL = 32  # batches that are kept to be shown again


class Pairs(IterableDataset):
    """Pairs without end, from a block of seeds on; each worker has blocks of its own, for a bank takes a second."""

    def __init__(self, block: int) -> None:
        self.block = block

    def __iter__(self) -> Iterator[dict[str, Any]]:
        cv2.setNumThreads(1)
        info = get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        for turn in itertools.count():
            first = (self.block + turn * workers + worker) * SCENES_A_BANK
            for seed in range(first, first + SCENES_A_BANK):
                yield {**asdict(layered_pair(seed)), "seed": seed}


@dataclass(frozen=True)
class Batch:
    """Photos, masks, truth (B, CELL², h, w) in cells, shares (B, 1, h, w) of a cell that are occluded or thin."""

    left: Tensor
    right: Tensor
    known: Tensor
    room: Tensor
    truth: Tensor
    occluded: Tensor
    thin: Tensor
    guess: Tensor | None


def prepare(raw: dict[str, Tensor], design: Design, device: torch.device, dice: int = 0, *, turn: bool = True) -> Batch:
    """Spoil rendered pairs on the device, by chance; `turn`: show half of them upside down, which leaves rows rows."""
    raw = {name: value.to(device, non_blocking=True) for name, value in raw.items()}
    linear = [raw[name].permute(0, 3, 1, 2).float() for name in ("left", "right")]
    left, right = spoil(linear[0], linear[1], dice)
    maps = [raw[name][:, None].float() for name in ("disparity_px", "occluded", "thin")]
    if turn:
        over = ((raw["seed"] // 4 + dice) % 2 == 0).reshape(-1, 1, 1, 1)
        left, right, *maps = (torch.where(over, v.flip(2), v) for v in (left, right, *maps))
    known, room = masks(raw["first_column"], HEIGHT, WIDTH)
    guess = None
    if design.guess:
        from matcher_guess import guess_volume

        guess = guess_volume(left, right)
    occluded, thin = (torch.nn.functional.avg_pool2d(value, CELL) for value in maps[1:])
    return Batch(left, right, known, room, cell_truth(maps[0]), occluded, thin, guess)


def answer(net: CoarseNet, batch: Batch, device: torch.device) -> Any:
    """The network's output for a batch, in bfloat16 where it pays."""
    last = torch.channels_last
    left, right = (v.to(memory_format=last) for v in (batch.left, batch.right))
    with torch.autocast(device.type, torch.bfloat16):
        return net(left, right, batch.known, batch.room, batch.guess)


def plain_cells(left: Tensor) -> Tensor:
    """Where a photo (B, 3, H, W) has no texture to speak of: (B, 1, h, w), a deviation below 2 grey levels in 9 px."""
    grey = left.mean(1, keepdim=True)

    def mean(v: Tensor) -> Tensor:
        return torch.nn.functional.avg_pool2d(v, 9, 1, 4)

    deviation = (mean(grey * grey) - mean(grey) ** 2).clamp(min=0).sqrt()
    return torch.nn.functional.max_pool2d(deviation, CELL) < 2 / 255


@torch.no_grad()
def look(net: CoarseNet, raws: list[dict[str, Tensor]], design: Design, device: torch.device) -> dict[str, float]:
    """Mean error in px, and how much is off by more than 1 and 2 px of the resized views, over rendered scenes."""
    net.eval()
    counts: dict[str, Any] = {}
    for raw in raws:
        batch = prepare(raw, design, device, turn=False)
        disparity = read(answer(net, batch, device)).disparity
        hidden = batch.occluded > 0.5
        parts = {"all": torch.ones_like(hidden), "plain": plain_cells(batch.left) & ~hidden, "occluded": hidden}
        parts["thin"] = (batch.thin > 0) & ~hidden
        for threshold in (1, 2):
            for name, found in bad_shares(disparity, batch.truth, parts, threshold / CELL).items():
                key = f"bad{threshold}_{name}"
                counts[key] = np.add(counts.get(key, (0.0, 0.0)), found)
        error = CELL * nearest_error(disparity, batch.truth).abs()
        counts["error_px"] = np.add(counts.get("error_px", (0.0, 0.0)), (float(error.sum()) / 100, error.numel()))
    net.train()
    return {name: round(float(100 * bad / max(count, 1)), 3) for name, (bad, count) in counts.items()}


class Training:
    """One piece of a run."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args, self.out = args, args.out
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.backends.cudnn.benchmark = True
        self.batch = args.batch or (64 if self.device.type == "cuda" else 4)
        self.design = DESIGNS[args.design]
        torch.manual_seed(0)
        last = torch.channels_last
        self.net, self.average = (
            CoarseNet(self.design).to(self.device, memory_format=last)  # pyright: ignore[reportCallIssue]
            for _ in range(2)
        )
        self.optimizer = torch.optim.AdamW(self.net.parameters(), args.rate, weight_decay=1e-4, betas=(0.9, 0.98))
        self.progress = resume(self.out, self.net, self.average, self.optimizer, self.device)
        self.before = self.progress.minutes
        self.start = time.monotonic()
        self.parts: list[dict[str, float]] = []
        loader = DataLoader(Pairs(0), 8, num_workers=0)
        self.raws = [raw for raw, _ in zip(loader, range(LOOKED_AT // 8), strict=False)]

    def minutes(self) -> float:
        """Of this piece."""
        return (time.monotonic() - self.start) / 60

    def learn(self, raw: dict[str, Tensor]) -> None:
        """One step."""
        rate = self.args.rate * min(1, (self.progress.step + 1) / WARM_UP)
        if self.args.cool:
            rate *= max(0.0, 1 - self.minutes() / self.args.minutes)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        batch = prepare(raw, self.design, self.device, self.progress.step + 1)
        out, auxiliary = answer(self.net, batch, self.device)
        value, parts = loss(out, auxiliary, batch.truth, batch.occluded)
        self.optimizer.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()
        keep = min(AVERAGED, (self.progress.step + 1) / (self.progress.step + 10))
        with torch.no_grad():
            pairs = zip(self.average.parameters(), self.net.parameters(), strict=True)
            for mean, weight in pairs:
                mean.lerp_(weight, 1 - keep)
        self.progress.step += 1
        self.progress.samples += len(raw["seed"])
        self.progress.minutes = self.before + self.minutes()
        self.parts.append({"loss": float(value.detach()), **parts})

    def report(self) -> None:
        """Look at the network and keep it."""
        names = self.parts[0] if self.parts else []
        means = {name: round(float(np.mean([p[name] for p in self.parts])), 4) for name in names}
        self.parts.clear()
        save(self.out, self.net, self.average, self.optimizer, self.progress, self.args.keep)
        row: dict[str, Any] = {"time": time.strftime("%Y-%m-%d %H:%M:%S"), "device": self.device.type}
        row |= {"design": self.args.design, "batch": self.batch, "rate": self.args.rate, "cool": self.args.cool}
        done = self.progress
        row |= {"step": done.step, "samples": done.samples, "minutes": round(done.minutes, 1)}
        row |= means | look(self.average, self.raws, self.design, self.device)
        write_row(self.out / "log.csv", row)

    def run(self) -> None:
        """Learn until the minutes are over."""
        gpu = self.device.type == "cuda"
        workers = self.args.workers or (os.cpu_count() or 1 if gpu else 1)
        first, seen, pool = self.progress.block, 0, []
        loader = DataLoader(Pairs(first), self.batch, num_workers=workers, pin_memory=gpu)
        rng = np.random.default_rng(self.progress.step)
        reported = time.monotonic()
        looked = 0.0
        for raw in loader:
            seen += len(raw["seed"])
            self.progress.block = first + workers * (1 + seen // (workers * SCENES_A_BANK))
            self.learn(raw)
            pool = [*pool[1 - POOL :], raw] if self.args.reuse > 1 else []
            for _ in range(self.args.reuse - 1):
                self.learn(pool[rng.integers(len(pool))])
            if self.minutes() + looked >= self.args.minutes or self.progress.samples >= self.args.samples:
                break
            if time.monotonic() - reported > 60 * self.args.every:
                self.report()
                looked = (time.monotonic() - reported) / 60 - self.args.every  # the last look takes as long
                reported = time.monotonic()
        self.report()


def main() -> None:
    """Train for so long, from where the last piece stopped."""
    parser = run_options(__doc__, every=4, rate=6e-4, checkpoint_mb=43)
    parser.add_argument("--samples", type=float, default=float("inf"), help="stop after so many in all")
    parser.add_argument("--design", choices=DESIGNS, default="plain")
    parser.add_argument("--batch", type=int, help="default 4 on a CPU, 64 on a GPU")
    parser.add_argument("--workers", type=int, help="processes that render; default 1 beside a CPU, all cores to a GPU")
    parser.add_argument("--reuse", type=int, default=1, help="how often a pair is shown, spoiled anew; a GPU can do 4")
    parser.add_argument("--real", type=Path, help="folder of real pairs with truth, looked at after the piece")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    training = Training(args)
    with contextlib.suppress(KeyboardInterrupt):
        training.run()
    if args.real:
        from real_pairs import look_at_real

        look_at_real(training.average, args.real, args.out, training.progress.step)


if __name__ == "__main__":
    main()
