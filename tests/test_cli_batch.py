"""`depthapps batch`: what is planned and refused before it runs, what it writes and says, and how it goes on."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer
from test_cli import refuse, run

from depthapps import read_image, write_image
from depthapps.apps.batch.jobs import Job
from depthapps.apps.batch.task import Task, Told
from depthapps.cli.batch import COMMANDS
from depthapps.cli.batch_options import LEFT_OUT, kind_of
from depthapps.cli.batch_report import BatchReport, Stopped
from depthapps.cli.in_process import command_of
from depthapps.cli.options import TalkOptions
from depthapps.cli.typed import long_flag
from depthapps.core.errors import DepthappsError, OutputError
from depthapps.io.batch_folder import BatchFolder, Record
from depthapps.runtime.limits import Limits

BATCH = [sys.executable, "-m", "depthapps", "batch"]


@pytest.fixture
def photos(tmp_path, step_scene) -> Path:
    """A manifest of six photos with their depth, of which the fourth, c/3, is no photo."""
    for k, name in enumerate(["a/0", "a/1", "b/2", "c/3", "c/4 \u00e4", "c/5"]):
        path = tmp_path / "in" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_image(path, np.roll(step_scene.image, k, axis=1))
    np.save(tmp_path / "in" / "depth.npy", step_scene.depth_m)
    (tmp_path / "in" / "c" / "3.png").write_bytes(b"no photo")
    rows = [[str(path), str(tmp_path / "in" / "depth.npy"), "100"] for path in sorted(tmp_path.glob("in/*/*.png"))]
    with (tmp_path / "photos.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["image", "depth", "focal_px"], *rows])
    return tmp_path / "photos.csv"


@pytest.fixture
def views(tmp_path) -> list[str]:
    """The options of two left views and two right ones, of which one each belong together; none can be read."""
    for name in ("L/s 1/0.png", "L/s 1/1.png", "R/s 1/00.png", "R/s 1/2.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"no photo")
    return ["--left", str(tmp_path / "L" / "**" / "*.png"), "--right", str(tmp_path / "R" / "**" / "*.png")]


def results(folder: Path) -> dict[str, bytes]:
    """What a batch wrote besides its records and its page."""
    files = (p for p in folder.rglob("*") if p.is_file() and p.name != "index.html")
    found = {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}
    return {name: data for name, data in found.items() if not name.startswith("depthapps-batch/")}


# ------------------------------------------------------------------------- before anything runs


def test_jobs_are_printed_as_lines_for_a_shell_and_files_without_a_partner_come_first(tmp_path, views):
    done = run("batch", "bokeh", *views, "--out-dir", tmp_path / "o", "--f-number", 2, "--focus", "auto", "-c",
               "{folder}/c.txt", "--print-jobs", code=1)  # fmt: skip
    (line,) = done.stdout.splitlines()
    folder, _, command = line.partition(" && ")
    assert shlex.split(folder) == ["mkdir", "-p", str(tmp_path / "o" / "s 1")]
    assert shlex.split(command) == [
        "depthapps", "bokeh", str(tmp_path / "L/s 1/0.png"), str(tmp_path / "R/s 1/00.png"),
        f"--calibration={tmp_path}/L/s 1/c.txt", "--focus=auto", "--f-number=2",
        f"--output={tmp_path}/o/s 1/0.png",
    ]  # fmt: skip
    assert re.findall(r"^note: (.*) has no partner$", done.stderr, re.MULTILINE) == [
        str(tmp_path / "L/s 1/1.png"), str(tmp_path / "R/s 1/2.png")
    ]  # fmt: skip
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--f-number", "2", "--blur", "3"], "both a lens and a blur"),
        (["--depth", "d.npy"], "the depth was given twice"),
        (["-o", "picture.png"], None),
        (["-o", ".npy"], "which a picture cannot take"),
        (["-o", "../{name}.png"], "is no name for a result"),
        (["-o", "depthapps-batch/x.png"], "is no name for a result"),
        (["--fov", "200"], "a field of view of 200"),
        (["--focal-px", "-3"], "a focal length of -3"),
        (["--baseline", "0"], "a baseline of 0 m"),
        (["--doffs", "nan"], "an offset of infinity of nan px"),
        (["-c", "none.txt"], "the calibration none.txt does not exist"),
        (["--matcher", "none.onnx"], "the matcher none.onnx does not exist"),
        (["-o", "{nix}.png"], "--output {nix}.png has {nix} in it, which stands for nothing"),
        (["--save-depth", "{name}_{}.npy"], "has {} in it, which stands for nothing"),
        (["-c", "{foldr}/c.txt"], "has {foldr} in it, which stands for nothing"),
        (["-o", "index.html"], "would be the result of the contact sheet and of"),
        (["--save-confidence", ".gif"], "confidence or disparity map cannot take"),
        (["--image", "x"], "one of --left with --right, --image and --manifest"),
        (["--manifest", "x"], "one of --left with --right, --image and --manifest"),
    ],
)
def test_options_are_checked_before_anything_runs(tmp_path, views, options, message):
    given = ["batch", "bokeh", *views, "--out-dir", tmp_path / "o", *options]
    if message:
        assert message in refuse(given[0], tmp_path, *given[1:])
    else:
        run(*given, "--print-jobs", code=1)  # one job only: its result needs no {name}
    assert not (tmp_path / "o").exists()


def test_the_parser_of_the_command_is_asked_as_well(tmp_path, views):
    wrong = run("batch", "bokeh", *views, "--out-dir", tmp_path / "o", "--f-number", "two", code=2)
    assert "'--f-number'" in wrong.stderr
    run("batch", "depth", *views, "--out-dir", tmp_path / "o", "--f-number", "2", code=2)
    row = {"image": "a.png", "f-number": "two"}
    (tmp_path / "m.jsonl").write_text(json.dumps(row))
    manifest = ["--manifest", tmp_path / "m.jsonl", "--out-dir", tmp_path / "o"]
    assert "'--f-number'" in refuse("batch", tmp_path, "bokeh", *manifest)
    for entry, message in (
        ({"f_numbers": 2}, "line 1 of m.jsonl has the option 'f-numbers', which the command does not know"),
        ({"squeezed": 2}, "takes no value but yes or no"),
        ({"f-number": True}, "takes a value"),
        ({"overwrite": True}, "which the command does not know"),
    ):
        (tmp_path / "m.jsonl").write_text(json.dumps({"image": "a.png", **entry}))
        assert message in refuse("batch", tmp_path, "bokeh", *manifest)
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--preset", "print", "--size-mm", "0"], "a size of 0 mm"),
        (["--max-error", "100"], "an error of 100 % was allowed"),
    ],
)
def test_the_numbers_of_a_model_are_checked_before_anything_runs(tmp_path, views, options, message):
    assert message in refuse("batch", tmp_path, "mesh", *views, "--out-dir", tmp_path / "o", *options)
    assert not (tmp_path / "o").exists()


def test_a_calibration_that_no_pair_can_use_is_told_once(tmp_path, views, photos):
    (tmp_path / "bad.txt").write_text("no numbers")
    bad = ["-c", tmp_path / "bad.txt", "--out-dir", tmp_path / "o"]
    for given in (views, ["--manifest", photos]):
        assert "bad.txt is no calibration" in refuse("batch", tmp_path, "depth", *given, *bad)
    for k in (0, 1):
        (tmp_path / f"{k}.txt").write_text("fx=100\nfy=100\ncx=50\ncy=40\n" if k else "no numbers")
        write_image(tmp_path / f"{k}.png", np.zeros((40, 40, 3), np.uint8))
    np.save(tmp_path / "z.npy", np.ones((40, 40), np.float32))
    each = ["--image", tmp_path / "*.png", "--depth", tmp_path / "z.npy", "-c", "{folder}/{name}.txt"]
    told = run("batch", "bokeh", *each, "--out-dir", tmp_path / "o", "--workers", 1, code=1).stderr
    assert "1 of 2 done (1 failed)" in told  # each has its own


def test_files_may_have_braces_in_their_names(tmp_path):
    (tmp_path / "{rig}.txt").write_text("focal")
    write_image(tmp_path / "{a}.png", np.zeros((40, 40, 3), np.uint8))
    single = ["--image", tmp_path / "*.png", "-c", tmp_path / "{rig}.txt", "--side-by-side", "--out-dir", tmp_path]
    (line,) = run("batch", "depth", *single, "-o", "{name}_depth.npy", "--print-jobs").stdout.splitlines()
    assert shlex.split(line)[-1] == f"--output={tmp_path}/{{a}}_depth.npy"


def test_two_results_of_one_name_are_refused(tmp_path):
    for name in ("a.png", "a.jpg"):
        (tmp_path / name).write_bytes(b"x")
    arguments = ["depth", "--image", tmp_path / "a.*", "--side-by-side", "--out-dir", tmp_path / "o"]
    assert "would be the result of" in refuse("batch", tmp_path, *arguments)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_path_of_a_command_is_known_as_read_or_written(name):
    """A file that a batch does not know would be written by all pairs, or would not count as an input."""
    parameters = command_of(name).params
    kind = kind_of(name, parameters)
    paths = {long_flag(p) for p in parameters if p.metavar in ("FILE", "PREFIX") and p.name not in LEFT_OUT}
    assert paths <= kind.reads | kind.writes
    assert {"--calibration", "--matcher"} <= kind.reads
    assert {"--output", "--save-rectified"} <= kind.writes
    assert not kind.reads & kind.writes


# ------------------------------------------------------------------------------- what it writes


def test_a_batch_does_what_the_command_does_and_tells_what_failed(tmp_path, photos):
    out = tmp_path / "out"
    done = run("batch", "bokeh", "--manifest", photos, "--out-dir", out, "-o", "{name}_b.png", "--save-depth", ".npy",
               "--f-number", 2, "--json-lines", "--workers", 2, code=1)  # fmt: skip
    lines = {entry["name"]: entry for entry in map(json.loads, done.stdout.splitlines())}
    assert set(lines) == {"a/0", "a/1", "b/2", "c/3", "c/4 \u00e4", "c/5"}
    assert {entry["status"] for name, entry in lines.items() if name != "c/3"} == {"done"}
    assert lines["a/0"]["outputs"] == [str(out / "a" / "0_b.png"), str(out / "a" / "0.npy")]
    assert lines["a/0"]["facts"]["calibration"]["fx_px"] == 100
    assert lines["c/3"]["status"] == "failed"
    assert "is not an image that can be read" in lines["c/3"]["error"]
    table = done.stderr.partition("failed:\n")[2].splitlines()
    assert [line.split()[:2] for line in table] == [["c/3", "error:"], ["hint:", "PNG,"]]
    written = results(out)
    assert set(written) == {f"{n}{s}" for n in lines if n != "c/3" for s in ("_b.png", ".npy")}
    run("bokeh", tmp_path / "in" / "a" / "1.png", "--depth", tmp_path / "in" / "depth.npy", "--focal-px", 100,
        "-o", tmp_path / "single.png", "--f-number", 2)  # fmt: skip
    assert written["a/1_b.png"] == (tmp_path / "single.png").read_bytes()
    page = (out / "index.html").read_text(encoding="utf-8")
    for link in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert (out / re.sub("%20", " ", link).replace("%C3%A4", "\u00e4")).is_file()
    assert read_image(out / "depthapps-batch/thumbnails/a/0.jpg").shape == (90, 120, 3)
    assert not (out / "depthapps-batch" / "work").exists()

    options = ["--manifest", photos, "--out-dir", out, "-o", "{name}_b.png", "--save-depth", ".npy", "--f-number", 2]
    assert "pass --resume to go on" in run("batch", "bokeh", *options, code=1).stderr
    write_image(tmp_path / "in" / "c" / "3.png", np.full((90, 120, 3), 9, np.uint8))
    os.utime(tmp_path / "in" / "a" / "0.png")  # another time, the same content
    write_image(tmp_path / "in" / "a" / "1.png", np.full((90, 120, 3), 7, np.uint8))
    (out / "b" / "2_b.png").unlink()
    again = json.loads(run("batch", "bokeh", *options, "--resume", "--json", "--workers", 1).stdout)
    assert (again["done"], again["there"], again["failed"]) == (3, 3, 0)
    assert {entry["name"] for entry in again["pairs"] if entry["status"] == "done"} == {"a/1", "b/2", "c/3"}
    assert results(out)["b/2_b.png"] == written["b/2_b.png"]


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_batch_does_not_go_on_where_another_command_has_results(tmp_path, step_scene, suffix):
    options, out = many(tmp_path, step_scene, 2), tmp_path / "out"
    run("batch", *options, "--workers", 1)
    before = results(out)
    assert before
    options[0] = "shadow"
    at = options.index("--blur")
    options[at : at + 2] = ["-o", suffix]
    told = refuse("batch", tmp_path, *options, "--resume")
    assert "holds results of depthapps bokeh, and not of depthapps shadow" in told
    assert results(out) == before
    assert run("batch", *options, "--overwrite", "--workers", 1).exit_code == 0


@pytest.mark.parametrize("way", ["folder", "link", "second name", "companion"])
def test_a_result_never_replaces_a_photo(tmp_path, step_scene, way):
    options, out = many(tmp_path, step_scene, 2), tmp_path / "p"
    before = results(out)
    if way == "link":
        out = tmp_path / "linked"
        out.symlink_to(tmp_path / "p")
    elif way == "second name":
        out = tmp_path / "other"
        out.mkdir()
        os.link(tmp_path / "p" / "00.png", out / "01.png")
    options[-2:-1] = [str(out), "--overwrite"]
    if way == "companion":  # 00.obj has its texture in 00.png
        at = options.index("--blur")
        options[at : at + 2], options[0] = ["-o", ".obj"], "mesh"
    assert "is an input" in run("batch", *options, code=1).stderr
    assert results(tmp_path / "p") == before


def test_what_a_batch_has_made_is_no_input_of_it(tmp_path, step_scene):
    options = many(tmp_path, step_scene, 2)
    options[options.index("--image") + 1] = str(tmp_path / "p" / "**" / "*")
    options[-2:-1] = [str(tmp_path / "p" / "out"), "-o", "{name}.jpg", "--workers", "1"]
    run("batch", *options)
    again = run("batch", *options, "--resume")
    assert [json.loads(line)["status"] for line in again.stdout.splitlines()] == ["there", "there"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes")
def test_pipes_among_the_records_are_no_records(tmp_path):
    folder = BatchFolder(tmp_path)
    folder.record_path("a").parent.mkdir(parents=True)
    os.mkfifo(folder.record_path("a"))
    assert folder.read_record("a") is None
    os.mkfifo(tmp_path / "depthapps-batch" / "lock")
    with pytest.raises(OutputError, match="is no file"), folder.lock():
        pass
    os.mkfifo(tmp_path / "a.npy")
    record = Record("s", outputs={"a.npy": "0"})
    folder.record_path("b").write_text(json.dumps(vars(record)))
    assert folder.find("b", "s") is None


def test_a_signal_before_anything_began_has_its_word(tmp_path, capsys):
    report = BatchReport("depth", TalkOptions(), 3, [], json_lines=False)
    with pytest.raises(typer.Exit) as ended, report.until_ended(BatchFolder(tmp_path / "not there")):
        raise Stopped(signal.SIGTERM)
    assert ended.value.exit_code == 128 + signal.SIGTERM
    assert "SIGTERM ended the batch: 0 of 3 done" in capsys.readouterr().err


# ----------------------------------------------------------------------------- how it is ended


def many(tmp_path: Path, step_scene, count: int = 12) -> list[str]:
    """The options of photos with depth, whose work takes a moment each."""
    np.save(tmp_path / "d.npy", step_scene.depth_m)
    for k in range(count):
        (tmp_path / "p").mkdir(exist_ok=True)
        write_image(tmp_path / "p" / f"{k:02}.png", np.roll(step_scene.image, k, axis=1))
    return ["bokeh", "--image", str(tmp_path / "p" / "*.png"), "--depth", str(tmp_path / "d.npy"), "--quality", "fast",
            "--focal-px", "100", "--blur", "9", "--out-dir", str(tmp_path / "out"), "--json-lines"]  # fmt: skip


def begun(options: list[str], *more: str) -> subprocess.Popen[str]:
    """A batch with one worker that has done its first two photos."""
    batch = subprocess.Popen(
        [*BATCH, *options, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    )
    assert batch.stdout is not None
    for _ in range(2):
        assert json.loads(batch.stdout.readline())["status"] == "done"
    return batch


def times(folder: Path) -> dict[str, int]:
    return {p.name: p.stat().st_mtime_ns for p in folder.glob("*.png")}


@pytest.mark.skipif(os.name != "posix", reason="this system has no signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda n: n.name)
def test_a_batch_that_was_ended_goes_on(tmp_path, step_scene, number):
    options, out = many(tmp_path, step_scene), tmp_path / "out"
    batch = begun(options, "--workers", "1")
    batch.send_signal(number)
    _, words = batch.communicate()
    done = times(out)
    assert 2 <= len(done) < 12
    if number == signal.SIGKILL:
        assert batch.returncode == -signal.SIGKILL
    else:
        assert batch.returncode == 128 + number
        assert words.splitlines() == [
            f"error: {number.name} ended the batch: {len(done)} of 12 done",
            "hint: the same command with --resume goes on",
        ]
        assert not (out / "depthapps-batch" / "work").exists()
    entries = [json.loads(line) for line in run("batch", *options, "--resume").stdout.splitlines()]
    assert sum(entry["status"] == "there" for entry in entries) == len(done)
    assert len(times(out)) == 12
    assert done.items() <= times(out).items()
    assert not (out / "depthapps-batch" / "work").exists()


def _children(pid: int) -> list[int]:
    return [int(c) for t in Path(f"/proc/{pid}/task").glob("*/children") for c in t.read_text().split()]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are looked up in /proc")
def test_the_pair_of_a_worker_that_was_killed_is_tried_again(tmp_path, step_scene):
    batch = begun(many(tmp_path, step_scene, 5), "--workers", "1")
    (worker,) = _children(batch.pid)
    os.kill(worker, signal.SIGKILL)
    output, words = batch.communicate()
    assert batch.returncode == 0, words
    entries = [json.loads(line) for line in output.splitlines()]
    assert [entry["attempts"] for entry in entries if entry["attempts"] > 1] in ([2], [])
    assert len(times(tmp_path / "out")) == 5


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is bounded on Linux only")
def test_a_pair_that_needs_too_much_memory_fails_alone(tmp_path, step_scene):
    options = many(tmp_path, step_scene, 1)
    write_image(tmp_path / "p" / "large.png", np.zeros((3000, 4000, 3), np.uint8))
    np.save(tmp_path / "p" / "large.npy", np.ones((60, 80), np.float32))
    rows = [{"image": str(tmp_path / "p" / "00.png")}, {"image": str(tmp_path / "p" / "large.png")}]
    (tmp_path / "m.jsonl").write_text("\n".join(map(json.dumps, rows)))
    at = options.index("--image")
    options[at : at + 2] = ["--manifest", str(tmp_path / "m.jsonl")]
    done = run("batch", *options, "--worker-memory", "600M", "--workers", 1, code=1)
    by_name = {entry["name"]: entry for entry in map(json.loads, done.stdout.splitlines())}
    assert by_name["00"]["status"] == "done"
    assert by_name["large"]["status"] == "failed"
    assert re.search("not enough memory|worker was", by_name["large"]["error"])
    words = run("batch", *options, "--worker-memory", "1M", "--workers", 1, "--overwrite", code=1).stderr
    assert "error: there is not enough memory\n" in words


# ------------------------------------------------------------------------------------- the task


def _task(told: Told | None = None, *, beside: Path | None = None) -> Task:
    """A task whose command writes one file, and may read another one."""

    told = told or Told({"a": 1})

    def fake(command: str, arguments: list[str]) -> Told:
        from depthapps.io.inputs import check_input

        if beside is not None:
            check_input(beside, "file")
        if not told.error:
            Path(arguments[-1].partition("=")[2]).write_text("result")
        return told

    def explain(error: DepthappsError) -> tuple[str, str]:
        return error.message, error.hint

    return Task(fake, explain, Limits(1))


def _job(tmp_path: Path, **options: str) -> Job:
    (tmp_path / "i.png").write_bytes(b"content")
    settings = {f"--{name}": (value,) for name, value in options.items()}
    return Job("depth", "n", (tmp_path / "i.png",), {}, settings, {"--output": ("n.npy",)}, tmp_path / "o")


def test_a_task_is_done_once_for_the_same_content_and_options(tmp_path):
    beside = tmp_path / "beside.txt"
    beside.write_text("1")
    job, task = _job(tmp_path), _task(beside=beside)
    assert [task(job).status for _ in range(2)] == ["done", "there"]
    assert task(_job(tmp_path, fov="60")).status == "done"
    assert task(job).status == "done"
    beside.write_text("2")
    assert [task(job).status for _ in range(2)] == ["done", "there"]
    job.files[0].write_bytes(b"other")
    assert [task(job).status for _ in range(2)] == ["done", "there"]
    assert (tmp_path / "o" / "n.npy").read_text() == "result"


def test_a_task_replaces_no_result_that_somebody_changed(tmp_path):
    job, task, result = _job(tmp_path), _task(), tmp_path / "o" / "n.npy"
    task(job)
    result.write_text("retouched")

    def never(command: str, arguments: list[str]) -> Told:
        raise AssertionError("it is told before the work is done")

    assert "was changed since this batch made it" in replace(task, run=never)(job).told.error
    assert result.read_text() == "retouched"
    assert replace(task, overwrite=True)(job).status == "done"
    assert result.read_text() == "result"


def test_what_python_says_without_memory_is_told_as_that(monkeypatch):
    from depthapps.cli import in_process

    def no_thread(name: str, arguments: list[str]) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(in_process, "_run", no_thread)
    assert in_process.run_command("depth", []).error == "there is not enough memory"


def test_an_error_names_a_result_by_its_place(tmp_path):
    def fails(command: str, arguments: list[str]) -> Told:
        return Told(error=f"no space for {arguments[-1].partition('=')[2]}", hint="h")

    outcome = replace(_task(), run=fails)(_job(tmp_path))
    assert outcome.told.error == f"no space for {tmp_path / 'o' / 'n.npy'}"


def test_a_task_that_fails_leaves_nothing(tmp_path):
    job = _job(tmp_path)
    outcome = _task(Told(error="e", hint="h"))(job)
    assert (outcome.status, outcome.told.error, outcome.outputs) == ("failed", "e", ())
    job.files[0].unlink()
    assert "does not exist" in _task()(job).told.error
    assert not [p for p in (tmp_path / "o").rglob("*") if p.is_file()]


# ---------------------------------------------------------------------------------- the cluster


def test_without_a_scheduler(tmp_path, step_scene):
    options = many(tmp_path, step_scene, 1)
    message = refuse("batch", tmp_path, *options, "--dask", "tcp://127.0.0.1:9")
    assert "no Dask scheduler answers" in message or "cluster" in message
    assert "the cluster decides how many workers" in refuse(
        "batch", tmp_path, *options, "--dask", "tcp://h:1", "--workers", "2"
    )


@pytest.mark.skipif(os.name != "posix", reason="this system has no signals")
def test_a_cluster_loses_no_pair_with_a_worker(tmp_path, step_scene):
    pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    options, out = many(tmp_path, step_scene), tmp_path / "out"
    address_file = tmp_path / "scheduler.json"
    common = ["--no-dashboard", "--scheduler-file", str(address_file)]
    python = [sys.executable, "-m"]
    scheduler = [*python, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", *common]
    started = [subprocess.Popen(scheduler, stderr=subprocess.DEVNULL)]
    try:
        while not address_file.exists():
            time.sleep(0.1)
        for _ in range(2):
            worker = [*python, "distributed.cli.dask_worker", "--nthreads", "1", "--no-nanny", *common]
            worker += ["--local-directory", str(tmp_path / "dask")]
            started.append(subprocess.Popen(worker, stderr=subprocess.DEVNULL))
        batch = begun(options, "--dask", json.loads(address_file.read_text())["address"])
        done = times(out)
        started[1].kill()
        # communicate() would miss a line that readline() has taken into its buffer together with the one before
        assert batch.stdout is not None
        assert batch.stderr is not None
        with batch:
            output, words = batch.stdout.read(), batch.stderr.read()
    finally:
        for process in started[::-1]:
            process.kill()
            process.wait()
    assert batch.returncode == 0, words
    assert {json.loads(line)["status"] for line in output.splitlines()} <= {"done", "there"}
    assert len(output.splitlines()) == 10
    assert len(times(out)) == 12
    assert done.items() <= times(out).items()
    run("batch", *options, "--resume", "--workers", 1)
    assert done.items() <= times(out).items()
