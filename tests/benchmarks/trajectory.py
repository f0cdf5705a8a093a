"""How well the poses of an RGB-D sequence are found: python tests/benchmarks/trajectory.py FOLDER

FOLDER is a sequence with poses, in any layout that depthapps reads. They are put aside, found anew from the views, and
compared: the absolute trajectory error is what is left between the positions after the best rigid alignment.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from depthapps.io.depth import read_depth
from depthapps.io.images import read_image
from depthapps.io.sequences import read_sequence
from depthapps.mesh.register import estimate_poses
from depthapps.scene import Scene


def main() -> None:
    """Print the error of the trajectory of the folder that is named."""
    sequence = read_sequence(Path(sys.argv[1]))

    def scenes():
        for view in sequence.views:
            assert view.depth is not None
            depth = read_depth(view.depth, sequence.depth_scale or 1000)
            camera = sequence.camera(depth.shape[1], depth.shape[0])
            assert camera is not None
            yield Scene(read_image(view.image), depth, camera)

    start = time.perf_counter()
    found = estimate_poses(scenes())
    seconds = time.perf_counter() - start
    both = [
        (p, v.pose) for p, v in zip(found.poses, sequence.views, strict=True) if p is not None and v.pose is not None
    ]
    estimate, truth = (np.array([p[:3, 3] for p in column]) for column in zip(*both, strict=True))
    a, b = estimate - estimate.mean(axis=0), truth - truth.mean(axis=0)
    u, _, vt = np.linalg.svd(a.T @ b)
    turn = u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt
    error = np.linalg.norm(a @ turn - b, axis=1)
    path = np.linalg.norm(np.diff(truth, axis=0), axis=1).sum()
    print(
        f"{len(both)} of {len(sequence.views)} views placed, {found.closures} loop closures, drift "
        f"{100 * found.drift_m:.1f} cm; absolute trajectory error {100 * np.sqrt(np.mean(error**2)):.1f} cm rms, "
        f"{100 * error.max():.1f} cm at most, over a path of {path:.1f} m; {seconds:.0f} s"
    )


if __name__ == "__main__":
    main()
