"""Train the fusion network on what examples.py made, and write it as depthapps/engine/fusion.onnx.

    pip install '.[training]'
    python samples/training/examples.py --count 1200 --output examples
    python samples/training/train.py examples --minutes 60 --output fusion.onnx

It runs on a CPU; bfloat16 and channels-last make it five times as fast as plain float32. A file .pt beside the output
keeps the weights, from which --resume goes on.

The weights in the package come from 45 minutes on 1064 examples, in which the scores were taught by the expected
penalty of the choice, 14 more with the loss as it is now, and 80 beside other work (3900 steps) on some 1100 examples
of the engine as it then was: the first 1064 scenes and 629 with less clutter, less those whose half-size guess was off
by more than 2 px in over 40 %. Since then the engine has matched exposure by colours and with lower penalties, which
they have not seen. Clues and candidates that came later began with weights of zero or of their likes.
Training anew gives a network alike, not the same one.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from examples import Example
from model import CANDIDATES, CLUES, Deployed, FusionNet, choices, loss, winner
from torch.utils.data import DataLoader, IterableDataset  # pyright: ignore[reportMissingImports]

BATCH = 2
WARM_UP = 200  # steps
HELD_OUT = 16  # examples that are looked at but not learned from
_FULL = (CLUES - 2) // 4  # clues at full size, which stand as 2x2 blocks before the two coarse ones
_UP, _DOWN = CANDIDATES - 2, CANDIDATES - 1  # the candidates from above and from below
_FIRST_NEARER = _FULL - CANDIDATES  # where the clues of what the right view has before a candidate begin
_FIRST_OTHER = _FIRST_NEARER - 2 * (CANDIDATES - 1)  # where the pairs of clues of the other candidates begin


def upside_down(example: Example) -> Example:
    """The example turned over, which leaves rows rows; what came from above comes from below."""
    full, coarse = example.clues[: 4 * _FULL], example.clues[4 * _FULL :, ::-1]
    blocks = full.reshape(_FULL, 2, 2, *full.shape[1:])[:, ::-1, :, ::-1]
    order = np.arange(_FULL)
    up, down = (_FIRST_OTHER + 2 * (k - 1) for k in (_UP, _DOWN))
    order[[up, up + 1, down, down + 1]] = [down, down + 1, up, up + 1]
    order[[_FIRST_NEARER + _UP, _FIRST_NEARER + _DOWN]] = [_FIRST_NEARER + _DOWN, _FIRST_NEARER + _UP]
    clues = np.concatenate([blocks[order].reshape(full.shape), coarse])
    others = [*range(_UP), _DOWN, _UP]
    return Example(clues, example.candidates[others, ::-1].copy(), example.truth[::-1].copy())


class Examples(IterableDataset):
    """Examples without end, in random order, some turned over, in other colours."""

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths

    def __iter__(self) -> Iterator[Any]:
        rng = np.random.default_rng()
        while True:
            for k in rng.permutation(len(self.paths)):
                example = Example.load(self.paths[k])
                example = upside_down(example) if rng.random() < 0.5 else example
                clues = example.clues
                color = clues[:12] * rng.uniform(0.8, 1.2) + rng.uniform(-0.1, 0.1)
                clues[:12] = color.reshape(3, 4, *clues.shape[1:])[rng.permutation(3)].reshape(color.shape)
                yield clues, example.candidates, example.truth[None]


def validate(net: FusionNet, paths: list[Path]) -> str:
    """Bad pixels in percent and mean error in px over examples, of the best guess and of what the network says."""
    rows = []
    with torch.no_grad():
        for path in paths:
            example = Example.load(path)
            clues, candidates = (torch.from_numpy(v)[None] for v in (example.clues, example.candidates))
            correction, heads = net(clues)
            _, disparities, scores, _ = choices(correction, heads, candidates)
            for disparity in (candidates[0, 0], winner(disparities, scores)[0, 0]):
                error = np.abs(disparity.numpy() - example.truth)
                rows.append([*(100 * np.mean(error > t) for t in (0.5, 1, 2)), np.nanmean(error)])
    before, after = np.mean(rows[::2], axis=0).round(2), np.mean(rows[1::2], axis=0).round(2)
    return f"bad0.5, bad1, bad2, mean error: {before} -> {after}"


def wrong_share(path: Path) -> float:
    """Percentage of the pixels at which the best guess of an example is off by more than 2 px."""
    example = Example.load(path)
    return 100 * float(np.nanmean(np.abs(example.candidates[0] - example.truth) > 2))


def train(net: FusionNet, paths: list[Path], minutes: float, rate: float, checkpoint: Path) -> None:
    """Minimise the loss for so long, with a rate that falls like a cosine; keep the weights every 2000 steps."""
    net.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    optimizer = torch.optim.AdamW(net.parameters(), rate, weight_decay=1e-4, betas=(0.9, 0.98))
    start, losses = time.monotonic(), []
    for step, batch in enumerate(DataLoader(Examples(paths[HELD_OUT:]), BATCH, num_workers=1, prefetch_factor=4)):
        done = (time.monotonic() - start) / 60 / minutes
        if done >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1, (step + 1) / WARM_UP) * (0.5 + 0.5 * math.cos(math.pi * done)) + 1e-6
        clues, candidates, truth = batch
        with torch.autocast("cpu", torch.bfloat16):
            correction, heads = net(clues.to(memory_format=torch.channels_last))
        value = loss(correction.float(), heads.float(), candidates, truth)
        optimizer.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        losses.append(value.item())
        if step % 250 == 249:
            print(f"step {step + 1}, {done:.0%}: loss {np.mean(losses):.4f}", flush=True)
            losses.clear()
        if step % 2000 == 1999:
            print(validate(net, paths[:HELD_OUT]), flush=True)
            torch.save(net.state_dict(), checkpoint)


def export(net: FusionNet, path: Path) -> None:
    """Write the network as ONNX for pictures of any size."""
    sizes = {name: {2: "h", 3: "w"} for name in ("clues", "candidates", "disparity", "confidence")}
    shapes = (torch.zeros(1, CLUES, 64, 96), torch.zeros(4, CANDIDATES, 64, 96))
    net.to(memory_format=torch.contiguous_format)  # pyright: ignore[reportCallIssue]
    torch.onnx.export(
        Deployed(net),
        shapes,
        path,
        input_names=["clues", "candidates"],
        output_names=["disparity", "confidence"],
        dynamic_axes=sizes,
        opset_version=17,
        dynamo=False,
    )


def main() -> None:
    """Train, say how well, and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("examples", type=Path)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--output", type=Path, default=Path("fusion.onnx"))
    parser.add_argument("--rate", type=float, default=1.5e-3, help="learning rate at the start")
    parser.add_argument(
        "--hardest", type=float, default=100, help="leave out examples with more wrong guesses than this, %%"
    )
    parser.add_argument("--resume", type=Path, help="weights to start from")
    args = parser.parse_args()
    paths = sorted(p for p in args.examples.glob("*.npz") if not p.stem.endswith(".part"))
    if args.hardest < 100:
        paths = [path for path in paths if wrong_share(path) <= args.hardest]
    torch.manual_seed(0)
    net = FusionNet()
    if args.resume:
        net.load_state_dict(torch.load(args.resume))
    checkpoint = args.output.with_suffix(".pt")
    train(net, paths, args.minutes, args.rate, checkpoint)
    print(validate(net, paths[:HELD_OUT]))
    torch.save(net.state_dict(), checkpoint)
    export(net.eval(), args.output)


if __name__ == "__main__":
    main()
