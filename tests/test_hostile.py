"""Broken, lying and absurd input: one `error:` and one `hint:`, exit 1, nothing written, no word of a library."""

from __future__ import annotations

import json
import os
import re
import struct
import zipfile
import zlib
from io import BytesIO
from pathlib import Path

import cv2
import hostile_files
import numpy as np
import photo_files
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_runtime_quiet import chunk
from typer.testing import CliRunner

from depthapps import DepthappsError, InputError, NetworkError, StereoNetwork, read_image, write_image
from depthapps.apps.memory import fitting, fitting_quality, needed_bytes
from depthapps.cli.app import app
from depthapps.core.choices import Quality
from depthapps.core.errors import brief
from depthapps.engine.effort import CELLS, fusion_tile_px, has_small_tiles, matched_cells
from depthapps.engine.network_process import NetworkProcess
from depthapps.io.photos.jpeg import multi_pictures, xmp_packets
from depthapps.io.photos.xmp import Xmp
from depthapps.runtime import budget

SEEDS = hostile_files.seeds()
MANY = 150_000  # characters: what takes time by their square takes minutes
PICTURE, DEPTH = hostile_files.PICTURE, hostile_files.DEPTH
CAMERA = "cam0=[100 0 23.5; 0 100 17.5; 0 0 1]\ncam1=[100 0 23.5; 0 100 17.5; 0 0 1]\n"


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder with a photo, its depth and two views, in which the test stands."""
    monkeypatch.chdir(tmp_path)
    write_image("photo.png", PICTURE)
    write_image("right.png", np.roll(PICTURE, 2, axis=1))
    np.save("depth.npy", DEPTH)
    return tmp_path


def refused(folder: Path, *arguments: str, capfd: pytest.CaptureFixture[str]) -> str:
    """The error line of a command that has to refuse, and leaves the folder as it was."""
    before = {p.name for p in folder.iterdir()}
    result = CliRunner().invoke(app, list(arguments))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    lines = [line for line in result.stderr.splitlines() if not line.startswith("note:")]
    assert result.exit_code == 1, result.output
    assert [line.split(":")[0] for line in lines] == ["error", "hint"]
    assert {p.name for p in folder.iterdir()} == before
    assert "".join(capfd.readouterr()) == ""
    return lines[0]


def png(width: int, height: int, depth: int = 8) -> bytes:
    """A PNG that promises a size, and holds a megabyte of black in a kilobyte."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1 << 20))) + chunk(b"IEND", b"")


