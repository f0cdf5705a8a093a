"""Whether outputs are whole or absent whenever a command is killed, and the next run clears what is left.

    python tests/benchmarks/kills.py [--kills 50] [--seed 0]

`depthapps mesh` writes a model in three formats and its page over older ones, and is killed by SIGKILL at a random
moment of its run. Then every file is compared with what an undisturbed run writes. Prints how many runs were killed,
ended before, left incomplete or missing files, and left hidden files; and what was hidden after one more run.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

NAMES = ("m.glb", "m.ply", "m.obj", "m.mtl", "m.png", "p.html")


def command(folder: Path) -> list[str]:
    models = [part for name in NAMES[:3] for part in ("-o", str(folder / name))]
    inputs = [str(folder / "photo.png"), "--depth", str(folder / "depth.npy"), "--fov", "60"]
    return [sys.executable, "-m", "depthapps", "mesh", *inputs, *models, "--viewer", str(folder / "p.html"), "-q",
            "--overwrite"]  # fmt: skip


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in NAMES if (folder / name).is_file()}


def hidden(folder: Path) -> int:
    return sum(path.name.startswith(".") for path in folder.iterdir())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        picture = np.random.default_rng(0).integers(0, 255, (400, 500, 3)).astype(np.uint8)
        cv2.imwrite(str(folder / "photo.png"), picture)
        np.save(folder / "depth.npy", np.linspace(1, 3, 200_000, dtype=np.float32).reshape(400, 500))
        subprocess.run(command(folder), check=True)  # compiles
        started = time.monotonic()
        subprocess.run(command(folder), check=True)
        seconds, whole = time.monotonic() - started, contents(folder)
        killed = done = broken = left = 0
        for k in range(args.kills):
            if k % 2:  # half of the runs write new files, half replace old ones
                for path in whole:
                    (folder / path).unlink(missing_ok=True)
            before = set(contents(folder))
            process = subprocess.Popen(command(folder))
            time.sleep(rng.uniform(0.5, 1.05) * seconds)
            killed += process.poll() is None
            done += process.poll() is not None
            process.kill()
            process.wait()
            found = contents(folder)
            broken += any(data != whole[name] for name, data in found.items()) or not before <= set(found)
            left += hidden(folder) > 0
        subprocess.run(command(folder), check=True)
        print(f"{killed} killed, {done} ended before; {broken} with incomplete or lost files, {left} with hidden files")
        print(f"after one more run: {hidden(folder)} hidden, {len(contents(folder))} of {len(whole)} files")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
