"""Batches: what a pair costs beside its work, how much faster two workers are than one, and what kills leave behind.

    python tests/benchmarks/batch.py [--pairs 20] [--kill-pairs 40] [--kills 20] [--seed 0]

Pairs are made up: boxes before a wall, 640x480 for times and 240x180 for kills. Prints the seconds of a batch with one
worker of one thread, two of one and one of two; how long a batch takes for each pair beside the pair's own work, on
photos whose depth is given and whose work is small; and then kills batches with SIGKILL at random moments, every other
time one of their workers before, resumes them, and compares what they wrote with an undisturbed batch.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np

from depthapps import write_image

CALIBRATION = ("--focal-px", "300", "--baseline", "0.1")


def make_pairs(folder: Path, count: int, width: int, height: int) -> list[str]:
    """Write pairs of boxes before a wall; the options that name them."""
    rng = np.random.default_rng(0)
    for k in range(count):
        wall, box = (
            cv2.GaussianBlur(rng.random((height, width + 64, 3)).astype(np.float32), (0, 0), 1.5) for _ in range(2)
        )
        wall, box = ((255 * (v - v.min()) / (v.max() - v.min())).astype(np.uint8) for v in (wall, box))
        top, left = height // 4, width // 3
        for view, shift in (("left", 0), ("right", 1)):
            image = np.ascontiguousarray(wall[:, 8 * shift : 8 * shift + width])
            at = left - 24 * shift
            image[top : 3 * top, at : at + width // 3] = box[top : 3 * top, left : left + width // 3]
            path = folder / view / f"{k:04}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_image(path, image)
    return ["--left", str(folder / "left" / "*.png"), "--right", str(folder / "right" / "*.png"), *CALIBRATION]


def make_photos(folder: Path, count: int) -> list[str]:
    """Write photos with a depth each, and a manifest of them; the options that name them."""
    rng = np.random.default_rng(1)
    rows = []
    folder.mkdir()
    for k in range(count):
        image, depth = folder / f"{k:04}.png", folder / f"{k:04}.npy"
        write_image(image, rng.integers(0, 256, (90, 120, 3), dtype=np.uint8))
        np.save(depth, np.linspace(1, 3, 90 * 120, dtype=np.float32).reshape(90, 120))
        rows.append(json.dumps({"image": str(image), "depth": str(depth)}))
    (folder / "photos.jsonl").write_text("\n".join(rows))
    return ["--manifest", str(folder / "photos.jsonl"), *CALIBRATION]


def start(command: str, options: list[str], out: Path) -> subprocess.Popen[str]:
    """Start a batch that prints an object a pair."""
    arguments = [sys.executable, "-m", "depthapps", "batch", command, *options, "--out-dir", str(out), "--json-lines"]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def timed(command: str, options: list[str], out: Path) -> tuple[float, list[tuple[float, dict]]]:
    """Seconds of a whole batch, and each pair's object with the time at which it came."""
    begin = time.perf_counter()
    batch = start(command, options, out)
    assert batch.stdout is not None
    came = [(time.perf_counter() - begin, json.loads(line)) for line in batch.stdout]
    if batch.wait():
        raise SystemExit(f"a batch ended with status {batch.returncode}: {came}")
    return time.perf_counter() - begin, came


