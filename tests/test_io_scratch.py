"""What a killed process leaves behind is removed by the next one, and nothing that another process still needs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from depthapps import OutputError, Outputs
from depthapps.io import scratch

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no locks of this kind: there the age tells")
HOLD = (
    "import sys, time; from pathlib import Path; from depthapps.io import scratch\n"
    "print(scratch.hidden_file(Path(sys.argv[1]))); sys.stdout.flush(); time.sleep(60)"
)


def hidden(folder) -> list[str]:
    return [p.name for p in folder.iterdir() if p.name.startswith(".")]


def test_leftovers_of_dead_processes_go_and_those_of_living_ones_stay(tmp_path):
    for name in (".depthapps-photo-album", ".0123456789abcdef.png"):
        (tmp_path / name).mkdir()
    dead, living = (
        subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "a.png")], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    )
    try:
        names = [p.stdout.readline().strip().rpartition("/")[2] for p in (dead, living) if p.stdout is not None]
        dead.kill()
        dead.wait()
        assert set(names) <= set(hidden(tmp_path))
        Outputs([tmp_path / "b.png"])
        left = set(hidden(tmp_path))
        assert names[0] not in left
        assert {names[1], ".0123456789abcdef.png"} <= left
    finally:
        for process in (dead, living):
            process.kill()
            process.communicate()


def test_own_files_and_links_are_not_taken_for_leftovers(tmp_path):
    with Outputs([tmp_path / "a.png"]) as outputs:
        part = outputs.part(tmp_path / "a.png")
        (tmp_path / "target").write_bytes(b"kept")
        (tmp_path / ".depthapps-link").symlink_to(tmp_path / "target")
        scratch.remove_abandoned(tmp_path)
        assert part.exists()
        assert (tmp_path / ".depthapps-link").is_symlink()
        outputs.write(tmp_path / "a.png", b"1")
    assert (tmp_path / "a.png").read_bytes() == b"1"


def test_a_temporary_folder_goes_and_so_does_that_of_a_killed_process(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / ".depthapps-left").mkdir()
    (tmp_path / ".depthapps-left" / "video.mp4").write_bytes(b"half")
    with scratch.temporary_folder() as folder:
        assert hidden(tmp_path) == [folder.name]
        (folder / "video.mp4").write_bytes(b"half")
        scratch.remove_abandoned(tmp_path)
        assert folder.is_dir()
    assert not hidden(tmp_path)


PAIR_OF_FILES = """
import sys
from pathlib import Path
from depthapps import Outputs
folder = Path(sys.argv[1])
for k in range(10**9):
    paths = [folder / "a.bin", folder / "b.bin"]
    with Outputs(paths, overwrite=True) as outputs:
        for path in paths:
            outputs.write(path, [bytes([k % 256]) * 65536] * 4)
    if k == 0:
        print("started", flush=True)
"""


def test_files_are_whole_or_absent_whenever_a_process_is_killed(tmp_path):
    for k in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", PAIR_OF_FILES, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.013 * k)
        process.kill()
        process.communicate()
        for name in ("a.bin", "b.bin"):
            data = (tmp_path / name).read_bytes()
            assert len(data) == 4 * 65536
            assert len(set(data)) == 1
    Outputs([tmp_path / "c.bin"])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.bin", "b.bin"]


@pytest.mark.parametrize("suffix", [".png", ".pfm", ".tif", ".npy", ".mp4", ".gif", ".glb", ".ply", ".obj", ".html"])
def test_a_disk_that_is_full_near_the_end_is_noticed(tmp_path, step_scene, suffix):
    """The limit of a file's size stands for the disk: whatever is written beyond it is lost."""
    resource = pytest.importorskip("resource")
    import depthapps as da

    def write(path) -> None:
        if suffix in (".pfm", ".npy"):
            da.write_depth(path, step_scene.depth_m)
        elif suffix in (".mp4", ".gif"):
            da.write_video(path, [step_scene.image, 255 - step_scene.image] * 3, 10)
        elif suffix == ".html":
            da.write_page(path, da.make_page(step_scene))
        elif suffix in (".glb", ".ply", ".obj"):
            da.write_model([path], da.make_model(step_scene))
        else:
            da.write_image(path, step_scene.image)

    write(tmp_path / f"whole{suffix}")
    size = (tmp_path / f"whole{suffix}").stat().st_size
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    for short in (1, 20):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size - short, old[1]))
        try:
            with pytest.raises(OutputError):
                write(tmp_path / f"short{suffix}")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, old)
        assert not [p.name for p in tmp_path.iterdir() if not p.name.startswith("whole")]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("busy", [True, False])
def test_a_signal_ends_a_command_with_its_status_and_leaves_nothing(tmp_path, name, busy):
    """busy: the command does not get to notice, as if it were in a long call of a library."""
    program = (
        "import signal, sys, time; from pathlib import Path; from depthapps.cli import app, stopping\n"
        "from depthapps import Outputs\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # whoever runs the tests may ignore it
        "stopping._GRACE_S = 0.1\n"
        "def work(*_, **__):\n"
        "    with Outputs([sys.argv.pop()]) as outputs:\n"
        "        outputs.write(outputs._paths[0], b'half'); print('started', flush=True)\n"
        f"        while {busy}:\n            try:\n                time.sleep(60)\n"
        "            except KeyboardInterrupt:\n                pass\n"
        "        time.sleep(60)\n"
        "app.app.command('work')(lambda: work())\n"
        "sys.argv, out = ['depthapps', 'work'], sys.argv[1]; sys.argv.append(out)\n"
        "app.app = __import__('functools').partial(app.app, args=['work']); stopping.watch(); app.main()"
    )
    out = tmp_path / "a.png"
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    process.send_signal(getattr(signal, name))
    _, told = process.communicate(timeout=20)
    assert process.returncode == 128 + getattr(signal, name)
    assert told == f"error: stopped by {name}; outputs are whole or absent\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="this system has no signals")
def test_a_signal_while_the_command_line_is_loaded_has_its_word(tmp_path):
    """The signal comes with the first import of typer, long before a command is found."""
    program = (
        "import os, signal, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'typer':\n            os.kill(os.getpid(), signal.SIGTERM)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "from depthapps.__main__ import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", program, "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 128 + signal.SIGTERM
    assert (done.stdout, done.stderr) == ("", "error: stopped by SIGTERM; outputs are whole or absent\n")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_signal_to_a_forked_process_does_not_end_its_parent():
    program = (
        "import os, signal, time; from depthapps.cli import stopping\n"
        "stopping._GRACE_S = 0.1; stopping.watch(); child = os.fork()\n"
        "if not child: time.sleep(60)\n"
        "time.sleep(0.2); os.kill(child, signal.SIGTERM); status = os.waitpid(child, 0)[1]; time.sleep(0.4)\n"
        "print(os.WTERMSIG(status) == signal.SIGTERM)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")
