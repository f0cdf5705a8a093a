"""Every public writer by itself: whole or absent, for any name, with an error that names the file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from conftest import ROOT
from PIL import ImageCms

from depthapps import (
    Camera,
    InputError,
    LensCamera,
    Metadata,
    OutputError,
    PageMode,
    PointCloud,
    PrintableSolid,
    Scene,
    StereoRig,
    TriangleMesh,
    read_calibration,
    read_depth,
    read_disparity,
    read_image,
    read_lights,
    read_photo,
    read_sequence,
    splats_of_cloud,
    write_calibration,
    write_cloud,
    write_confidence,
    write_depth,
    write_disparity,
    write_image,
    write_inverse_depth,
    write_mask,
    write_mesh,
    write_shadow_map,
    write_solid,
    write_splats,
    write_video,
)
from depthapps.io.page.contents import PageContents, PageModel
from depthapps.io.page.write import write_page
from depthapps.io.photos.contents import read_contents
from depthapps.io.photos.depth_jpeg import write_dynamic_depth, write_gdepth
from depthapps.io.photos.describe import describe_contents
from depthapps.io.photos.mpo import write_mpo

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (120, 160, 3)).astype(np.uint8)  # noise, so that no file is small
MAP = RNG.uniform(1, 20, (120, 160)).astype(np.float32)
POINTS = RNG.uniform(1, 2, (3000, 3)).astype(np.float32)
NORMALS = np.tile(np.array([0, 0, -1], np.float32), (3000, 1))
COLORS = RNG.integers(0, 256, (3000, 3)).astype(np.uint8)
TRIANGLES = np.arange(3000, dtype=np.int32).reshape(-1, 3)
MESH = TriangleMesh(POINTS, TRIANGLES, NORMALS, COLORS, POINTS[:, :2] - 1, IMAGE)
SOLID = PrintableSolid(MESH.vertices, MESH.triangles)
CLOUD = PointCloud(POINTS, COLORS, NORMALS)
CAMERA = Camera.centred(160, 120, 150.0)
SCENE = Scene(IMAGE, MAP, CAMERA)
LENS = LensCamera(CAMERA, (0.1, 0, 0, 0, 0))
RIG = StereoRig(LENS, LENS, np.eye(3), np.array([-0.1, 0, 0]))
SHADOW: Any = SimpleNamespace(depth_m=MAP, camera_to_light=np.eye(4), projection=np.eye(3, 4))
PHOTO_DATA = Metadata(icc=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())

WRITERS: dict[str, Callable[[Any], object]] = {
    "a.png": lambda path: write_image(path, IMAGE, PHOTO_DATA),
    "a.jpg": lambda path: write_image(path, IMAGE, PHOTO_DATA),
    "a.tif": lambda path: write_image(path, IMAGE, PHOTO_DATA),
    "mask.png": lambda path: write_mask(path, MAP / 20),
    "z.npy": lambda path: write_depth(path, MAP),
    "z.pfm": lambda path: write_depth(path, MAP),
    "z.npz": lambda path: write_depth(path, MAP, camera=CAMERA),
    "z.exr": lambda path: write_depth(path, MAP),
    "i.png": lambda path: write_inverse_depth(path, MAP),
    "z.png": lambda path: write_depth(path, MAP),
    "d.tif": lambda path: write_disparity(path, MAP),
    "c.png": lambda path: write_confidence(path, MAP / 20),
    "rig.yml": lambda path: write_calibration(path, RIG, 0.5),
    "one.xml": lambda path: write_calibration(path, LENS),
    "v.mp4": lambda path: write_video(path, [IMAGE] * 3, 10),
    "v.gif": lambda path: write_video(path, [IMAGE] * 3, 10),
    "m.glb": lambda path: write_mesh(path, MESH),
    "m.obj": lambda path: write_mesh(path, MESH),
    "m.usdz": lambda path: write_mesh(path, MESH),
    "m.ply": lambda path: write_mesh(path, MESH),
    "m.stl": lambda path: write_mesh(path, MESH),
    "c.ply": lambda path: write_cloud(path, CLOUD),
    "c.glb": lambda path: write_cloud(path, CLOUD),
    "s.stl": lambda path: write_solid(path, SOLID),
    "g.ply": lambda path: write_splats(path, splats_of_cloud(CLOUD, CAMERA)),
    "g.spz": lambda path: write_splats(path, splats_of_cloud(CLOUD, CAMERA)),
    "v.webp": lambda path: write_video(path, [IMAGE] * 3, 10),
    "a.mpo": lambda path: write_mpo(path, IMAGE, IMAGE, 0.06),
    "p.jpg": lambda path: write_gdepth(path, SCENE),
    "dd.jpg": lambda path: write_dynamic_depth(path, SCENE),
    "s.3mf": lambda path: write_solid(path, SOLID),
    "light.tif": lambda path: write_shadow_map(path, SHADOW),
    "page.html": lambda path: write_page(path, PageContents(PageModel(CLOUD, CAMERA), "a page", PageMode.TURN)),
}
COMPANIONS = {"m.obj": {"m.mtl", "m.png"}, "light.tif": {"light.json"}}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@contextmanager
def small_disk() -> Iterator[None]:
    """No file may become larger than 1000 bytes, which looks as a full disk does.

    No fixture: pytest reports a test before its fixtures end, perhaps into a file that is larger.
    """
    resource = pytest.importorskip("resource", reason="Windows limits no files")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("name", WRITERS)
def test_a_writer_replaces_old_files_and_leaves_nothing_beside(tmp_path, name):
    (tmp_path / name).write_text("old")
    WRITERS[name](str(tmp_path / name))
    assert (tmp_path / name).stat().st_size > 100
    assert names(tmp_path) == {name} | COMPANIONS.get(name, set())


@pytest.mark.parametrize("name", [name for name in WRITERS if name not in ("rig.yml", "one.xml")])  # those are small
@pytest.mark.parametrize("old", [True, False])
def test_on_a_full_disk_a_writer_says_so_and_leaves_what_was_there(tmp_path, name, old):
    if old:
        (tmp_path / name).write_text("old")
    with pytest.raises(OutputError, match=re.escape(name)) as error, small_disk():
        WRITERS[name](tmp_path / name)
    assert error.value.hint
    assert names(tmp_path) == ({name} if old else set())
    assert not old or (tmp_path / name).read_text() == "old"


@pytest.mark.parametrize("name", WRITERS)
def test_a_writer_refuses_a_folder_that_is_not_there(tmp_path, name):
    with pytest.raises(OutputError, match="does not exist"):
        WRITERS[name](tmp_path / "no" / name)


@pytest.mark.parametrize("write", [write_depth, write_disparity, write_confidence, write_calibration, write_mesh,
                                   write_cloud, write_solid, write_shadow_map])  # fmt: skip
def test_a_suffix_of_no_format_is_refused(tmp_path, write):
    with pytest.raises(OutputError, match="cannot take"):
        write(tmp_path / "a.xyz", MAP)
    with pytest.raises(OutputError, match="cannot take"):
        write_video(tmp_path / "a.avi", [IMAGE], 10)
    assert not names(tmp_path)


class AsciiOnly:
    """OpenCV's video classes as they are on Windows: deaf to names that its code page cannot spell."""

    def __init__(self, wrapped: Any, *arguments: Any):
        assert all(str(argument).isascii() for argument in arguments)
        self._wrapped = wrapped(*arguments)

    def open(self, path: str, *rest: Any) -> bool:
        assert path.isascii()
        return self._wrapped.open(path, *rest)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wrapped, name)


