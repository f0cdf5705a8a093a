"""Define the options of `depthapps batch`, beside those of the command that it does for many pairs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer

from depthapps.apps.batch.jobs import CommandKind, Options, Source, pairs_of, pictures_of, sources_of
from depthapps.cli.options import TalkOptions
from depthapps.cli.typed import long_flag
from depthapps.core.errors import InputError
from depthapps.io.formats import FILM_SUFFIXES
from depthapps.io.manifest import read_manifest
from depthapps.runtime.limits import Limits, can_limit_memory, count_cores

LEFT_OUT = frozenset(
    {
        "image",
        "right",
        "output",
        "sequence",
        "find_poses",
        "voxel_mm",
        "open_page",
        *(f.name for f in fields(TalkOptions)),
    }
)
"""Parameters of the commands that a batch replaces by its own or has no use for; many views make one model."""

_READS = frozenset({"calibration", "depth", "disparity", "matcher", "depth_network", "lights"})
_WRITES = frozenset(
    {"output", "mask", "shadow_map", "ao", "confidence", "viewer", "turntable", "save_depth", "save_disparity",
     "save_confidence", "save_rectified"}
)  # fmt: skip
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def _bytes(text: str) -> int:
    """Parse an amount of memory such as 4G or 800M."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)I?B?", text.strip().upper())
    if not match or not float(match[1]):
        raise typer.BadParameter(f"{text!r} is no amount of memory such as 4G or 800M")
    return int(float(match[1]) * _UNITS[match[2]])


@dataclass(frozen=True)
class BatchInputs:
    """Options of what a batch is done for; one of `left` with `right`, `image` and `manifest`."""

    left: Annotated[
        str | None, typer.Option(help="the left views: pattern in quotes ('L/*.png'), or folder", metavar="PATTERN")
    ] = None
    right: Annotated[
        str | None,
        typer.Option(help="the right views; paired with the left by what the stars stand for", metavar="PATTERN"),
    ] = None
    image: Annotated[
        str | None,
        typer.Option(
            help="instead of pairs, files that hold both views or a depth: pattern in quotes, or folder",
            metavar="PATTERN",
        ),
    ] = None
    manifest: Annotated[
        Path | None,
        typer.Option(
            help="instead of patterns, a .csv or .jsonl with columns left and right, or image; name; and options of "
            "what is done, such as focus",
            metavar="FILE",
        ),
    ] = None

    def sources(self, flags: dict[str, tuple[str, bool]], folder: Path) -> tuple[list[Source], list[Path]]:
        """The pairs or pictures, and the files without a partner; folder: of the results. Raises InputError."""
        given = [bool(self.left or self.right), bool(self.image), bool(self.manifest)]
        if sum(given) != 1 or bool(self.left) != bool(self.right):
            raise InputError(
                "one of --left with --right, --image and --manifest is wanted",
                hint="depthapps batch depth --left 'L/*.png' --right 'R/*.png' --out-dir OUT",
            )
        if self.manifest:
            return sources_of(read_manifest(self.manifest), flags), []
        if self.image:
            return pictures_of(self.image, folder), []
        assert self.left is not None
        assert self.right is not None
        return pairs_of(self.left, self.right, folder)


@dataclass(frozen=True)
class BatchOutputs:
    """Options of where results go, and of what is printed of them."""

    out_dir: Annotated[Path, typer.Option(help="where the results go, in the tree of the photos", metavar="FOLDER")]
    output: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            "-o",
            help="the name of each result: '{name}_depth.npy', or .jpg: '{name}.jpg' [default: .png .mp4 .glb .html]",
            metavar="NAME",
        ),
    ] = None
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="go on: leave out what was made from the same files and options; replace nothing that you changed",
        ),
    ] = False
    print_jobs: Annotated[
        bool, typer.Option("--print-jobs", help="print one command a job, for other programs to run, and do nothing")
    ] = False
    json_lines: Annotated[
        bool, typer.Option("--json-lines", help="print one JSON object a pair as soon as it is done")
    ] = False


@dataclass(frozen=True)
class WorkerOptions:
    """Options of the processes that do the work."""

    headings: ClassVar = {"workers": "Workers"}

    workers: Annotated[int | None, typer.Option(min=1, help="pairs at a time [default: one a core]", metavar="N")] = (
        None
    )
    worker_threads: Annotated[
        int | None, typer.Option(min=1, help="threads of each [default: cores / workers, or 1 of Dask]", metavar="N")
    ] = None
    worker_memory: Annotated[
        int | None,
        typer.Option(parser=_bytes, help="the most that each may take: a pair that needs more fails", metavar="SIZE"),
    ] = None
    dask: Annotated[
        str | None,
        typer.Option(help="work on the cluster of this Dask scheduler, tcp://HOST:8786", metavar="ADDRESS"),
    ] = None

    @property
    def count(self) -> int:
        """How many processes work here."""
        return self.workers or count_cores()

    @property
    def limits(self) -> Limits:
        """The bounds of each worker. Raises InputError for what the system cannot bound."""
        if self.worker_memory and not can_limit_memory():
            raise InputError("--worker-memory needs Linux", hint="leave it out, and use fewer --workers")
        if self.dask and self.workers:
            raise InputError("the cluster decides how many workers it has", hint="leave --workers out")
        threads = 1 if self.dask else max(1, count_cores() // self.count)
        return Limits(self.worker_threads or threads, self.worker_memory)


def kind_of(name: str, parameters: list[Any]) -> CommandKind:
    """What a batch has to know of a command, from its parser's parameters."""
    flags = {p.name: long_flag(p) for p in parameters if p.opts[0].startswith("-")}
    reads, writes = (frozenset(flags[n] for n in names if n in flags) for names in (_READS, _WRITES))
    return CommandKind(name, reads, writes | {"--output"})


def default_output(name: str, options: Options) -> str:
    """The suffix of results whose name the user did not give; empty if other results were asked for instead."""
    if name == "mesh":
        presets = options.get("--preset", ())
        return ".stl" if {"print", "lithophane"} & set(presets) else "" if "--viewer" in options else ".glb"
    if name == "view":
        return ".html"
    if name == "shadow" and {"--mask", "--shadow-map", "--ao", "--confidence", "--viewer"} & set(options):
        return ""
    if name == "bokeh" and "--viewer" in options:
        return ""
    return ".mp4" if "--sweep" in options else ".png"


def with_videos_named(sources: Sequence[Source]) -> list[Source]:
    """The sources, of which videos make videos, if their own options do not name the result."""
    named = {"--output": (".mp4",)}
    return [
        replace(s, options={**named, **s.options}) if s.files[0].suffix.lower() in FILM_SUFFIXES else s for s in sources
    ]
