"""Results and their records: what counts as done after any end of a run, and what is never replaced."""

from __future__ import annotations

import subprocess
import sys

import pytest

from depthapps import OutputError
from depthapps.io.batch_folder import BatchFolder, Record
from depthapps.io.contact_sheet import SheetEntry, check_contact_sheet, write_contact_sheet


@pytest.fixture
def folder(tmp_path) -> BatchFolder:
    return BatchFolder(tmp_path / "out")


def keep(folder, name="a/b", signature="s", texts=None, *, replace=False) -> Record:
    """Make a result of files with these texts."""
    with folder.stage() as stage:
        for file, text in (texts or {"a/b.png": "x"}).items():
            (stage / file).parent.mkdir(parents=True, exist_ok=True)
            (stage / file).write_text(text)
        return folder.keep(name, stage, Record(signature, facts={"n": 1}, notes=["note"]), replace=replace)


def test_a_result_is_found_as_long_as_it_is_what_was_made(folder):
    kept = keep(folder, texts={"a/b.obj": "x", "a/b.mtl": "y"})
    assert folder.find("a/b", "s") == kept
    assert set(kept.outputs) == {"a/b.obj", "a/b.mtl"}
    assert (folder.path / "a" / "b.obj").read_text() == "x"
    assert folder.find("a/b", "other inputs or options") is None
    (folder.path / "a" / "b.mtl").write_text("z")
    assert folder.find("a/b", "s") is None
    (folder.path / "a" / "b.mtl").unlink()
    assert folder.find("a/b", "s") is None


def test_a_record_without_its_result_is_not_done(folder, monkeypatch):
    class Killed(BaseException):
        pass

    def die(self, target):
        if target.name == "b.png":
            raise Killed
        return replace(self, target)

    replace = type(folder.path).replace
    monkeypatch.setattr(type(folder.path), "replace", die)
    with pytest.raises(Killed):
        keep(folder)
    monkeypatch.undo()
    assert folder.record_path("a/b").is_file()
    assert not (folder.path / "a" / "b.png").exists()
    assert folder.find("a/b", "s") is None
    assert folder.find("a/b", "s") == keep(folder, texts={"a/b.png": "y"}) or folder.find("a/b", "s")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"signature": 3}', '{"signature": "s", "outputs": ["a"]}', "[" * 10**5]
)
def test_a_damaged_record_is_none(folder, text):
    keep(folder)
    folder.record_path("a/b").write_text(text)
    assert folder.find("a/b", "s") is None


def test_a_file_that_was_read_beside_counts(folder, tmp_path):
    beside = tmp_path / "extrinsics.yml"
    beside.write_text("1")
    with folder.stage() as stage:
        (stage / "a.png").write_text("x")
        from depthapps.io.batch_folder import digest_file

        folder.keep("a", stage, Record("s", {str(beside): digest_file(beside, "file")}), replace=False)
    assert folder.find("a", "s")
    beside.write_text("2")
    assert folder.find("a", "s") is None


def test_the_same_result_of_another_process_stays(folder):
    keep(folder)
    inode = (folder.path / "a" / "b.png").stat().st_ino
    assert keep(folder) == folder.find("a/b", "s")
    assert (folder.path / "a" / "b.png").stat().st_ino == inode


def test_only_files_of_the_batch_are_replaced(folder):
    keep(folder)
    keep(folder, signature="t", texts={"a/b.png": "new"})
    assert (folder.path / "a" / "b.png").read_text() == "new"
    (folder.path / "c.png").write_text("the user's")
    with pytest.raises(OutputError, match=r"c.png exists already, and is not of this batch"):
        keep(folder, "c", texts={"c.png": "new"})
    assert (folder.path / "c.png").read_text() == "the user's"
    keep(folder, "c", texts={"c.png": "new"}, replace=True)
    assert (folder.path / "c.png").read_text() == "new"