@pytest.fixture
def windows_opencv(monkeypatch):
    """OpenCV as it is on Windows: its functions that take paths fail for letters beyond ASCII."""

    def refuse(path: str, *_: Any) -> None:
        raise AssertionError(f"OpenCV got the path {path}")

    for function in ("imread", "imwrite", "imwriteWithMetadata", "imreadWithMetadata"):
        monkeypatch.setattr(cv2, function, refuse)
    storage, writer, capture = cv2.FileStorage, cv2.VideoWriter, cv2.VideoCapture

    def in_memory_only(text: str, flags: int) -> Any:
        assert flags & cv2.FILE_STORAGE_MEMORY
        return storage(text, flags)

    monkeypatch.setattr(cv2, "FileStorage", in_memory_only)
    fourcc = writer.fourcc
    monkeypatch.setattr(cv2, "VideoWriter", type("Writer", (AsciiOnly,), {
        "__init__": lambda self: AsciiOnly.__init__(self, writer), "fourcc": staticmethod(fourcc)}))  # fmt: skip
    monkeypatch.setattr(cv2, "VideoCapture", lambda path: AsciiOnly(capture, path))


@pytest.mark.parametrize("name", WRITERS)
def test_names_may_have_any_letters(tmp_path, name, windows_opencv):
    folder = tmp_path / "Größe 大きさ"
    folder.mkdir()
    WRITERS[name](folder / f"ü{name}")
    assert (folder / f"ü{name}").stat().st_size > 100