def cpu_seconds() -> float:
    """Processor time of the batches that ended and of their workers; a busy machine does not change it much."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def speed_up(work: Path, pairs: int) -> None:
    """Print how long batches of one and of two workers take."""
    options = make_pairs(work / "pairs", pairs, 640, 480)
    print(f"{pairs} pairs of 640x480, depth at balanced, from start to end of the process")
    seconds = {}
    for workers, threads in ((1, 1), (1, 2), (2, 1)):
        bounds = ["--workers", str(workers), "--worker-threads", str(threads)]
        before = cpu_seconds()
        seconds[workers, threads], _ = timed("depth", [*options, *bounds], work / f"speed{workers}{threads}")
        gain = seconds[1, 1] / seconds[workers, threads]
        print(
            f"  {workers} workers of {threads} threads: {seconds[workers, threads]:.1f} s, {gain:.2f} times as fast,",
            end="",
        )
        print(f" {cpu_seconds() - before:.1f} s of processor time", flush=True)


def overhead(work: Path, pairs: int) -> None:
    """Print what a pair costs beside the command's own work, once the worker is warm."""
    options = make_photos(work / "photos", pairs)
    _, came = timed("depth", [*options, "-o", ".pfm", "--workers", "1"], work / "overhead")
    warm = came[len(came) // 4 :]
    each = np.diff([at for at, _ in warm])
    own = np.array([entry["facts"]["seconds"]["total"] for _, entry in warm[1:]])
    print(f"{pairs} photos with depth: {1e3 * np.median(each):.0f} ms a photo from one to the next, of which")
    print(f"  {1e3 * np.median(own):.0f} ms are the command's own, {1e3 * np.median(each - own):.0f} ms the batch's")


def children(pid: int) -> list[int]:
    """The processes that a process has started (Linux)."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def state(folder: Path) -> dict[str, tuple[str, int]]:
    """The content and the inode of each result: a result that was made again has another inode."""
    return {
        path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_ino) for path in folder.glob("*.pfm")
    }


def kills(work: Path, pairs: int, count: int, seed: int) -> None:
    """Kill batches, resume them, and print what was lost, done twice, or differs."""
    options = [*make_pairs(work / "killed", pairs, 240, 180), "--quality", "fast", "-o", ".pfm"]
    whole_s, came = timed("depth", options, work / "whole")
    start_s, pair_s = came[0][0], (whole_s - came[0][0]) / pairs
    whole, seen, rng = state(work / "whole"), {}, random.Random(seed)
    tally = dict.fromkeys(("made twice", "lost", "other bytes"), 0)
    for kill in range(count + 1):
        batch = start("depth", [*options, "--resume"], work / "resumed")
        if kill < count:
            share = (pairs - len(seen)) // (count + 1 - kill)  # so that the last kills find pairs that are not done
            new, moment_s = rng.randint(0, 2 * share), rng.uniform(0, 2 * pair_s)
            if kill % 4 == 0:  # while it starts
                new, moment_s = 0, rng.uniform(0, start_s)
            assert batch.stdout is not None
            done = (line for line in batch.stdout if '"done"' in line)
            if kill % 2:
                list(itertools.islice(done, new // 2))
                time.sleep(moment_s)
                for worker in children(batch.pid)[:1]:
                    with suppress(ProcessLookupError):
                        os.kill(worker, signal.SIGKILL)
            list(itertools.islice(done, new - new // 2 if kill % 2 else new))
            time.sleep(moment_s)
            batch.kill()
        batch.communicate()
        now = state(work / "resumed")
        tally["lost"] += len(seen.keys() - now.keys())
        tally["made twice"] += sum(now[name][1] != inode for name, (_, inode) in seen.items() if name in now)
        seen = now
        print(f"  kill {kill + 1}: {len(now)} of {pairs} there", flush=True)
    tally["lost"] += len(whole.keys() - seen.keys())
    tally["other bytes"] = sum(whole[name][0] != digest for name, (digest, _) in seen.items())
    left = list((work / "resumed").rglob("work/*"))
    print(f"{pairs} pairs, {count} kills: " + ", ".join(f"{n} {what}" for what, n in tally.items()), end="")
    print(f", {len(left)} files left over")


def main() -> None:
    """Measure all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=20, help="for the times; 0 leaves them out")
    parser.add_argument("--kill-pairs", type=int, default=40)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if given.pairs:
            overhead(Path(folder), 10 * given.pairs)
            speed_up(Path(folder), given.pairs)
        if given.kills:
            kills(Path(folder), given.kill_pairs, given.kills, given.seed)


if __name__ == "__main__":
    main()
