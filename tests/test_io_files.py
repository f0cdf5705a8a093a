"""Outputs are checked first and appear whole or not at all; errors say what happened to which file."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from depthapps import InputError, OutputError, Outputs, write_image
from depthapps.cli import app as command_line
from depthapps.core.errors import explain_os_error
from depthapps.io import outputs as outputs_module
from depthapps.io.inputs import check_input, read_text
from depthapps.io.outputs import check_suffix


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


def test_what_is_written_outside_the_block_is_refused_and_leaves_nothing(tmp_path):
    path = tmp_path / "a.png"
    group = Outputs([path])
    picture = np.zeros((2, 2, 3), np.uint8)
    with pytest.raises(OutputError, match="outside the with block") as error:
        write_image(path, picture, outputs=group)
    assert error.value.hint
    with group:
        write_image(path, picture, outputs=group)
    assert path.exists()
    with pytest.raises(OutputError, match="outside the with block"):
        write_image(path, picture, outputs=group)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


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


@pytest.mark.skipif(os.name == "nt", reason="Windows permits links to few users")
def test_an_input_is_never_an_output_by_whatever_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photo = tmp_path / "photo.png"
    photo.write_bytes(b"photo")
    (tmp_path / "folder").mkdir()
    (tmp_path / "linked").symlink_to(tmp_path)
    (tmp_path / "link.png").symlink_to(photo)
    os.link(photo, tmp_path / "hard.png")
    names = ("photo.png", "./folder/../photo.png", "linked/photo.png", "link.png", "hard.png")
    for name in names:
        with pytest.raises(OutputError, match="inputs are never replaced"):
            Outputs([name], overwrite=True, inputs=[tmp_path / "missing.png", photo])
        with pytest.raises(OutputError, match="inputs are never replaced"):  # also one that is announced later
            Outputs([tmp_path / "a.png"], overwrite=True, inputs=[photo]).part(name)
    with pytest.raises(OutputError, match="named twice"):
        Outputs(["new.png", "linked/new.png"])
    (tmp_path / "nowhere.png").symlink_to(tmp_path / "missing.png")
    with pytest.raises(OutputError, match="exists already"):
        Outputs(["nowhere.png"])
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(OutputError, match="a pipe or a device"):
        Outputs(["pipe.png"], overwrite=True)
    assert photo.read_bytes() == b"photo"
    assert not [p.name for p in tmp_path.iterdir() if p.name.startswith(".")]


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


def test_inputs_may_be_strings_and_texts_may_begin_with_a_mark(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfsome text\r\n")
    assert check_input(str(path), "text") == path
    assert read_text(str(path), "text") == "some text\r\n"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not a text file"):
        read_text(path, "text")


def test_names_that_are_too_long_are_our_errors(tmp_path):
    path = tmp_path / ("a" * 300 + ".png")
    with pytest.raises(InputError, match="too long"):
        check_input(path, "image")
    with pytest.raises(OutputError, match="too long"):
        Outputs([path])


def test_names_that_windows_refuses_are_refused_there(tmp_path, monkeypatch):
    Outputs([tmp_path / "12:30.png"])
    monkeypatch.setattr(outputs_module, "_FORBIDDEN_IN_NAMES", ":")
    with pytest.raises(OutputError, match="has : in its name"):
        Outputs([tmp_path / "12:30.png"])


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permissions of this kind")
def test_a_file_written_alone_is_whole_and_ordinary(tmp_path):
    before = os.umask(0o027)
    try:
        write_whole(str(tmp_path / "a.bin"), [b"one", b"two"])
    finally:
        os.umask(before)
    assert (tmp_path / "a.bin").read_bytes() == b"onetwo"
    assert stat.S_IMODE((tmp_path / "a.bin").stat().st_mode) == 0o640
    write_whole(tmp_path / "a.bin", b"new")
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"new"]


def write_whole(path, data):
    with Outputs([path], overwrite=True) as outputs:
        outputs.write(path, data)


def pieces_that_break_off():
    yield b"half"
    raise RuntimeError


def test_a_file_that_breaks_off_leaves_the_old_one(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"old")
    for name in ("a.bin", "b.bin"):
        with pytest.raises(RuntimeError):
            write_whole(tmp_path / name, pieces_that_break_off())
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"old"]


class Full:
    """A file on a full disk that tells so late, or not at all."""

    def __init__(self, how: str):
        self.how = how

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.how == "close":
            raise OSError(errno.ENOSPC, "No space left on device")

    def write(self, data: bytes) -> int:
        return len(data)


@pytest.mark.parametrize(
    ("how", "message"), [("close", "no space left for .*a.bin"), ("silently", "a.bin is cut short")]
)
def test_a_disk_that_tells_late_that_it_is_full_is_noticed(tmp_path, monkeypatch, how, message):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    own = type(path).open
    monkeypatch.setattr(
        type(path), "open", lambda self, mode="r", *rest: Full(how) if mode == "wb" else own(self, mode, *rest)
    )
    with pytest.raises(OutputError, match=message) as error:
        write_whole(path, b"data")
    assert error.value.hint
    monkeypatch.undo()
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"old"]


@pytest.mark.parametrize("links", [True, False])
def test_if_one_of_a_group_cannot_be_renamed_none_is(tmp_path, monkeypatch, links):
    if not links:  # as on FAT
        monkeypatch.delattr(os, "link")
    old, new, blocked = (tmp_path / name for name in ("old", "new", "blocked"))
    if links:
        old.write_bytes(b"before")

    def write_all() -> None:
        with Outputs([old, new, blocked], overwrite=True) as outputs:
            for path in (old, new, blocked):
                outputs.write(path, b"after")
            (blocked / "folder").mkdir(parents=True)

    with pytest.raises(OutputError, match="blocked") as error:
        write_all()
    assert error.value.hint
    assert sorted(p.name for p in tmp_path.iterdir()) == (["blocked", "old"] if links else ["blocked"])
    assert not links or old.read_bytes() == b"before"


def test_replacing_a_group_leaves_no_second_names(tmp_path):
    for content in (b"1", b"2"):
        with Outputs([tmp_path / "a", tmp_path / "b"], overwrite=True) as outputs:
            outputs.write(tmp_path / "a", content)
            outputs.write(tmp_path / "b", content)
    assert sorted((p.name, p.read_bytes()) for p in tmp_path.iterdir()) == [("a", b"2"), ("b", b"2")]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ENOSPC", "no space left for out.png"),
        ("EDQUOT", "no space left for out.png in your quota"),
        ("EACCES", "out.png may not be opened: permission denied"),
        ("EPERM", "out.png may not be changed"),
        ("ENOENT", "out.png does not exist"),
        ("EEXIST", "out.png exists already"),
        ("EISDIR", "out.png is a folder"),
        ("ENOTDIR", "a part of its path is a file"),
        ("ENAMETOOLONG", "the name out.png is too long"),
        ("EROFS", "out.png lies on a disk that can only be read"),
        ("EFBIG", "out.png is larger than the disk or a limit allows"),
        ("EMFILE", "too many files are open"),
        ("ENFILE", "too many files are open on this computer"),
        ("EIO", "the disk failed while out.png"),
        ("EBUSY", "out.png is in use"),
        ("EINVAL", "out.png is a name that the system refuses"),
        ("ELOOP", "out.png is a symbolic link"),
        ("ENOMEM", "no memory left"),
        ("EXDEV", "out.png could not be read or written: odd"),
    ],
)
def test_every_error_of_the_system_is_told_in_its_own_words(name, message):
    number = getattr(errno, name, None)
    if number is None:
        pytest.skip(f"{name} is not known to this system")
    told, hint = explain_os_error(OSError(number, "odd", "out.png"))
    assert message in told
    assert hint


def test_the_file_is_named_as_the_user_knows_it():
    assert "b.png" in explain_os_error(OSError(errno.EACCES, "", ".hidden", None, "b.png"))[0]
    assert "c.png" in explain_os_error(OSError(errno.EACCES, "", ".hidden"), "c.png")[0]
    assert "a file could not be read or written: odd" in explain_os_error(OSError("odd"))[0]


def test_the_command_line_tells_what_happened_to_which_file():
    def command() -> None:
        raise OSError(errno.EROFS, "Read-only file system", "out.png")

    app = typer.Typer(cls=command_line._Group)
    app.command()(command)
    app.callback()(lambda: None)
    result = CliRunner().invoke(app, ["command"])
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "error: out.png lies on a disk that can only be read",
        "hint: write to another folder",
    ]


def test_a_file_that_may_not_be_read_is_told_as_all_other_errors(tmp_path, monkeypatch):
    write_image(tmp_path / "a.png", np.zeros((32, 32, 3), np.uint8))
    with monkeypatch.context() as patched:
        patched.setattr(os, "access", lambda *_, **__: False)  # what typer would ask; the system lets root read all
        result = CliRunner().invoke(command_line.app, ["depth", *[str(tmp_path / "a.png")] * 2, "-o", "d.png"])
    assert result.exit_code == 1
    assert "error: the two photos are the same" in result.stderr


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="this system has no /proc")
def test_a_folder_that_takes_no_files_is_told_so():
    with pytest.raises(OutputError, match=r"the folder /proc takes no files$") as error:
        Outputs([Path("/proc/x.yml")])
    assert error.value.hint == "choose another folder"
