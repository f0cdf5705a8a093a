"""What commands say while they run."""

from __future__ import annotations

import subprocess
import sys

import pytest

from depthapps.apps.journal import Journal
from depthapps.cli.options import RunOptions
from depthapps.cli.report import Report
from depthapps.core.errors import param


@pytest.mark.parametrize(
    ("terminal", "quiet", "shown"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_progress_is_shown_on_a_terminal_only(capsys, monkeypatch, terminal, quiet, shown):
    monkeypatch.setenv("FORCE_COLOR" if terminal else "NO_COLOR", "1")
    journal = Journal(Report("bokeh", RunOptions(quiet=quiet)).follow)
    assert list(journal.steps(iter("abc"), 3, "frames")) == ["a", "b", "c"]
    captured = capsys.readouterr()
    assert captured.out == ""
    assert ("frames" in captured.err) == shown


def test_notes_name_flags_on_the_command_line_and_parameters_in_python(capsys):
    journal = Journal(Report("bokeh", RunOptions()).follow)
    journal.note(f"assuming a field of view of 60° ({param('fov_deg')}), {param('rectify', 'never')}")
    assert capsys.readouterr().err == "note: assuming a field of view of 60° (--fov), --rectify never\n"
    assert str(journal.notes[0]) == "assuming a field of view of 60° (fov_deg), rectify='never'"


def test_a_librarys_warning_does_not_reach_the_terminal(tmp_path):
    program = (
        "import sys, warnings, typer, depthapps.cli.app as cli\n"
        "@cli.app.command()\n"
        "def loud():\n    warnings.warn('divide by zero', RuntimeWarning); typer.echo('done', err=True)\n"
        "sys.argv = ['depthapps', 'loud']; cli.main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == "done\n"