def test_readers_take_strings_and_names_of_any_letters(tmp_path, windows_opencv):
    folder = tmp_path / "Größe 大きさ"
    (folder / "left").mkdir(parents=True)
    (folder / "right").mkdir()
    write_image(folder / "ü.png", IMAGE)
    assert np.array_equal(read_image(str(folder / "ü.png")), IMAGE)
    assert np.array_equal(read_photo(str(folder / "ü.png")).image, IMAGE)
    assert np.array_equal(read_contents(str(folder / "ü.png")).photo.image, IMAGE)
    assert describe_contents(str(folder / "ü.png")).width == 160
    write_depth(str(folder / "ü.tif"), MAP)
    assert np.array_equal(read_depth(str(folder / "ü.tif")), MAP)
    assert np.array_equal(read_disparity(str(folder / "ü.tif")), MAP)
    write_calibration(str(folder / "ü.yml"), RIG, 0.5)
    found = read_calibration(str(folder / "ü.yml"))
    assert (found.matrix[0, 0], found.baseline_m) == (150, 0.1)
    (folder / "ü.json").write_bytes(b'\xef\xbb\xbf[{"azimuth": 1}]')
    assert read_lights(str(folder / "ü.json")) == [{"azimuth": 1}]
    for side in ("left", "right"):
        write_image(folder / side / "ü.png", IMAGE)
    assert len(read_sequence(str(folder)).views) == 1


def test_text_files_have_the_same_line_ends_on_every_system(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "write_text", None)  # which writes \\r\\n on Windows
    for name in ("m.obj", "light.tif", "page.html", "rig.yml"):
        WRITERS[name](tmp_path / name)
    for name in ("m.obj", "m.mtl", "light.json", "rig.yml"):
        assert b"\r" not in (tmp_path / name).read_bytes()


def test_a_solid_gives_the_same_bytes_every_time(tmp_path, monkeypatch):
    write_solid(tmp_path / "a.3mf", SOLID)
    monkeypatch.setattr("time.time", lambda: 2e9)
    monkeypatch.setattr("time.localtime", lambda *_: (2033, 5, 18, 3, 33, 20, 2, 138, 0))
    write_solid(tmp_path / "b.3mf", SOLID)
    assert (tmp_path / "a.3mf").read_bytes() == (tmp_path / "b.3mf").read_bytes()


def test_no_module_of_io_gives_opencv_a_path():
    for module in (ROOT / "depthapps" / "io").rglob("*.py"):
        text = module.read_text(encoding="utf-8")
        assert not re.search(r"cv2\.(imread|imwrite)\w*\(", text), module
        assert all("MEMORY" in call for call in re.findall(r"cv2\.FileStorage\([^\n]*", text)), module
        assert "symlink" not in text, module


def test_no_calibration_is_written_of_what_is_none(tmp_path):
    with pytest.raises(InputError, match="None is neither a rig nor a camera") as error:
        write_calibration(tmp_path / "rig.yml", None)  # pyright: ignore[reportArgumentType]
    assert "cameras" in error.value.hint
    assert not list(tmp_path.iterdir())
