"""What a training run leaves behind, so that it can go on: checkpoints that are whole or not there, and a log."""

from __future__ import annotations

import argparse
import csv
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch  # pyright: ignore[reportMissingImports]
from coarse_net import CoarseNet

FIRST_BLOCK = 512  # of seeds that share a bank of textures, to learn from; scenes of earlier ones are looked at


@dataclass
class Progress:
    """What a run has behind it."""

    step: int = 0
    samples: int = 0
    minutes: float = 0.0
    block: int = FIRST_BLOCK  # the first whose seeds nothing was learned from


def run_options(description: str | None, every: float, rate: float, checkpoint_mb: int) -> argparse.ArgumentParser:
    """The options that every training run has: where it is kept, how long this piece of it takes, how fast it learns.

    every: default minutes between checkpoints. rate: default learning rate. checkpoint_mb: size of a checkpoint.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--every", type=float, default=every, help="minutes between checkpoints")
    parser.add_argument("--rate", type=float, default=rate, help="learning rate")
    parser.add_argument("--cool", action="store_true", help="let the rate fall to 0 over this piece")
    parser.add_argument("--keep", type=int, default=2, help=f"checkpoints; each takes {checkpoint_mb} MB")
    return parser


def _moments(optimizer: Any) -> list[Any]:
    return [{k: v.bfloat16() if k != "step" else v for k, v in s.items()} for s in optimizer.state.values()]


def save(out: Path, net: CoarseNet, average: CoarseNet, optimizer: Any, progress: Progress, keep: int) -> None:
    """Write a checkpoint, whole or not at all, and remove all but the newest `keep`."""
    part, whole = out / "part", out / f"step-{progress.step:08d}"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    torch.save({"weights": net.state_dict(), "progress": asdict(progress)}, part / "weights.pt")
    torch.save(average.state_dict(), part / "average.pt")
    torch.save(_moments(optimizer), part / "moments.pt")
    shutil.rmtree(whole, ignore_errors=True)
    part.rename(whole)
    for old in sorted(out.glob("step-*"))[:-keep]:
        shutil.rmtree(old)


def resume(out: Path, net: CoarseNet, average: CoarseNet, optimizer: Any, device: torch.device) -> Progress:
    """Go on from the newest checkpoint, if there is one."""
    found = sorted(out.glob("step-*"))
    if not found:
        average.load_state_dict(net.state_dict())
        return Progress()
    state = torch.load(found[-1] / "weights.pt", map_location=device)
    net.load_state_dict(state["weights"])
    average.load_state_dict(torch.load(found[-1] / "average.pt", map_location=device))
    moments = torch.load(found[-1] / "moments.pt", map_location="cpu")
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for parameter, moment in zip(parameters, moments, strict=True):
        # the count of steps stays on the CPU, where the optimizer wants it
        state_of = {k: v if k == "step" else v.float().to(device) for k, v in moment.items()}
        optimizer.state[parameter] = state_of
    return Progress(**state["progress"])


def write_row(path: Path, row: dict[str, Any]) -> None:
    """Append a row to the log; a new kind of row begins a new log beside it."""
    header = ",".join(row)
    if path.exists() and path.open().readline().strip() != header:
        path.rename(path.with_name(f"log-{int(time.time())}.csv"))
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        if new:
            writer.writeheader()
        writer.writerow(row)
    print(" ".join(f"{k}={v}" for k, v in row.items()), flush=True)
