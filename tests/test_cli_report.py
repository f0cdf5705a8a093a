"""What commands say while they run."""

from __future__ import annotations

import numba as nb

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
