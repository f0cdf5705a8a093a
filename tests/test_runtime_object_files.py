"""Object files between runs: which are trusted, which are removed, and that no failure is an error."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from threading import Event, Lock, Thread

import pytest

from depthapps.runtime import object_files
from depthapps.runtime.object_files import can_store, folders, read, store

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no mode bits")
root_only = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
_NAME, _CODE = "module.function-key.o", b"machine code"
_DAY_S = 24 * 3600


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


def _age(path: Path, days: float) -> Path:
    path.touch()
    used = time.time() - days * _DAY_S
    os.utime(path, (used, used))
    return path


def test_what_is_stored_is_read_in_the_order_of_the_folders(folder, tmp_path):
    assert store(_NAME, _CODE, [folder])
    assert store(_NAME, _CODE * 2, [tmp_path / "other"])
    assert list(read(_NAME, [tmp_path / "missing", tmp_path / "other", folder])) == [_CODE * 2, _CODE]


def test_a_file_that_cannot_be_written_goes_to_the_next_folder(folder, tmp_path):
    (tmp_path / "file").touch()
    places = [tmp_path / "file", tmp_path / "file" / "below", folder]
    assert can_store(places)
    assert store(_NAME, _CODE, places)
    assert list(read(_NAME, places)) == [_CODE]
    assert not can_store(places[:2])
    assert not store(_NAME, _CODE, places[:2])


def test_a_full_disk_leaves_nothing_behind(folder, monkeypatch):
    def full(*arguments):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "replace", full)
    monkeypatch.setattr(Path, "replace", full)
    assert not store(_NAME, _CODE, [folder])
    assert not list(folder.iterdir())


@pytest.mark.parametrize("damage", ["cut", "empty", "changed", "folder"])
def test_a_damaged_file_is_not_read_and_is_replaced(folder, damage):
    store(_NAME, _CODE, [folder])
    path = folder / _NAME
    whole = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    else:
        path.write_bytes({"cut": whole[:-3], "empty": b"", "changed": b"M" + whole[1:]}[damage])
    assert not list(read(_NAME, [folder]))
    assert store(_NAME, _CODE, [folder]) == (damage != "folder")


def test_a_renamed_file_is_no_other_kernel(folder):
    store(_NAME, _CODE, [folder])
    (folder / _NAME).rename(folder / "module.other-key.o")
    assert not list(read("module.other-key.o", [folder]))


@posix
@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o757])
def test_a_folder_that_everybody_may_write_to_is_not_used(folder, mode, caplog):
    caplog.set_level("INFO", "depthapps")
    store(_NAME, _CODE, [folder])
    folder.chmod(mode)
    assert not list(read(_NAME, [folder]))
    assert not can_store([folder])
    assert not store("module.function-new.o", _CODE, [folder])
    assert [path.name for path in folder.iterdir()] == [_NAME]
    assert caplog.text.count(str(folder)) == 1


@posix
def test_a_folder_that_the_group_may_write_to_is_used(folder):
    store(_NAME, _CODE, [folder])
    folder.chmod(0o775)
    (folder / _NAME).chmod(0o664)
    assert list(read(_NAME, [folder])) == [_CODE]


@posix
def test_a_file_that_everybody_may_write_to_is_not_read(folder):
    store(_NAME, _CODE, [folder])
    (folder / _NAME).chmod(0o666)
    assert not list(read(_NAME, [folder]))


@posix
def test_a_folder_that_is_created_is_trusted_whatever_the_umask(folder):
    umask = os.umask(0)
    try:
        assert store(_NAME, _CODE, [folder])
    finally:
        os.umask(umask)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert list(read(_NAME, [folder])) == [_CODE]


@root_only
def test_what_belongs_to_another_user_is_not_used(folder):
    store(_NAME, _CODE, [folder])
    os.chown(folder / _NAME, 4242, -1)
    assert not list(read(_NAME, [folder]))
    os.chown(folder / _NAME, 0, -1)
    os.chown(folder, 4242, -1)
    assert not list(read(_NAME, [folder]))
    assert not store("module.function-new.o", _CODE, [folder])


@posix
def test_users_trust_themselves_and_root_and_nobody_else(folder, monkeypatch):
    store(_NAME, _CODE, [folder])
    status = os.stat_result((0o100644, 1, 1, 1, 4242, 0, 9, 0, 0, 0))
    trusted = {}
    for user in (0, 1000, 4242):
        monkeypatch.setattr(os, "geteuid", lambda user=user: user)
        trusted[user] = object_files._only_ours(status)
    assert trusted == {0: False, 1000: False, 4242: True}
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert object_files._only_ours(os.stat_result((0o100644, 1, 1, 1, 0, 0, 9, 0, 0, 0)))


def test_no_check_on_windows(monkeypatch):
    monkeypatch.setattr("sys.platform", "win32")
    assert object_files._only_ours(os.stat_result((0o100666, 1, 1, 1, 0, 0, 9, 0, 0, 0)))


def test_places_are_numbas_then_pythons_then_the_users(monkeypatch, tmp_path):
    source = tmp_path / "package" / "module.py"
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "told"))
    assert folders(source) == [tmp_path / "told"]
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    assert folders(source) == [source.parent / "__pycache__", tmp_path / "user" / "depthapps"]
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert folders(source)[1] == Path.home() / ".cache" / "depthapps"


def test_files_of_other_versions_are_removed_when_they_are_long_unused(folder):
    folder.mkdir()
    old = _age(folder / "module.function-old.o", days=31)
    recent = _age(folder / "module.function-recent.o", days=29)
    other = _age(folder / "module.other-old.o", days=400)
    foreign = _age(folder / "module.function-7.py311.nbc", days=400)
    own = _age(folder / _NAME, days=400)
    store(_NAME, _CODE, [folder])
    assert not old.exists()
    assert all(path.exists() for path in (recent, other, foreign, own))
    assert list(read(_NAME, [folder])) == [_CODE]


def test_a_bounded_number_of_versions_is_kept_the_latest_ones(folder):
    folder.mkdir()
    files = [_age(folder / f"module.function-{k:02}.o", days=k / 10) for k in range(40)]
    store(_NAME, _CODE, [folder])
    assert {path.name for path in folder.iterdir()} == {_NAME, *(path.name for path in files[:15])}


def test_a_file_that_is_used_stays(folder):
    store(_NAME, _CODE, [folder])
    _age(folder / _NAME, days=20)
    list(read(_NAME, [folder]))
    assert time.time() - (folder / _NAME).stat().st_mtime < 60


def test_what_interrupted_runs_left_is_removed_and_what_others_are_writing_is_not(folder):
    folder.mkdir()
    left = _age(folder / "module.other-key.o.0123abcd.part", days=1)
    writing = _age(folder / "module.other-key.o.4567cdef.part", days=0)
    foreign = _age(folder / "film.part", days=1)
    store(_NAME, _CODE, [folder])
    assert not left.exists()
    assert writing.exists()
    assert foreign.exists()


def test_what_another_process_removes_meanwhile_is_no_error(folder, monkeypatch):
    folder.mkdir()
    _age(folder / "module.function-old.o", days=31)
    _age(folder / "module.other-key.o.0123abcd.part", days=1)

    def gone(*arguments, **options):
        raise FileNotFoundError

    monkeypatch.setattr(Path, "unlink", gone)
    assert store(_NAME, _CODE, [folder])


def test_the_end_waits_for_a_file_that_is_being_written_and_lets_none_begin(folder, monkeypatch):
    monkeypatch.setattr(object_files, "_storing", Lock())
    writing, replace = Event(), Path.replace

    def slow(part, path):
        writing.set()
        time.sleep(0.3)
        return replace(part, path)

    monkeypatch.setattr(Path, "replace", slow)
    first = Thread(target=store, args=(_NAME, _CODE, [folder]))
    first.start()
    writing.wait()
    object_files.finish()
    assert [path.name for path in folder.iterdir()] == [_NAME]
    second = Thread(target=store, args=("module.function-late.o", _CODE, [folder]))
    second.start()
    second.join(0.2)
    assert [path.name for path in folder.iterdir()] == [_NAME]
    object_files._storing.release()  # as nobody does: the process ends
    first.join()
    second.join()


def test_the_end_does_not_wait_for_ever(monkeypatch):
    monkeypatch.setattr(object_files, "_storing", Lock())
    with object_files._storing:
        start = time.monotonic()
        object_files.finish(timeout_s=0.05)
    assert time.monotonic() - start < 5