def npy(shape: tuple[int, ...], data: bytes = b"", kind: str = "<f4") -> bytes:
    """An .npy file whose header promises a shape and a type."""
    text = repr({"descr": kind, "fortran_order": False, "shape": shape}).encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def archive(members: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", kind) as zipped:
        for name, content in members.items():
            zipped.writestr(name, content)
    return file.getvalue()


def pickled() -> bytes:
    file = BytesIO()
    np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    return file.getvalue()


# ------------------------------------------------------------------------------------- the table

TIFF_HUGE = b"II*\0\x08\0\0\0" + struct.pack("<H", 3) + b"".join(
    struct.pack("<HHII", tag, 4, 1, value) for tag, value in ((256, 70000), (257, 70000), (277, 3))
) + bytes(4)  # fmt: skip
PICTURES = {
    "empty": (b"", "empty"),
    "cut": (png(48, 36)[:60], "truncated"),
    "png 60000": (png(60000, 60000), "60000x60000"),
    "png 16": (png(40000, 40000, 16), "40000x40000"),
    "tiff 70000": (TIFF_HUGE, "70000x70000"),
    "ppm 99999": (b"P6 99999 99999 255\n" + bytes(100), "GB of memory"),
    "ppm cut": (b"P6 # by hand\n99999 99999 255\n" + bytes(100), "truncated or damaged: 99999x99999"),
    "pgm cut": (b"P5\n96 72\n65535\n" + bytes(96 * 72), "truncated or damaged: 96x72 pixels take 13824 bytes"),
    "pbm cut": (b"P4 99 72\n" + bytes(13 * 72 - 1), "truncated or damaged"),
    "ppm text cut": (b"P3 2 2 255\n1 2 3 4", "truncated or damaged"),
    "pgm of digits": (b"P5 " + b"9" * 5000 + b" 1 255\n", "not an image"),
    "bmp 60000": (b"BM" + struct.pack("<IIIIiiHHIIiiII", 0, 0, 54, 40, 60000, 60000, 1, 24, *6 * [0]), "60000x60000"),
    "hdr 99999": (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 99999 +X 99999\n" + bytes(100), "99999x99999"),
    "text": (b"no picture at all", "not an image"),
    "npy": (npy((4, 4), bytes(64)), "not an image"),
} | {f"{kind} animation": (hostile_files.animation(kind), "is an animation") for kind in ("png", "gif", "webp", "avif")}
MAPS = {
    "lying.npy": (npy((600000, 600000)), "cut off"),
    "objects.npy": (pickled(), "Python objects"),
    "header.npy": (b"\x93NUMPY\x01\x00\xff\xff" + b"{" * 900, "damaged"),
    "none.npy": (npy((72, 96, 0)), "size 0"),
    "text.npy": (npy((4, 4), bytes(64), "<U1"), "2-dimensional"),
    "bomb.npz": (archive({"depth.npy": npy((200_000, 200_000))}), "200000x200000"),
    "unknown.npz": (archive({"depth.npy": b""}).replace(b"\x08\0", b"\x63\0"), "archive"),
    "text.npz": (archive({"readme.txt": b"depth"}), "without numpy arrays"),
    "lying.pfm": (b"Pf\n60000 60000\n-1\n" + bytes(50), "not a depth map"),
    "digits.pfm": (b"Pf\n" + b"9" * 5000 + b" 4\n-1\n" + bytes(50), "cannot be read"),
    "comments.pfm": (b"Pf" + b" #" * 60 + b"\nx", "not a depth map"),
    "lying.dpt": (b"PIEH" + struct.pack("<ii", 60000, 60000), "not a depth map"),
    "png.png": (png(60000, 60000), "60000x60000"),
}
CALIBRATIONS = {
    "doctype.xml": ("<!DOCTYPE a [<!ENTITY b 'c'>]><opencv_storage><K>&b;</K></opencv_storage>", "entities"),
    "deep.xml": ("<a>" * 3000 + "</a>" * 3000, "deep"),
    "deep.json": ("[" * 100_000, "cannot be read"),
    "deep.yml": ("%YAML:1.0\n" + "K: " + "[" * 5000, "never closed"),
    "tag.yml": ("%YAML:1.0\nK: !!python/object/apply:os.system ['touch x']\n", ""),
    "alias.yml": ("a: &a [1, 2]\nK: *a\n", "no calibration"),
    "digits.json": ('{"K1": ' + "1" * 5000 + "}", "no calibration"),
    "slow.txt": ("1" * 5000 + "x", "no calibration"),
    "slower.txt": ("P2: " + "1 " * 2000 + "x", ""),
    # more ways to match a part of it than there is time for
    "numbers.txt": ("1111111111 " * 30 + "x", "no calibration"),
    "named numbers.txt": ("a " + "1111111111 " * 30 + "x", "no calibration"),
    "camera.txt": ("1 PINHOLE 10 10 " + "1111111111 " * 30 + "x", "no calibration"),
    "blank lines.txt": ("a" + "\n" * MANY + "b", "no calibration"),
    "lines.txt": ("1\n" * 300_001, "300001 lines, too much for a calibration"),
    "blanks.yml": ("%YAML:1.0\na" + " " * MANY + "b\n", "no name and a colon"),
    "digits.yml": ("K: " + "1" * MANY + "x", "no calibration"),
    "quote.yml": ("K: [" + " " * MANY + '"' + "a" * MANY + "]", ""),
    "title.json": (json.dumps([{"name": "a" * MANY, "fx": 1}, {"name": "b", "fx": 1}]), "no camera matrix"),
    "key.json": (json.dumps({"(" + "cam" * MANY: 1, "fx": 3}), "camcamcam"),
    "rows.txt": ("K\n" + "1 2 3\n" * (MANY // 2), "the names K"),
    "photos.txt": ("".join(f"{k} 1 0 0 0 0.1 0 0 1 a{k}.png\n\n" for k in range(3000)), "3000 cameras"),
    "cameras.txt": ("".join(f"[s{k}]\nfx=1\n" for k in range(3000)), "3000 cameras"),
    "lens model.json": (
        json.dumps(
            {"K": [[100, 0, 24], [0, 100, 18], [0, 0, 1]], "D": [0.1, 0, 0, 0], "distortion_model": "distortion" * MANY}
        ),
        "the lens model 'distortion",
    ),
    "nan.txt": (CAMERA + "doffs=nan\nbaseline=65\nwidth=48\nheight=36\n", "no number"),
    "inf.txt": (CAMERA + "doffs=0\nbaseline=65\nwidth=inf\nheight=36\n", "no number"),
    "zero.txt": (CAMERA + "doffs=0\nbaseline=0\nwidth=48\nheight=36\n", "baseline of 0 m"),
    "tiny focal.txt": ("1e-9 0 23.5 0 1e-9 17.5 0 0 1\n0.1\n", "no number of pixels"),
    "far centre.txt": ("100 0 1e9 0 100 17.5 0 0 1\n0.1\n", "principal point"),
    "other size.txt": (CAMERA + "doffs=0\nbaseline=65\nwidth=480\nheight=370\n", "480x370"),
    "right only.txt": ("#" + CAMERA + "doffs=0\nbaseline=65\nwidth=48\nheight=36\n", "left camera"),
    "one place.yml": (
        "K1: [[100,0,24],[0,100,18],[0,0,1]]\nK2: [[100,0,24],[0,100,18],[0,0,1]]\nR: [[1,0,0],[0,1,0],[0,0,1]]\n"
        "T: [0, 0, 0]\n",
        "both cameras into one place",
    ),
    "binary.yml": ("\0\1\2" * 50, "not a text"),
}
LIGHTS = {
    "azimuth": ('[{"azimuth": Infinity}]', "azimuth of light 1"),
    "digits": ('[{"elevation": ' + "9" * 400 + "}]", "elevation of light 1"),
    "more digits": ('[{"elevation": ' + "9" * 5000 + "}]", "not JSON"),
    "deep": ("[" * 100_000, "not JSON"),
    "size": ('[{"light": "point", "position": [0, 0, 1], "size": 1e290}]', "size is 1e+290"),
    "place": ('[{"light": "point", "position": [0, 1e200, 1]}]', "a lamp stands"),
    "intensity": ('[{"intensity": 1e200}]', "intensity is 1e+200"),
}
NETWORKS = {
    "size": ({"size": [60000, 60000]}, "size holds a number"),
    "size of floats": ({"size": [64.5, 32]}, "size holds a number"),
    "multiple": ({"multiple": 10**9}, "multiple holds a number"),
    "scale": ({"scale": 10**400}, "scale holds a number"),
    "mean": ({"mean": [1, 2]}, "2 means"),
    "nan": ({"std": [float("nan")]}, "std holds a number"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures(folder, capfd, name):
    data, message = PICTURES[name]
    (folder / "x.png").write_bytes(data)
    assert message in refused(folder, "depth", "x.png", "--depth", "depth.npy", "-o", "o.png", capfd=capfd)


@pytest.mark.parametrize("name", MAPS)
def test_maps(folder, capfd, name):
    data, message = MAPS[name]
    (folder / name).write_bytes(data)
    assert message in refused(folder, "depth", "photo.png", "--depth", name, "-o", "o.png", capfd=capfd)


@pytest.mark.parametrize("name", CALIBRATIONS)
def test_calibrations(folder, capfd, name):
    text, message = CALIBRATIONS[name]
    (folder / name).write_text(text)
    arguments = ("mesh", "photo.png", "--depth", "depth.npy", "-c", name, "-o", "o.glb")
    assert message in refused(folder, *arguments, capfd=capfd)
    assert not (folder / "x").exists()


@pytest.mark.parametrize("name", LIGHTS)
def test_lights(folder, capfd, name):
    text, message = LIGHTS[name]
    (folder / "lights.json").write_text(text)
    arguments = ("shadow", "photo.png", "--depth", "depth.npy", "--lights", "lights.json", "-o", "o.png")
    told = refused(folder, *arguments, capfd=capfd)
    assert message in told
    assert len(told) < 300


@pytest.mark.parametrize("name", NETWORKS)
def test_descriptions_of_networks(folder, capfd, name):
    entries, message = NETWORKS[name]
    (folder / "net.onnx").write_bytes(b"")
    (folder / "net.json").write_text(json.dumps({"inputs": ["left", "right"], **entries}))
    arguments = ("depth", "photo.png", "right.png", "--rectify", "never", "--matcher", "net.onnx", "-o", "o.pfm")
    assert message in refused(folder, *arguments, capfd=capfd)


@pytest.mark.parametrize(
    "arguments",
    [
        ("depth", "-o", "o.npy", "--kind", "depth", "--depth-scale", "nan"),
        ("depth", "-o", "o.npy", "--kind", "depth", "--focal-px", "nan"),
        ("depth", "-o", "o.npy", "--kind", "depth", "--fov", "inf"),
        ("bokeh", "-o", "o.png", "--focus", "nan,nan"),
        ("bokeh", "-o", "o.png", "--focus-depth", "inf"),
        ("bokeh", "-o", "o.png", "--blur", "nan"),
        ("shadow", "-o", "o.png", "--azimuth", "nan"),
        ("shadow", "-o", "o.png", "--direction", "nan,0,1"),
        ("shadow", "-o", "o.png", "--light", "point", "--position", "0,0,inf"),
        ("mesh", "-o", "o.glb", "--max-error", "nan"),
        ("mesh", "-o", "o.stl", "--preset", "print", "--size-mm", "inf"),
    ],
)
def test_numbers_that_are_none(folder, capfd, arguments):
    command, *rest = arguments
    refused(folder, command, "photo.png", "--depth", "depth.npy", *rest, capfd=capfd)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files in folders")
@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "loop", "beneath a file"])
def test_what_is_no_file(folder, capfd, kind):
    path = folder / "x.png"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "loop":
        path.symlink_to(path)
    name = {"device": "/dev/zero", "beneath a file": "photo.png/x.png"}.get(kind, "x.png")
    refused(folder, "depth", name, "--depth", "depth.npy", "-o", "o.png", capfd=capfd)
    refused(folder, "depth", "photo.png", "--depth", name, "-o", "o.png", capfd=capfd)


@pytest.mark.skipif(os.name == "nt", reason="Windows fills such files with zeros")
@pytest.mark.parametrize("name", ["photo.png", "depth.npy", "lights.json", "net.onnx", "pairs.csv"])
def test_files_larger_than_the_memory(folder, capfd, name):
    """A file may be larger than its disk, if nothing stands in most of it."""
    (folder / "net.json").write_text('{"inputs": ["left", "right"]}')
    with (folder / name).open("ab") as file:
        file.truncate(1 << 40)
    arguments = {
        "lights.json": ("shadow", "photo.png", "--depth", "depth.npy", "--lights", name, "-o", "o.png"),
        "net.onnx": ("depth", "photo.png", "right.png", "--rectify", "never", "--matcher", name, "-o", "o.pfm"),
        "pairs.csv": ("batch", "depth", "--manifest", name, "--out-dir", "o"),
    }.get(name, ("depth", "photo.png", "--depth", "depth.npy", "-o", "o.png"))
    assert re.search("GB of memory|too much for", refused(folder, *arguments, capfd=capfd))


@pytest.mark.parametrize("shape", [(1, 1), (1, 60), (60, 1), (2, 2)])
def test_pictures_of_hardly_a_pixel_with_a_depth(folder, shape):
    write_image("x.png", np.zeros((*shape, 3), np.uint8))
    np.save("x.npy", np.ones(shape, np.float32))
    for command, output in (("bokeh", "o.png"), ("shadow", "s.png"), ("mesh", "o.glb")):
        result = CliRunner().invoke(app, [command, "x.png", "--depth", "x.npy", "-o", output])
        assert result.exit_code in (0, 1), result.exception
        assert (result.exit_code == 0) == Path(output).exists()


def test_a_bomb_beside_the_map_is_not_unpacked(folder, monkeypatch):
    """A gigabyte of zeros in a member that is not wanted would take seconds, and the memory."""
    data = archive(
        {"depth.npy": npy(DEPTH.shape, DEPTH.tobytes()), "mask.npy": npy((1 << 13, 1 << 10), bytes(1 << 25))}
    )
    (folder / "x.npz").write_bytes(data)
    read: list[int] = []
    own = zipfile.ZipExtFile.read

    def counted(self, n=-1):
        found = own(self, n)
        read.append(len(found))
        return found

    monkeypatch.setattr(zipfile.ZipExtFile, "read", counted)
    result = CliRunner().invoke(app, ["depth", "photo.png", "--depth", "x.npz", "-o", "o.png"])
    assert result.exit_code == 0, result.output
    assert sum(read) < 1 << 17


# ------------------------------------------------------------------------------------- limits inside files


def test_nested_lists_and_many_extensions_of_xmp_take_no_time_and_no_memory():
    deep = b"<rdf:Seq><rdf:li>" * 30_000 + b"</rdf:li></rdf:Seq>" * 30_000
    space = b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    assert not Xmp([b"<x:xmpmeta xmlns:x='a' " + space + b">" + deep + b"</x:xmpmeta>"]).properties
    jpeg = photo_files.encoded(PICTURE)
    segment = b"http://ns.adobe.com/xmp/extension/\0%032d" + struct.pack(">II", 60_000, 0) + b"x"
    many = photo_files.with_segments(jpeg, *((0xE1, segment % k) for k in range(3000)))
    assert sum(map(len, xmp_packets(many))) <= len(many)


def test_an_index_of_pictures_is_believed_only_so_far():
    jpeg = photo_files.encoded(PICTURE)
    whole = photo_files.multi_picture([jpeg] * 60, list(range(60)))
    assert len(multi_pictures(whole)) == 32


def test_values_in_messages_are_short():
    assert brief("a" * 1000).endswith("...")
    assert len(brief("a" * 1000)) == 60
    assert brief(10**5000) == "a huge number"
    assert brief(1.5) == "1.5"


def test_a_network_that_crashes_opencv_ends_only_its_own_process(monkeypatch, tmp_path):
    (tmp_path / "crash.py").write_text("import os, sys; sys.stdin.buffer.readline(); os.kill(os.getpid(), 11)")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("depthapps.engine.network_process._MODULE", "crash")
    with pytest.raises(NetworkError, match="crashes OpenCV"):
        NetworkProcess(b"model")
    monkeypatch.undo()
    with pytest.raises(NetworkError, match="cannot be loaded"):
        StereoNetwork(b"\x08\x07 no model", hostile_description())


def hostile_description():
    from depthapps import NetworkDescription

    return NetworkDescription(("left", "right"))


# ------------------------------------------------------------------------------------- memory


def test_memory_is_told_kept_to_and_may_be_raised(folder, capfd):
    result = CliRunner().invoke(app, ["depth", "photo.png", "--depth", "depth.npy", "-o", "o.png", "--json"])
    told = json.loads(result.stdout)["memory_gb"]
    assert 0 < told["needed"] < told["limit"]
    arguments = ("bokeh", "photo.png", "--depth", "depth.npy", "-o", "b.png")
    assert "0.2 GB may be used" in refused(folder, *arguments, "--max-memory", "200M", capfd=capfd)
    (folder / "x.png").write_bytes(png(30_000, 30_000))
    limited = ("depth", "x.png", "--depth", "depth.npy", "-o", "o2.png", "--max-memory")
    assert "may be used" in refused(folder, *limited, "20G", capfd=capfd)


def test_the_limit_that_was_told_stays_while_the_command_works(folder, monkeypatch):
    """What is free becomes less by the command's own work; the engine would match at another size than was planned."""
    result = CliRunner().invoke(app, ["depth", "photo.png", "--depth", "depth.npy", "-o", "o.png", "--json"])
    monkeypatch.setattr(budget, "free_memory", lambda: 5)
    assert round(budget.memory_budget() / 1e9, 2) == json.loads(result.stdout)["memory_gb"]["limit"]


def test_less_memory_means_a_lower_tier_and_a_note(folder):
    write_image("large.png", cv2.resize(PICTURE, (800, 600)))
    np.save("large.npy", np.full((600, 800), 2, np.float32))
    arguments = ["large.png", "--depth", "large.npy", "-o", "o.png", "--show", "coc", "--quality", "balanced"]
    result = CliRunner().invoke(app, ["bokeh", *arguments, "--max-memory", "350M"])
    assert result.exit_code == 0, result.output
    assert "note: --quality fast is taken, as only 0.3 GB" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "result"),
    [
        (("bokeh", "--focus", "401.5,301.5", "--blur", "8"), "o.png"),
        (("shadow",), "o.png"),
        (("view3d", "--style", "anaglyph", "--convergence", "401.5,301.5"), "o.png"),
        (("mesh",), "o.glb"),
    ],
)
def test_a_scene_that_is_too_large_is_made_smaller_with_a_note(folder, arguments, result):
    """Beside the 300 MB that always are, the memory is enough for less than a command takes for each pixel."""
    write_image("large.png", cv2.resize(PICTURE, (800, 600)))
    np.save("large.npy", np.linspace(1, 3, 480_000, dtype=np.float32).reshape(600, 800))
    command, *options = arguments
    limit = 300_000_000 + {"bokeh": 40, "shadow": 40, "view3d": 40, "mesh": 130}[command] * 480_000
    given = [command, "large.png", "--depth", "large.npy", *options, "-o", result, "--json"]
    done = CliRunner().invoke(app, [*given, "--max-memory", str(limit)])
    assert done.exit_code == 0, done.output
    assert f"note: the scene is made 2 times smaller, to 400x300, as only {limit / 1e9:.1f} GB" in done.stderr
    facts = json.loads(done.stdout)
    assert facts["memory_gb"]["needed"] <= facts["memory_gb"]["limit"]
    if result == "o.png":
        assert read_image(result).shape == (300, 400 - abs(facts.get("window_px", 0)), 3)
    if command == "view3d":  # 60 degrees and 65 mm, at the depth of the pixel in the middle
        assert facts["window_px"] == round(400 / 2 / np.tan(np.radians(30)) * 0.065 / 2)
    if command == "bokeh":
        assert facts["focus_px"] == [pytest.approx(200.5, abs=0.06), pytest.approx(150.5, abs=0.06)]
        assert facts["largest_blur_px"] == pytest.approx(4, abs=0.2)


def test_fifty_megapixels_are_matched_in_eight_gigabytes_and_in_four():
    pixels, balanced = 50_000_000, Quality.BALANCED
    cells = []
    for limit in (16e9, 0.8 * 8e9, 4e9):
        budget.limit_memory(int(limit))
        for command in ("depth", "bokeh"):
            quality, times = fitting(command, balanced, (8660, 5774), matched=True)
            assert needed_bytes(command, quality, pixels, matched=True, times=times) <= limit
            assert times == (2 if (command, limit) == ("bokeh", 4e9) else 1)
        cells.append(matched_cells(balanced, pixels))
    assert cells[0] == CELLS[balanced] == cells[1] == 4 * cells[2]
    budget.limit_memory(int(1e9))
    with pytest.raises(InputError, match="8660x5774 takes about"):
        fitting_quality("depth", balanced, (8660, 5774), matched=True)


def test_photos_that_are_matched_in_small_copies_need_the_memory_of_those():
    """Measured: 2.3 GB for 5 megapixels that are matched at 1200x800, 3.1 GB for 50."""
    for pixels, least, most in ((5_000_000, 2.28e9, 2.5e9), (12_000_000, 2.3e9, 2.8e9), (50_000_000, 3.1e9, 5.1e9)):
        small = needed_bytes("view3d", Quality.BALANCED, pixels, matched=True, matched_px=960_000)
        assert least < small < most
        assert small < needed_bytes("view3d", Quality.BALANCED, pixels, matched=True)


def test_a_network_looks_at_smaller_parts_only_where_memory_forces_it():
    for limit, tile_px in ((16e9, 832), (4e9, 832), (3e9, 416), (2.4e9, 192)):
        budget.limit_memory(int(limit))
        assert fusion_tile_px(50_000_000) == tile_px
        assert has_small_tiles(Quality.BALANCED, 50_000_000) == (tile_px < 832)
    for limit in (8e9, 2e9, 1.2e9):  # where 12 megapixels were refused below 2.5 GB
        budget.limit_memory(int(limit))
        assert needed_bytes("depth", Quality.BALANCED, 12_000_000, matched=True) < 1.07 * limit
    budget.limit_memory(int(1.6e9))
    assert has_small_tiles(Quality.BALANCED, 640_000)
    assert not has_small_tiles(Quality.FAST, 640_000)  # judged at half its size


@pytest.fixture(autouse=True)
def _no_limit_remains():
    yield
    budget.limit_memory(None)


def test_what_is_free_is_the_least_that_anything_leaves(monkeypatch):
    for name, size in (("machine", 8 << 30), ("container", 1 << 30), ("process", None)):
        monkeypatch.setattr(budget, f"_free_of_{name}", lambda size=size: size)
    assert budget.free_memory() == 1 << 30
    assert budget.memory_budget() == int(0.8 * (1 << 30))
    budget.limit_memory(5)
    assert budget.memory_budget() == 5


# ------------------------------------------------------------------------------------- fuzz


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
@given(name=st.sampled_from(sorted(SEEDS)), number=st.integers(0, 2**32 - 1))
def test_damaged_files_are_read_or_refused(tmp_path_factory, name, number):
    seed = SEEDS[name]
    path = tmp_path_factory.mktemp("fuzz") / f"x{seed.suffix}"
    path.write_bytes(hostile_files.mutated(seed, np.random.default_rng(number)))
    try:
        hostile_files.read(seed.reader, path)
    except DepthappsError as error:
        refusal = error
    else:
        return
    assert "\n" not in refusal.message
    assert refusal.hint


@pytest.mark.parametrize("name", sorted(SEEDS))
def test_the_files_are_valid_before_they_are_damaged(tmp_path, name):
    seed = SEEDS[name]
    path = tmp_path / f"x{seed.suffix}"
    path.write_bytes(seed.data)
    hostile_files.read(seed.reader, path)


def test_a_reader_raises_one_kind_of_error_whatever_happens_inside(tmp_path, monkeypatch):
    from depthapps import read_depth
    from depthapps.io.maps import pfm

    def fails(*_):
        raise KeyError("deep inside")

    monkeypatch.setattr(pfm, "_HEADER", type("Header", (), {"match": fails})())
    (tmp_path / "a.pfm").write_bytes(b"Pf")
    with pytest.raises(InputError, match=r"a\.pfm cannot be read.*KeyError"):
        read_depth(tmp_path / "a.pfm")