def test_a_result_that_somebody_changed_is_not_replaced(folder):
    keep(folder, texts={"a/b.obj": "x", "a/b.mtl": "y"})
    for file in ("b.mtl", "b.obj"):
        old = (folder.path / "a" / file).read_text()
        (folder.path / "a" / file).write_text("retouched")
        with pytest.raises(OutputError, match=rf"{file} was changed since this batch made it"):
            keep(folder, signature="t", texts={"a/b.obj": "x", "a/b.mtl": "new"})
        with pytest.raises(OutputError, match=rf"{file} was changed"):
            folder.refuse_changed("a/b", [f"a/{file}"])
        assert (folder.path / "a" / file).read_text() == "retouched"
        folder.refuse_changed("a/b", ["a/b.glb"])  # what is not written is not asked for
        (folder.path / "a" / file).write_text(old)
    (folder.path / "a" / "b.mtl").write_text("retouched")
    keep(folder, signature="t", texts={"a/b.obj": "x", "a/b.mtl": "new"}, replace=True)
    assert (folder.path / "a" / "b.mtl").read_text() == "new"
    folder.refuse_changed("a/b", ["a/b.obj", "a/b.mtl"])
    folder.refuse_changed("there is none", ["a/b.obj"])


@pytest.mark.parametrize("last", ["b.obj", "b.mtl"])
def test_what_a_run_that_was_ended_has_not_replaced_is_replaced_by_the_next(folder, monkeypatch, last):
    class Killed(BaseException):
        pass

    def die(self, target):
        if target.name == last:
            raise Killed
        return replace(self, target)

    keep(folder, texts={"a/b.obj": "x", "a/b.mtl": "y"})
    replace, new = type(folder.path).replace, {"a/b.obj": "x2", "a/b.mtl": "y2"}
    monkeypatch.setattr(type(folder.path), "replace", die)
    with pytest.raises(Killed):
        keep(folder, signature="t", texts=new)
    monkeypatch.undo()
    folder.refuse_changed("a/b", new)
    keep(folder, signature="t", texts=new)
    assert (folder.path / "a" / "b.obj").read_text() == "x2"
    assert (folder.path / "a" / "b.mtl").read_text() == "y2"


def test_one_batch_at_a_time_and_the_next_one_cleans_up(folder):
    left_over = folder.path / "depthapps-batch" / "work" / "dead" / "a.png"
    left_over.parent.mkdir(parents=True)
    left_over.write_text("half")
    hold = (
        "import sys; from pathlib import Path; from depthapps.io.batch_folder import BatchFolder\n"
        "with BatchFolder(Path(sys.argv[1])).lock(): print('held', flush=True); sys.stdin.read()"
    )
    arguments = [sys.executable, "-c", hold, str(folder.path)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        assert not left_over.exists()
        with pytest.raises(OutputError, match="another batch is writing"), folder.lock():
            pass
        other.kill()
    with folder.lock():
        pass


def test_the_sheet_escapes_names_links_below_itself_and_puts_failures_first(tmp_path):
    name = '<b>&"#%\u00e4 ?'
    entries = [
        SheetEntry(f"a/{name}", (tmp_path / "a" / f"{name}.png",), tmp_path / "t" / f"{name}.jpg"),
        SheetEntry("z", error="<script>"),
    ]
    write_contact_sheet(tmp_path / "index.html", entries, "<title>")
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "<b>" not in page
    assert "<script>" not in page
    assert page.index("&lt;script&gt;") < page.index("a/%3Cb%3E%26%22%23%25%C3%A4%20%3F.png")
    assert 'src="t/%3Cb%3E%26%22%23%25%C3%A4%20%3F.jpg"' in page
    assert str(tmp_path) not in page
    assert "1 results, 1 failed" in page


def test_a_page_of_the_users_own_is_not_replaced(tmp_path):
    check_contact_sheet(tmp_path / "index.html")
    write_contact_sheet(tmp_path / "index.html", [], "t")
    check_contact_sheet(tmp_path / "index.html")
    (tmp_path / "index.html").write_text("<h1>mine")
    with pytest.raises(OutputError, match="no contact sheet"):
        check_contact_sheet(tmp_path / "index.html")
