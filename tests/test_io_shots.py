"""Photos are found by patterns and paired by what stands in place of the stars."""

from __future__ import annotations

import glob

import pytest

from depthapps import InputError
from depthapps.io.shots import find_files, pair_files


@pytest.fixture
def folder(tmp_path):
    for name in ("left1.png", "left02.png", "right01.png", "right2.png", "right3.png"):
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def test_numbers_are_the_same_with_and_without_zeros(folder):
    pairs, alone = pair_files(find_files(str(folder / "left*.png")), find_files(folder / "right*.png"))
    found = [(one.path.name, two.path.name) for one, two in pairs]
    assert found == [("left02.png", "right2.png"), ("left1.png", "right01.png")]
    assert [file.path.name for file in alone] == ["right3.png"]


def test_brackets_stand_for_a_letter(folder):
    assert {file.number for file in find_files(folder / "right[23].png")} == {"2", "3"}


def test_patterns_that_match_in_another_case_still_pair(folder, monkeypatch):
    found = sorted(map(str, folder.glob("left*.png")))
    monkeypatch.setattr(glob, "glob", lambda _, **options: found)  # as on Windows
    assert {file.number for file in find_files(str(folder / "LEFT*.PNG"))} == {"1", "2"}


def test_hidden_files_are_no_photos(folder):
    (folder / "._left1.png").write_bytes(b"x")
    assert len(find_files(folder)) == 5


def test_a_pattern_without_photos_is_refused(folder):
    with pytest.raises(InputError, match="no photo matches"):
        find_files(folder / "up*.png")


def test_a_folder_without_photos_is_told_how_those_of_its_folders_are_named(tmp_path):
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "a.jpg").write_bytes(b"x")
    with pytest.raises(InputError, match="no photo matches") as refused:
        find_files(tmp_path)
    pattern = refused.value.hint.split("'")[1]
    assert [file.path.name for file in find_files(pattern)] == ["a.jpg"]


@pytest.fixture
def tree(tmp_path):
    """Two cameras with folders below, and files that only one of them has."""
    for name in ("L/a/1.png", "L/a/01.png", "L/2.png", "L/x.png", "R/a/1.png", "R/a/01.png", "R/002.png", "R/y.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def names(files, folder):
    return [file.path.relative_to(folder).as_posix() for file in files]


def test_pairs_are_those_of_one_place_in_the_tree_and_numbers_only_decide_where_nothing_else_does(tree):
    pairs, alone = pair_files(find_files(tree / "L" / "**" / "*.png"), find_files(f"{tree}/R/**/*.png"))
    assert [names(pair, tree) for pair in pairs] == [
        ["L/2.png", "R/002.png"], ["L/a/01.png", "R/a/01.png"], ["L/a/1.png", "R/a/1.png"]
    ]  # fmt: skip
    assert [one.name for one, _ in pairs] == ["2", "a/01", "a/1"]
    assert names(alone, tree) == ["L/x.png", "R/y.png"]


def test_two_files_that_fit_one_are_no_pair(tree):
    (tree / "L" / "02.png").write_bytes(b"x")
    pairs, alone = pair_files(find_files(tree / "L" / "[02]*.png"), find_files(tree / "R" / "[02]*.png"))
    assert not pairs
    assert names(alone, tree) == ["L/02.png", "L/2.png", "R/002.png"]


def test_stars_in_folders_count_and_folders_are_no_files(tree, monkeypatch):
    (tree / "L" / "b.png").mkdir()
    assert [(f.stars, f.name) for f in find_files(tree / "*" / "a" / "1.png")] == [
        (("L",), "L/a/1"), (("R",), "R/a/1")
    ]  # fmt: skip
    assert names(find_files(tree / "L" / "*.png"), tree) == ["L/2.png", "L/x.png"]
    monkeypatch.chdir(tree / "L")
    assert [f.name for f in find_files("2.png")] == ["2"]
    assert [f.name for f in find_files("../R/0*.png")] == ["002"]
