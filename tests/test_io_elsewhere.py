"""Depth and cameras for other programs: EXR, NPZ, inverse depth, COLMAP's model, the camera in a GLB."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from conftest import read_raw
from test_cli import run

import depthapps as da
from depthapps.io.maps.meaning import Meaning, depth_of
from depthapps.io.maps.raw import read_raw as read_raw_map
from depthapps.io.models.glb import Viewpoint, mesh_glb

CAMERA = da.Camera(64, 48, 80.0, 82.0, 30.5, 20.25)
CALIBRATION = da.Calibration(CAMERA, 0.05, 3.0)


@pytest.fixture
def depth() -> da.FloatMap:
    """A slope from 1 to 4 m with a hole and some sky; no two rows are alike, as compression would hide."""
    y, x = np.mgrid[:48, :64]
    values = (1 + 3 * x / 63 + 0.01 * np.sin(y)).astype(np.float32)
    values[5, 7], values[40:, 60:] = np.nan, np.inf
    return values


@pytest.mark.parametrize("height", [1, 16, 37])  # a file is packed in blocks of 16 rows
@pytest.mark.parametrize("noisy", [False, True])  # noise cannot be packed, and is stored as it is
def test_openexr_reads_what_is_written(tmp_path, height, noisy):
    openexr = pytest.importorskip("OpenEXR", reason="the extra exr is not installed")
    bits = np.random.default_rng(0).integers(0, 2**32, (height, 23), np.uint32)
    values = bits.view(np.float32) if noisy else np.full((height, 23), 1.25, np.float32)
    da.write_depth(tmp_path / "z.exr", values)
    with openexr.File(str(tmp_path / "z.exr")) as file:
        assert list(file.channels()) == ["Z"]
        assert np.array_equal(np.asarray(file.channels()["Z"].pixels).view(np.uint32), values.view(np.uint32))


def test_an_exr_names_depth_z_and_anything_else_grey(tmp_path, depth):
    openexr = pytest.importorskip("OpenEXR", reason="the extra exr is not installed")
    da.write_disparity(tmp_path / "d.exr", depth)
    da.write_confidence(tmp_path / "c.exr", depth)
    for name in "dc":
        with openexr.File(str(tmp_path / f"{name}.exr")) as file:
            assert list(file.channels()) == ["Y"]


def test_archives_keep_the_camera_beside_the_map(tmp_path, depth):
    da.write_depth(tmp_path / "z.npz", depth, camera=CAMERA)
    with np.load(tmp_path / "z.npz") as archive:
        assert np.array_equal(archive["depth"], depth, equal_nan=True)
        assert np.array_equal(archive["intrinsics"], [[80, 0, 30.5], [0, 82, 20.25], [0, 0, 1]])
    da.write_disparity(tmp_path / "d.npz", depth, calibration=CALIBRATION)
    with np.load(tmp_path / "d.npz") as archive:
        assert {n: archive[n].tolist() for n in ("baseline_m", "doffs_px")} == {"baseline_m": 0.05, "doffs_px": 3.0}
    image = np.full((48, 64, 3), 90, np.uint8)
    opened = da.open_scene(image, depth=tmp_path / "z.npz")
    assert opened.scene.camera == CAMERA
    assert np.array_equal(opened.scene.depth_m, depth, equal_nan=True)


def test_a_tif_is_what_ros_calls_32fc1(tmp_path, depth):
    tifffile = pytest.importorskip("tifffile", reason="the extra bands is not installed")
    da.write_depth(tmp_path / "z.tif", depth)
    with tifffile.TiffFile(tmp_path / "z.tif") as file:
        page: Any = file.pages[0]
        assert (page.dtype, page.shape) == (np.float32, depth.shape)
        assert np.array_equal(page.asarray(), depth, equal_nan=True)


@pytest.mark.parametrize(("suffix", "largest"), [(".png", 65535), (".jpg", 255), (".npy", 1), (".exr", 1)])
def test_inverse_depth_is_bright_where_near_and_has_no_holes(tmp_path, depth, suffix, largest):
    if suffix == ".exr":
        pytest.importorskip("OpenEXR", reason="the extra exr is not installed")
    path = tmp_path / f"a{suffix}"
    near_m, far_m = da.write_inverse_depth(path, depth)
    assert near_m == pytest.approx(1, abs=0.01)
    assert far_m == np.inf  # the sky
    values = read_raw(path) if largest > 1 else da.read_inverse_depth(path, affine=False)[0]
    share = values / largest
    assert share.shape == depth.shape
    known = np.isfinite(depth)
    assert np.allclose(share[known], near_m / depth[known], atol=0.02 if suffix == ".jpg" else 1e-2)
    assert share[5, 7] == pytest.approx(near_m / depth[5, 8], abs=0.02)  # the hole is filled with what is beside it
    assert values.dtype == (np.uint16 if suffix == ".png" else np.uint8 if suffix == ".jpg" else np.float32)


def test_inverse_depth_becomes_the_same_metres_again(tmp_path, depth):
    near = depth[:40, :60]
    near_m, far_m = da.write_inverse_depth(tmp_path / "a.png", near)
    meaning = Meaning(da.DepthKind.AFFINE_INVERSE, near_m=near_m, far_m=far_m)
    read = depth_of(read_raw_map(tmp_path / "a.png", "depth map"), meaning).values  # 1/metres
    inside = (near > near_m) & (near < far_m)
    assert inside.mean() > 0.99
    assert np.abs(read * near - 1)[inside].max() < 1e-4


def test_one_depth_is_no_range(tmp_path):
    with pytest.raises(da.InputError, match="one depth"):
        da.write_inverse_depth(tmp_path / "a.png", np.full((5, 6), 2, np.float32))
    with pytest.raises(da.InputError, match="no known depth"):
        da.write_inverse_depth(tmp_path / "a.png", np.full((5, 6), np.nan, np.float32))
    with pytest.raises(da.OutputError, match="cannot take"):
        da.write_inverse_depth(tmp_path / "a.webp", np.eye(3, dtype=np.float32) + 1)
    assert not list(tmp_path.iterdir())


# ----------------------------------------------------------------------------------------- COLMAP


@pytest.fixture
def given(tmp_path, depth) -> Path:
    """A folder with a photo of random colours and its depth, wall to wall."""
    colours = np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8)
    da.write_image(tmp_path / "left.png", colours)
    da.write_depth(tmp_path / "z.npz", np.where(np.isfinite(depth), depth, np.float32(2)), camera=CAMERA)
    return tmp_path


def test_colmap_gets_points_that_lie_on_their_pixels(given):
    (given / "sparse").mkdir()
    run("mesh", given / "left.png", "--depth", given / "z.npz", "--points", "-o", given / "sparse/points3D.txt")
    number, kind, *lens = (given / "sparse/cameras.txt").read_text().split()
    assert (number, kind, [float(v) for v in lens]) == ("1", "PINHOLE", [64, 48, 80, 82, 31, 20.75])
    assert (given / "sparse/images.txt").read_text() == "1 1 0 0 0 -0 0 0 1 left.png\n\n"
    table = np.loadtxt(given / "sparse/points3D.txt")
    x, y = table[:, 1] / table[:, 3] * 80 + 30.5, table[:, 2] / table[:, 3] * 82 + 20.25
    pixels = np.rint(np.column_stack([y, x])).astype(int)
    image = da.read_image(given / "left.png")
    assert len(table) > 0.9 * image[..., 0].size
    assert np.abs(np.column_stack([y, x]) - pixels).max() < 1e-2
    assert np.array_equal(table[:, 4:7], image[tuple(pixels.T)])


def test_colmap_reads_its_model(tmp_path):
    pycolmap = pytest.importorskip("pycolmap", reason="pycolmap is not installed")
    cloud = da.PointCloud(
        np.array([[0.5, -0.25, 2], [1, 2, 4]], np.float32), np.array([[9, 8, 7], [1, 2, 3]], np.uint8),
        np.array([[0, 0, -1], [0, 0, -1]], np.float32),
    )  # fmt: skip
    photos = [da.PlacedPhoto("left.png", CAMERA), da.PlacedPhoto("right.png", CAMERA, 0.05)]
    da.write_colmap(tmp_path / "points3D.txt", cloud, photos)
    model = pycolmap.Reconstruction(str(tmp_path))
    right = model.images[2]
    assert (right.name, model.cameras[1].calibration_matrix()[0, 2]) == ("right.png", 31.0)
    assert right.projection_center() == pytest.approx([0.05, 0, 0])
    seen = right.project_point(np.array([0.5, -0.25, 2]))
    assert seen == pytest.approx([0.45 / 2 * 80 + 31, -0.25 / 2 * 82 + 20.75])
    assert model.points3D[1].xyz.tolist() == [0.5, -0.25, 2]
    assert model.points3D[1].color.tolist() == [9, 8, 7]


def test_a_pair_that_is_rectified_has_two_cameras(two_layers):
    pair = two_layers.pair
    opened = da.open_scene(pair.left, pair.right, da.SceneParams(calibration=pair.calibration, quality=da.Quality.FAST))
    assert [(p.name, p.right_m) for p in da.placed_photos(opened)] == [
        ("array", 0),
        ("array", pair.calibration.baseline_m),
    ]


def test_of_a_pair_in_the_wrong_order_the_second_camera_is_to_the_left(two_layers):
    pair = two_layers.pair
    calibration = replace(pair.calibration, doffs_px=4.0)
    params = da.SceneParams(calibration=calibration, doffs_px=4.0, quality=da.Quality.FAST)
    opened = da.open_scene(pair.right, pair.left, params)
    assert not any("is not used" in str(note) for note in opened.notes)
    first, second = da.placed_photos(opened)
    assert second.right_m == -calibration.baseline_m
    assert second.camera == calibration.camera
    assert first.camera.cx == calibration.camera.cx + 4
    with pytest.raises(da.InputError, match="taken from the left"):  # the left view has no depth
        da.make_view3d(opened)


def test_a_colmap_model_has_its_names(given):
    photo = ("mesh", given / "left.png", "--depth", given / "z.npz")
    assert "name it points3D.txt" in run(*photo, "--points", "-o", given / "cloud.txt", code=1).stderr
    assert "a mesh cannot take" in run(*photo, "-o", given / "points3D.txt", code=1).stderr
    turned = ("--points", "-o", given / "points3D.txt", "--axes", "viewer")
    assert "have the axes of the camera" in run(*photo, *turned, code=1).stderr
    assert "two photos" in run("mesh", "--sequence", given, "--points", "-o", given / "points3D.txt", code=1).stderr


# ------------------------------------------------------------------------------------ the camera


def _gltf(data: bytes) -> dict[str, Any]:
    return json.loads(data[20 : 20 + struct.unpack_from("<I", data, 12)[0]])


def _seen(gltf: dict[str, Any], points: Any) -> Any:
    """Where the camera of a file sees points, in shares of its picture from the top left, by glTF's own rules."""
    node = next(n for n in gltf["nodes"] if "camera" in n)
    perspective = gltf["cameras"][node["camera"]]["perspective"]
    matrix = np.reshape(node.get("matrix", np.eye(4).ravel().tolist()), (4, 4)).T
    local = (points - matrix[:3, 3]) @ np.linalg.inv(matrix[:3, :3]).T
    up = 1 / np.tan(perspective["yfov"] / 2)
    x, y = local[:, 0] / -local[:, 2] * up / perspective["aspectRatio"], local[:, 1] / -local[:, 2] * up
    return np.column_stack([(1 + x) / 2, (1 - y) / 2])


