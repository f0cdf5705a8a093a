"""Outputs are checked first and appear whole or not at all."""

from __future__ import annotations

import os
import stat

import pytest

from depthapps.core.errors import InputError, OutputError
from depthapps.io.outputs import Outputs, check_input, check_suffix


def test_parts_appear_together(tmp_path):
    first, second = tmp_path / "a.txt", tmp_path / "b.txt"
    with Outputs([first, second]) as outputs:
        outputs.part(first).write_text("1")
        outputs.part(second).write_text("2")
        assert not first.exists()
        assert outputs.part(first).suffix == ".txt"
    assert first.read_text() == "1"
    assert outputs.written == [first, second]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.txt", "b.txt"]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(first.stat().st_mode) == 0o666 & ~umask


def test_a_failure_leaves_nothing_behind_and_the_old_file_as_it_was(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    outputs = Outputs([path], overwrite=True)
    try:
        with outputs:
            outputs.part(path).write_text("half")
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert outputs.written == []


def test_what_cannot_be_written_is_refused_before_the_work(tmp_path):
    (tmp_path / "there.txt").write_text("")
    for path, message in [
        (tmp_path / "there.txt", "exists already"),
        (tmp_path / "no" / "a.txt", "does not exist"),
        (tmp_path, "is a folder"),
    ]:
        with pytest.raises(OutputError, match=message) as error:
            Outputs([path])
        assert error.value.hint
    with pytest.raises(OutputError, match="named twice"):
        Outputs([tmp_path / "a.txt", tmp_path / "a.txt"])
    assert Outputs([tmp_path / "there.txt"], overwrite=True)


def test_suffixes_are_checked(tmp_path):
    check_suffix(tmp_path / "A.PNG", (".png",), "a picture")
    with pytest.raises(OutputError, match=r"'\.gif'") as error:
        check_suffix(tmp_path / "a.gif", (".png", ".jpg"), "a picture")
    assert ".png .jpg" in error.value.hint
    with pytest.raises(OutputError, match="no suffix"):
        check_suffix(tmp_path / "a", (".png",), "a picture")


def test_inputs_are_checked(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        check_input(tmp_path / "a.png", "image")
    with pytest.raises(InputError, match="is not a file"):
        check_input(tmp_path, "image")
