"""How readers bear damaged files: valid ones of every format are damaged at random, and read in worker processes.

    python tests/benchmarks/hostile.py [--files 20000] [--seed 0] [--only PART_OF_A_NAME] [--keep FOLDER] [--workers 2]

Each file is read as a command would read it. A reader may take it or refuse it with an error of depthapps. Columns:

    read, refused  how many were taken, and refused
    bug            another exception, which a command would show as a traceback
    words          a library printed something
    slow           took more than 10 s of processor time, or more than a minute; the worker is killed
    memory         the process wanted more than 1 GB beside what it had before
    signal         the worker died

A file is made anew from its number and the seed alone. `--keep` writes those in the last five columns to a folder.
"""

from __future__ import annotations

import argparse
import collections
import os
import resource
import select
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
import hostile_files

from depthapps import DepthappsError

SLOW_S, LOST_S = 10, 60
MEMORY = 1 << 30
KINDS = ("read", "refused", "bug", "words", "slow", "memory", "signal")
GOOD = ("read", "refused")


def case(names: list[str], files: dict[str, hostile_files.Seed], seed: int, number: int) -> tuple[str, bytes]:
    """The name of the seed file and the damaged content of a case."""
    name = names[number % len(names)]
    return name, hostile_files.mutated(files[name], np.random.default_rng([seed, number]))


def try_one(reader: str, path: Path, spoken: int) -> tuple[str, str]:
    """Read a file in this process: the column it belongs to, and what there is to tell."""
    os.ftruncate(spoken, 0)
    os.lseek(spoken, 0, os.SEEK_SET)
    started, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found, told = "read", ""
    try:
        hostile_files.read(reader, path)
    except DepthappsError as error:
        found, told = "refused", error.message
        if "\n" in error.message or not error.hint:
            found, told = "bug", f"not one line: {error.message!r}"
    except MemoryError:
        found, told = "memory", traceback.format_exc(limit=-4)
    except BaseException:
        found, told = "bug", traceback.format_exc(limit=-6)
    if found in GOOD:
        if os.fstat(spoken).st_size:
            return "words", os.pread(spoken, 300, 0).decode(errors="replace")
        if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before > MEMORY / 1024:
            return "memory", "the process grew"
        if time.process_time() - started > SLOW_S:
            return "slow", f"{time.process_time() - started:.0f} s"
    return found, told


def work(numbers: list[int], args: argparse.Namespace, pipe: int) -> None:
    """The worker: tells the number of each case before it is tried, and how it ended behind it."""
    files = _seeds(args.only)
    names = sorted(files)
    spoken = os.open(tempfile.mkstemp()[1], os.O_RDWR)
    os.dup2(spoken, 1)
    os.dup2(spoken, 2)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 3 * MEMORY, resource.RLIM_INFINITY))
    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            os.write(pipe, f"{number}\0start\0\0\0".encode())
            name, data = case(names, files, args.seed, number)
            path = Path(folder) / f"x{number}{files[name].suffix}"
            path.write_bytes(data)
            found, told = try_one(files[name].reader, path, spoken)
            path.unlink()
            os.write(pipe, f"{number}\0{found}\0{told[:1500]}\0\0".encode(errors="replace"))


def _seeds(only: str) -> dict[str, hostile_files.Seed]:
    return {name: seed for name, seed in hostile_files.seeds().items() if only in name}


class Worker:
    """A forked process that tries cases, and what it has told so far."""

    def __init__(self, numbers: list[int], args: argparse.Namespace) -> None:
        self.left = list(numbers)
        self.reading, writing = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.reading)
            try:
                work(numbers, args, writing)
            finally:
                os._exit(0)
        os.close(writing)
        self.text, self.since = b"", time.monotonic()

    def results(self) -> list[tuple[int, str, str]] | None:
        """What has come since the last call; None at the end."""
        data = os.read(self.reading, 1 << 16)
        self.text += data
        if not data:
            return None
        *whole, self.text = self.text.split(b"\0\0")
        found = []
        for entry in whole:
            number, kind, told, *_ = (*entry.decode(errors="replace").strip("\0").split("\0"), "", "")
            self.since = time.monotonic()
            if kind != "start":
                self.left.remove(int(number))
                found.append((int(number), kind, told))
        return found


def run(args: argparse.Namespace) -> int:
    """Try all cases, restart workers that die, print the table, and return how many cases were bad."""
    files = _seeds(args.only)
    names = sorted(files)
    counts: dict[str, collections.Counter[str]] = {name: collections.Counter() for name in names}
    examples: dict[str, tuple[int, str]] = {}

    def note(number: int, kind: str, told: str) -> None:
        name = names[number % len(names)]
        counts[name][kind] += 1
        if kind not in GOOD:
            examples.setdefault(f"{kind}: {told.strip().splitlines()[-1] if told else name}"[:200], (number, told))
            if args.keep:
                args.keep.mkdir(parents=True, exist_ok=True)
                (args.keep / f"{kind}-{number}{files[name].suffix}").write_bytes(
                    case(names, files, args.seed, number)[1]
                )

    workers = [Worker(list(range(k, args.files, args.workers)), args) for k in range(args.workers)]
    while workers:
        select.select([w.reading for w in workers], [], [], 1)
        for worker in list(workers):
            ready = select.select([worker.reading], [], [], 0)[0]
            found = worker.results() if ready else []
            for result in found or []:
                note(*result)
            lost = time.monotonic() - worker.since > LOST_S
            if found is None or lost:
                if lost:
                    os.kill(worker.pid, signal.SIGKILL)
                status = os.waitpid(worker.pid, 0)[1]
                os.close(worker.reading)
                workers.remove(worker)
                if worker.left:
                    number = worker.left.pop(0)
                    note(number, "slow" if lost else "signal", f"status {status} of {names[number % len(names)]}")
                    workers.append(Worker(worker.left, args))
    print(f"{'':28}" + "".join(f"{kind:>9}" for kind in KINDS))
    for name in names:
        print(f"{name:28}" + "".join(f"{counts[name][kind]:9}" for kind in KINDS))
    total = sum(counts.values(), collections.Counter())
    print(f"{'all':28}" + "".join(f"{total[kind]:9}" for kind in KINDS))
    for what, (number, told) in examples.items():
        print(f"\n{number} ({names[number % len(names)]}) {what}\n{told}")
    return sum(total[kind] for kind in KINDS if kind not in GOOD)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="only seed files with this text in their name")
    parser.add_argument("--keep", type=Path, help="folder for the bad files")
    parser.add_argument("--workers", type=int, default=2)
    sys.exit(1 if run(parser.parse_args()) else 0)


if __name__ == "__main__":
    main()