@pytest.mark.parametrize("axes", da.Axes)
def test_the_camera_of_a_glb_sees_what_the_photo_shows(axes):
    camera = da.Camera(64, 48, 80.0, 82.0, 31.5, 23.5)
    corners = np.array([[-0.2, 0.1, 1], [0.3, -0.2, 2], [0.1, 0.3, 1.5]], np.float32)  # in the camera's axes
    turn = cv2.Rodrigues(np.array([0.2, -0.4, 0.1]))[0]
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = turn, (1, 2, 3)
    for viewpoint, points in (
        (Viewpoint(camera), corners),
        (Viewpoint(camera, pose), (corners @ turn.T + (1, 2, 3)).astype(np.float32)),
    ):
        mesh = da.TriangleMesh(
            points, np.array([[0, 2, 1]], np.int32), np.tile([0, 0, -1.0], (3, 1)), np.zeros((3, 3), np.uint8)
        )
        gltf = _gltf(mesh_glb(mesh, axes, viewpoint=viewpoint))
        x, y, _ = da.project(corners, camera)
        in_file = points * ([1, 1, 1] if axes is da.Axes.CAMERA else [1, -1, -1])
        assert np.allclose(_seen(gltf, in_file), np.column_stack([(x + 0.5) / 64, (y + 0.5) / 48]), atol=1e-5)
        assert gltf["nodes"][1]["extras"]["cx"] == 31.5


def test_every_written_glb_has_the_photos_camera(tmp_path, step_scene):
    model = da.make_model(step_scene, da.ModelParams(points=True))
    da.write_model(tmp_path / "a.glb", model)
    gltf = _gltf((tmp_path / "a.glb").read_bytes())
    assert gltf["cameras"][0]["perspective"]["yfov"] == pytest.approx(2 * np.arctan(45 / 100))
    assert gltf["scenes"][0]["nodes"] == [0, 1]
