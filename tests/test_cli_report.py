"""What commands say while they run."""

from __future__ import annotations

import pytest

from depthapps.cli.options import RunOptions
from depthapps.cli.report import Report


@pytest.mark.parametrize(
    ("terminal", "quiet", "shown"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_progress_is_shown_on_a_terminal_only(capsys, monkeypatch, terminal, quiet, shown):
    monkeypatch.setenv("FORCE_COLOR" if terminal else "NO_COLOR", "1")
    assert list(Report("bokeh", RunOptions(quiet=quiet)).progress(iter("abc"), 3, "frames")) == ["a", "b", "c"]
    captured = capsys.readouterr()
    assert captured.out == ""
    assert ("frames" in captured.err) == shown
