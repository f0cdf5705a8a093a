"""Refuse files that all jobs of a batch share and none can use: told once, before the first one fails for it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from depthapps.apps.batch.jobs import Job
from depthapps.core.errors import DepthappsError
from depthapps.io.inputs import check_input


def refuse_missing(jobs: Sequence[Job], spared: Collection[str]) -> None:
    """Refuse a file that all jobs name in the same option and that cannot be opened; spared: words that are no files.

    Raises InputError.
    """
    for flag, values in jobs[0].reads.items():
        if all(job.reads.get(flag) == values for job in jobs):
            for value in values:
                if value not in spared:
                    check_input(Path(value), flag.lstrip("-").replace("-", " "))


def refuse_calibration(jobs: Sequence[Job]) -> None:
    """Refuse a calibration that all jobs name and none can read. Raises DepthappsError.

    The names of two photos may choose among its cameras, so one job that can read it is enough.
    """
    files, cameras = told = _of_cameras(jobs[0])
    if not files or any(_of_cameras(job) != told for job in jobs):
        return
    from depthapps.io.calibration.read import read_calibration

    names = cameras[0].split(",") if cameras else ()
    refusal: DepthappsError | None = None
    for job in jobs:
        try:
            read_calibration(*files, cameras=names, photos=[path.stem for path in job.files[:2] if len(job.files) > 1])
        except DepthappsError as error:
            refusal = refusal or error
        else:
            return
    if refusal is not None:
        raise refusal


def _of_cameras(job: Job) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The calibration's files, and which of its cameras are meant."""
    given = {flag.lstrip("-"): values for flag, values in {**job.reads, **job.settings}.items()}
    return given.get("calibration", ()), given.get("cameras", ())
