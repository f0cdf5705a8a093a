"""Do a command of depthapps for many pairs, several at a time: parse, plan, check, run, report."""

from __future__ import annotations

import os
import shlex
from concurrent.futures import Executor
from contextlib import AbstractContextManager, closing
from typing import Any

import typer

from depthapps.apps.batch.executors import dask_cluster, worker_processes
from depthapps.apps.batch.jobs import Job, plan
from depthapps.apps.batch.run import outcomes
from depthapps.apps.batch.shared import refuse_calibration, refuse_missing
from depthapps.apps.batch.task import Task
from depthapps.cli.batch_options import (
    LEFT_OUT,
    BatchInputs,
    BatchOutputs,
    WorkerOptions,
    default_output,
    kind_of,
    with_videos_named,
)
from depthapps.cli.batch_report import TICK_S, BatchReport
from depthapps.cli.flags import explained
from depthapps.cli.groups import HelpfulCommand, with_options
from depthapps.cli.in_process import check_options, command_of, run_command
from depthapps.cli.options import BUILTIN, TalkOptions
from depthapps.cli.terminal import answer
from depthapps.cli.typed import long_flag, typed_options
from depthapps.core.errors import OutputError
from depthapps.io.batch_folder import SHEET, BatchFolder
from depthapps.io.contact_sheet import check_contact_sheet
from depthapps.io.formats import companions
from depthapps.io.outputs import identities, refuse_inputs
from depthapps.runtime.limits import Limits

_EXAMPLES = """The options after --verbose are those of a single one.

\b
depthapps batch {0} --left 'L/*.png' --right 'R/*.png' --out-dir OUT -c calib.txt
depthapps batch {0} --image 'phone/*.jpg' --out-dir OUT --resume
"""


class _BatchCommand(HelpfulCommand):
    """A command that hands the options of the single command on as they were typed, after its parser checked them."""

    own: frozenset[str] = frozenset()  # names of the batch's own parameters

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse, and keep the texts of the options that are not the batch's own."""
        ctx.obj = typed_options(self, ctx, args, self.own)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Call the batch with its own parameters."""
        ctx.params = {name: value for name, value in ctx.params.items() if name in self.own}
        return super().invoke(ctx)


def of_many(name: str) -> Any:
    """The command `batch NAME`: the parameters of `batch`, then those of NAME."""
    single = command_of(name)
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(name, cls=_BatchCommand)(with_options(batch))
    command: Any = typer.main.get_command(app)
    command.own = frozenset(p.name for p in command.params)
    names = command.own | LEFT_OUT
    command.params += [p for p in single.params if p.name not in names]
    command.help = f"Do `depthapps {name}` for many pairs. {_EXAMPLES.format(name)}"
    return command


def batch(
    *, context: typer.Context, inputs: BatchInputs, results: BatchOutputs, workers: WorkerOptions, talk: TalkOptions
) -> None:
    """Do a command for many pairs."""
    name, options = str(context.command.name), dict(context.obj)
    if output := tuple(results.output or filter(None, [default_output(name, options)])):
        options = {"--output": output, **options}
    limits, single = workers.limits, command_of(name)
    known = [(long_flag(p), not p.is_flag) for p in single.params if p.name not in LEFT_OUT]
    flags = {flag.removeprefix("--"): (flag, takes_value) for flag, takes_value in known}
    sources, alone = inputs.sources(flags, results.out_dir)
    if not results.output:
        sources = with_videos_named(sources)
    jobs = plan(kind_of(name, single.params), sources, options, results.out_dir)
    _check(jobs)
    report = BatchReport(name, talk, len(jobs), alone, json_lines=results.json_lines)
    if results.print_jobs:
        for job in jobs:
            answer(os.fsencode(_as_line(job)) + b"\n")  # names that are no text as they are
        raise typer.Exit(bool(alone))
    refuse_missing(jobs, spared={BUILTIN})
    refuse_calibration(jobs)
    folder = BatchFolder(results.out_dir.absolute())
    _check_outputs(folder, jobs, resume=results.resume, overwrite=talk.overwrite)
    again = talk.overwrite and not results.resume
    task = Task(run_command, explained, limits, again=again, overwrite=talk.overwrite)
    with (
        report.until_ended(folder),
        _workers(workers, limits, talk) as executor,
        folder.lock(),
        closing(outcomes(executor, task, jobs, TICK_S)) as ended,
    ):
        for outcome in ended:
            report.take(outcome)
    report.finish(folder)


def _check(jobs: list[Job]) -> None:
    """Check the options of all jobs, each kind once, before any of them runs. Raises DepthappsError."""
    checked = set()
    for job in jobs:
        kind = (len(job.files), tuple(job.settings.items()), tuple(job.reads), tuple(job.writes))
        if kind not in checked:
            check_options(job.command, job.arguments())
            checked.add(kind)


def _check_outputs(folder: BatchFolder, jobs: list[Job], *, resume: bool, overwrite: bool) -> None:
    """Refuse to replace inputs, and files that nobody permitted to replace. Raises OutputError."""
    read = identities(path for job in jobs for path in job.inputs)
    for job in jobs:
        named = [folder.path / name for name in job.outputs]
        refuse_inputs([*named, *(beside for path in named for beside in companions(path))], read)
    if overwrite:
        return
    check_contact_sheet(folder.path / SHEET)
    for job in jobs:
        there = [name for name in job.outputs if (folder.path / name).exists()]
        if there or resume:
            folder.refuse_other_command(job.name, job.command)
        folder.refuse_foreign(job.name, job.outputs)
        if there and not resume:
            raise OutputError(
                f"{folder.path / there[0]} exists already, made by an earlier run of this batch",
                hint="pass --resume to go on, or --overwrite to make all anew",
            )


def _workers(workers: WorkerOptions, limits: Limits, talk: TalkOptions) -> AbstractContextManager[Executor]:
    if workers.dask:
        return dask_cluster(workers.dask)
    return worker_processes(workers.count, limits, show_stderr=talk.verbose)


def _as_line(job: Job) -> str:
    """A job as a line for a shell, which makes the folder of its result first."""
    folders = sorted({str((job.folder / name).parent) for name in job.outputs})
    return f"{shlex.join(['mkdir', '-p', *folders])} && {shlex.join(['depthapps', job.command, *job.arguments()])}"
