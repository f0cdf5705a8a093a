"""What a terminal shows while a command works."""

from __future__ import annotations

import io
import subprocess
import sys
from contextlib import redirect_stderr
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from depthapps import write_image
from depthapps.apps.journal import Stage
from depthapps.cli import app as command_line
from depthapps.cli import terminal
from depthapps.cli.options import TalkOptions
from depthapps.cli.report import Report


class Screen(io.StringIO):
    """A terminal of which every character is kept."""

    def isatty(self) -> bool:
        return True

    def shown(self) -> list[str]:
        """The lines that are left when all has been erased that was."""
        return [line.rpartition("\r\x1b[K")[2] for line in self.getvalue().split("\n")]


@pytest.fixture
def photo_with_depth(tmp_path) -> list[object]:
    """The arguments of a photo with its depth."""
    write_image(tmp_path / "a.png", np.zeros((32, 32, 3), np.uint8))
    np.save(tmp_path / "a.npy", np.full((32, 32), 2, np.float32))
    return [tmp_path / "a.png", "--depth", tmp_path / "a.npy", "--focal-px", 40]


def watched(monkeypatch) -> Screen:
    """The screen on which a test writes; made by the test itself, as pytest exchanges the streams before each."""
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(typer, "echo", lambda text, nl=True, **_: screen.write(text + "\n" * nl))
    return screen


def test_what_is_waited_for_is_shown_below_the_lines_and_goes(monkeypatch):
    screen = watched(monkeypatch)
    terminal.wait_for("matching")
    assert screen.shown() == ["matching ..."]
    terminal.tell("note: rows lie lower")
    assert screen.shown() == ["note: rows lie lower", "matching ..."]
    terminal.wait_for("rendering")
    assert screen.shown()[-1] == "rendering ..."
    terminal.done_waiting()
    assert screen.shown() == ["note: rows lie lower", ""]


def test_an_error_ends_the_waiting(monkeypatch, tmp_path):
    screen = watched(monkeypatch)
    write_image(tmp_path / "a.png", np.zeros((32, 32, 3), np.uint8))
    with pytest.raises(SystemExit):
        command_line.app(["depth", *[str(tmp_path / "a.png")] * 2, "-o", str(tmp_path / "c.png")])
    assert "reading ..." in screen.getvalue()
    assert [line.partition(":")[0] for line in screen.shown()] == ["error", "hint", ""]


def test_nothing_is_waited_for_in_a_pipe_and_where_quiet_is_asked_for(monkeypatch, tmp_path):
    for name, level in (("a", 0), ("b", 9)):
        write_image(tmp_path / f"{name}.png", np.full((32, 32, 3), level, np.uint8))
    arguments = ["depth", str(tmp_path / "a.png"), str(tmp_path / "b.png"), "-o", str(tmp_path / "c.png")]
    result = CliRunner().invoke(command_line.app, arguments)
    assert result.exit_code == 1
    assert "..." not in result.stderr
    assert "\x1b" not in result.stderr
    screen = watched(monkeypatch)
    with pytest.raises(SystemExit):
        command_line.app([*arguments, "--quiet"])
    assert "..." not in screen.getvalue()
    with pytest.raises(SystemExit):
        command_line.app(arguments)
    assert "matching ..." in screen.getvalue()


def test_what_is_waited_for_goes_from_the_screen_where_it_stands(monkeypatch):
    screen = watched(monkeypatch)
    terminal.wait_for("frames")
    collected = io.StringIO()
    with redirect_stderr(collected):
        terminal.done_waiting()
    assert screen.shown() == [""]
    assert not collected.getvalue()


def test_a_stage_that_ends_is_not_waited_for(monkeypatch):
    screen = watched(monkeypatch)
    report = Report("depth", TalkOptions())
    with report.stage("writing"):
        assert screen.shown() == ["writing ..."]
    assert screen.shown() == [""]
    for stage in (Stage("reading", 0, 1, 0.0), Stage("reading", 1, 1, 0.1), Stage("tracing", 0, 0, 0.0)):
        report.follow(stage)
    assert screen.shown() == [""]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("command", [["depth", "--json"], ["batch", "depth", "--print-jobs"]], ids=str)
def test_an_answer_that_cannot_be_written_names_the_standard_output(tmp_path, photo_with_depth, command):
    given = photo_with_depth if command[0] == "depth" else ["--image", photo_with_depth[0], "--out-dir", tmp_path]
    where = ["-o", tmp_path / "out.pfm"] if command[0] == "depth" else []
    arguments = [sys.executable, "-m", "depthapps", *command, *given, *where]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(list(map(str, arguments)), stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert "error: there is no space left for the standard output\nhint: free some space" in done.stderr
