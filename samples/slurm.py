"""Do a batch on a cluster with Slurm: workers are Slurm jobs, which dask-jobqueue submits.

    pip install 'depthapps[cluster]' dask-jobqueue
    python samples/slurm.py --jobs 20 -- depth --left 'L/*.png' --right 'R/*.png' --out-dir OUT

Run it on the login node, or in a small Slurm job of its own; photos and results lie in folders that all nodes see. What
stands behind "--" is what stands behind `depthapps batch`. If the time of all jobs is over before the batch is done, or
anything else ends it, the same line with --resume goes on.
"""

from __future__ import annotations

import argparse
import subprocess
import sys


def main() -> int:
    """Submit the workers, do the batch, end the workers; the exit status is that of the batch."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=10, help="Slurm jobs, each of which is one worker")
    parser.add_argument("--cores", type=int, default=1, help="of each worker")
    parser.add_argument("--memory", default="8GB", help="of each worker; a pair of 12 megapixels takes 3.3 GB")
    parser.add_argument("--time", default="02:00:00", help="after which Slurm ends a job")
    parser.add_argument("--partition", help="the partition to submit to")
    parser.add_argument("batch", nargs="+", help="the arguments of depthapps batch")
    given = parser.parse_args()
    try:
        from dask_jobqueue import SLURMCluster  # pyright: ignore[reportMissingImports]
    except ImportError:
        parser.error("dask-jobqueue is not installed: pip install 'depthapps[cluster]' dask-jobqueue")
    cluster = SLURMCluster(
        cores=1,  # of Dask's own threads: a worker does one pair at a time
        processes=1,
        job_cpu=given.cores,
        memory=given.memory,
        walltime=given.time,
        queue=given.partition,
    )
    with cluster:
        cluster.scale(jobs=given.jobs)
        command = [sys.executable, "-m", "depthapps", "batch", *given.batch]
        threads = ["--worker-threads", str(given.cores)]
        return subprocess.run([*command, "--dask", cluster.scheduler_address, *threads], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
