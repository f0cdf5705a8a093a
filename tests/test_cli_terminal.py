"""What a terminal shows while a command works."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from depthapps import write_image
from depthapps.cli import app as command_line
from depthapps.cli import terminal


class Screen(io.StringIO):
    """A terminal of which every character is kept."""

    def isatty(self) -> bool:
        return True

    def shown(self) -> list[str]:
        """The lines that are left when all has been erased that was."""
        return [line.rpartition("\r\x1b[K")[2] for line in self.getvalue().split("\n")]


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
    assert "matching ..." in screen.getvalue()
    assert [line.partition(":")[0] for line in screen.shown()] == ["note", "error", "hint", ""]


def test_nothing_is_waited_for_in_a_pipe(tmp_path):
    result = CliRunner().invoke(command_line.app, ["depth", str(tmp_path / "no.png"), "b.png", "-o", "c.png"])
    assert "..." not in result.stderr
    assert "\x1b" not in result.stderr
