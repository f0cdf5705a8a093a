"""Photos are found by patterns and paired by what stands in place of the stars."""

from __future__ import annotations

import glob

import pytest

from depthapps import InputError
from depthapps.io.shots import find_shots, pair_shots


@pytest.fixture
def folder(tmp_path):
    for name in ("left1.png", "left02.png", "right01.png", "right2.png", "right3.png"):
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def test_numbers_are_the_same_with_and_without_zeros(folder):
    pairs, alone = pair_shots(find_shots(str(folder / "left*.png")), find_shots(folder / "right*.png"))
    assert [(one.name, two.name) for one, two in pairs] == [("left02.png", "right2.png"), ("left1.png", "right01.png")]
    assert [path.name for path in alone] == ["right3.png"]


def test_brackets_stand_for_a_letter(folder):
    assert set(find_shots(folder / "right[23].png")) == {"2", "3"}


def test_patterns_that_match_in_another_case_still_pair(folder, monkeypatch):
    found = sorted(map(str, folder.glob("left*.png")))
    monkeypatch.setattr(glob, "glob", lambda _, **options: found)  # as on Windows
    assert set(find_shots(str(folder / "LEFT*.PNG"))) == {"1", "2"}


def test_hidden_files_are_no_photos(folder):
    (folder / "._left1.png").write_bytes(b"x")
    assert len(find_shots(folder)) == 5


def test_a_pattern_without_photos_is_refused(folder):
    with pytest.raises(InputError, match="no photo matches"):
        find_shots(folder / "up*.png")
