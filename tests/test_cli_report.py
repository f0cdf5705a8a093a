"""What commands say while they run."""

from __future__ import annotations

import numba as nb
import pytest

from depthapps.cli.options import RunOptions
from depthapps.cli.report import Report


def test_compiling_is_told_once_and_only_when_it_happens(capsys):
    double = nb.njit(lambda x: 2 * x)
    report = Report("bokeh", RunOptions())
    with report.compiling():
        assert double(2) == 4
        assert double(2.5) == 5
    assert capsys.readouterr().err.count("compiling") == 1
    with report.compiling():
        double(3)
    assert "compiling" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("terminal", "quiet", "shown"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_progress_is_shown_on_a_terminal_only(capsys, monkeypatch, terminal, quiet, shown):
    monkeypatch.setenv("FORCE_COLOR" if terminal else "NO_COLOR", "1")
    assert list(Report("bokeh", RunOptions(quiet=quiet)).progress(iter("abc"), 3, "frames")) == ["a", "b", "c"]
    captured = capsys.readouterr()
    assert captured.out == ""
    assert ("frames" in captured.err) == shown
