"""How parsers bear files that atheris damages: it keeps the damage that reaches new lines of our code, and goes on.

    python tests/benchmarks/hostile_guided.py [--seconds 60] [--only PART_OF_A_NAME]

`hostile.py` damages at random; this finds what lies behind several conditions. It begins with the same valid files, and
does each kind in a process of its own. Prints how many files each was given and how many lines and branches they
reached. A file that raises another exception than an error of depthapps, takes more than 10 s or more than 2 GB ends
its kind; it is printed and kept in the current folder. Needs `pip install atheris`, which has wheels for Linux.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

SLOW_S, MEMORY_MB, LARGEST = 10, 2048, 20_000
ROOMS = ("depthapps.io", "depthapps.core", "depthapps.apps.files", "depthapps.cli.lights")
_PROGRESS = re.compile(r"#(\d+)\s+\w+\s+cov: (\d+) ft: (\d+)")


def fuzz_one(name: str, seconds: int) -> None:
    """Fuzz the reader of one kind of file in this process, which libFuzzer ends."""
    import atheris  # pyright: ignore[reportMissingImports]

    with atheris.instrument_imports([*ROOMS], enable_loader_override=False):  # pyright: ignore[reportAttributeAccessIssue]
        for room in ROOMS:
            importlib.import_module(room)
        import hostile_files

        from depthapps import DepthappsError

        seed = hostile_files.seeds()[name]
        with tempfile.TemporaryDirectory() as folder:  # the first read loads, and instruments, what it needs
            path = Path(folder) / f"valid{seed.suffix}"
            path.write_bytes(seed.data)
            hostile_files.read(seed.reader, path)

    number = 0
    with tempfile.TemporaryDirectory() as folder:
        corpus, work = Path(folder) / "corpus", Path(folder) / "work"
        corpus.mkdir()
        work.mkdir()
        (corpus / "valid").write_bytes(seed.data)

        def read(data: bytes) -> None:
            nonlocal number
            number += 1
            path = work / f"x{number}{seed.suffix}"
            path.write_bytes(data)
            try:
                hostile_files.read(seed.reader, path)
            except DepthappsError as error:
                if "\n" in error.message or not error.hint:
                    raise AssertionError(f"not one line: {error.message!r}") from error
            finally:
                path.unlink()

        limits = [f"-max_total_time={seconds}", f"-timeout={SLOW_S}", f"-rss_limit_mb={MEMORY_MB}"]
        atheris.Setup([sys.argv[0], str(corpus), *limits, f"-max_len={LARGEST}"], read)
        atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="for each kind")
    parser.add_argument("--only", default="", help="only seed files with this text in their name")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        fuzz_one(args.one, args.seconds)
        return
    if importlib.util.find_spec("atheris") is None:
        sys.exit("atheris is not installed: pip install atheris")
    import hostile_files

    bad = 0
    for name in sorted(hostile_files.seeds()):
        if args.only in name:
            command = [sys.executable, __file__, "--one", name, "--seconds", str(args.seconds)]
            done = subprocess.run(command, capture_output=True, text=True, errors="replace")
            reached = (_PROGRESS.findall(done.stderr) or [("0", "0", "0")])[-1]
            print(f"{name:28} {reached[0]:>8} files {reached[1]:>6} lines {reached[2]:>6} branches", flush=True)
            if done.returncode:
                bad += 1
                print(done.stderr[-3000:], flush=True)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
