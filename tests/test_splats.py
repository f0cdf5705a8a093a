"""Gaussian splats: each covers its pixel, and the files are read as they were meant."""

from __future__ import annotations

import gzip
import json
import struct
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from test_cli import run

import depthapps as da
from depthapps.io.models.splats import spz_bytes

CAMERA = da.Camera(64, 48, 80.0, 80.0, 31.5, 23.5)


def slope(tilt: float) -> da.PointCloud:
    """The pixels of a plane 2 m away that recedes to the right, with a colour each."""
    rays = np.stack(np.meshgrid((np.arange(64) - 31.5) / 80, (np.arange(48) - 23.5) / 80), axis=-1).reshape(-1, 2)
    depth = 2 / (1 - tilt * rays[:, 0])  # z = 2 + tilt * x
    points = np.column_stack([rays * depth[:, None], depth]).astype(np.float32)
    normal = np.array([tilt, 0, -1]) / np.hypot(tilt, 1)
    colors = np.random.default_rng(0).integers(0, 256, (len(points), 3), np.uint8)
    return da.PointCloud(points, colors, np.tile(normal.astype(np.float32), (len(points), 1)))


def matrices(quaternions: np.ndarray) -> np.ndarray:
    """Rotations (N, 3, 3) of quaternions w, x, y, z, by OpenCV's rotation vectors."""
    q = quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True)
    angle = 2 * np.arctan2(np.linalg.norm(q[:, 1:], axis=1), q[:, 0])
    axis = q[:, 1:] / np.maximum(np.linalg.norm(q[:, 1:], axis=1, keepdims=True), 1e-12)
    return np.stack([cv2.Rodrigues(a * t)[0] for a, t in zip(axis, angle, strict=True)])


def layers(splats: da.GaussianSplats, points: int) -> np.ndarray:
    """The size of each splat in pixels (N,): first small ones, one a point, then large ones."""
    return np.repeat([0.3, 1.2], [points, len(splats.centers) - points])


def opacities(splats: da.GaussianSplats) -> np.ndarray:
    assert splats.opacities is not None
    return splats.opacities


def covariances(splats: da.GaussianSplats) -> np.ndarray:
    turned = matrices(splats.rotations) * splats.scales_m[:, None, :]
    return turned @ turned.transpose(0, 2, 1)


@pytest.mark.parametrize("tilt", [0.0, 0.8, -1.2])
def test_a_splat_covers_the_pixel_that_it_comes_from(tilt):
    cloud = slope(tilt)
    splats = da.splats_of_cloud(cloud, CAMERA)
    spread = covariances(splats)
    size = layers(splats, len(cloud.points))
    x, y, z = splats.centers.T
    zero = np.zeros_like(z)
    rows = np.column_stack([80 / z, zero, -80 * x / z**2]), np.column_stack([zero, 80 / z, -80 * y / z**2])
    jacobian = np.stack(rows, axis=1)
    seen = jacobian @ spread @ jacobian.transpose(0, 2, 1)  # (N, 2, 2), in pixels
    sigma = np.sqrt(np.linalg.eigvalsh(seen)) / size[:, None]
    assert sigma.min() > 0.4 / 0.45
    assert sigma.max() < 0.6 / 0.45
    flat = np.sqrt(np.einsum("i,nij,j->n", cloud.normals[0], spread, cloud.normals[0]))
    assert np.allclose(flat[: len(cloud.points)], 0.05 * 0.3 * cloud.points[:, 2] / 80, rtol=1e-3)  # along the normal
    assert (flat < 0.06 * size * z / 80).all()


@pytest.mark.parametrize("tilt", [0.0, 0.8, -1.2])
def test_behind_the_splats_of_four_pixels_is_a_large_one_that_is_opaque(tilt):
    cloud = slope(tilt)
    splats = da.splats_of_cloud(cloud, CAMERA)
    count = len(cloud.points)
    assert np.allclose(opacities(splats)[:count], 0.6)
    assert np.allclose(opacities(splats)[count:], 0.99)
    assert np.array_equal(splats.centers[:count], cloud.points)
    behind = splats.centers[count:]
    assert len(behind) == count / 4
    inward = np.array([-tilt, 0, 1]) / np.hypot(tilt, 1)
    away = behind @ inward - cloud.points[0] @ inward
    assert away.min() > 1.9 * behind[:, 2].min() / 80  # two pixels, however the surface is tilted
    cells = np.rint(behind[:, :2] / behind[:, 2:] * 80 + (31.5, 23.5)).astype(int) // 2
    assert len(np.unique(cells, axis=0)) == count / 4


@pytest.mark.parametrize("name", ["a.ply", "a.spz", "a.glb"])
def test_splats_that_no_viewer_could_show_are_not_written(tmp_path, name):
    splats = da.splats_of_cloud(slope(0.0), CAMERA)
    splats.centers[7, 1] = np.nan
    with pytest.raises(da.OutputError, match="no numbers"):
        da.write_splats(tmp_path / name, splats)
    assert not list(tmp_path.iterdir())


def test_splats_seen_straight_ahead_have_sizes_too():
    ahead = np.array([[0, 0, 2]], np.float32)
    cloud = da.PointCloud(ahead, np.zeros((1, 3), np.uint8), -ahead / 2)
    splats = da.splats_of_cloud(cloud, CAMERA)
    assert np.allclose(np.sort(splats.scales_m[0]), [0.05 * 0.0075, 0.0075, 0.0075])
    assert np.isfinite(splats.rotations).all()


def test_splats_without_opacities_are_opaque(tmp_path):
    splats = replace(da.splats_of_cloud(slope(0.0), CAMERA), opacities=None)
    da.write_splats(tmp_path / "a.ply", splats)
    assert np.allclose(1 / (1 + np.exp(-_ply((tmp_path / "a.ply").read_bytes())["opacity"])), 0.99)


def test_where_two_surfaces_lie_at_one_place_the_first_is_shown():
    first = slope(0.0)
    points, normals = np.concatenate([first.points] * 2), np.concatenate([first.normals] * 2)
    both = da.PointCloud(points, np.concatenate([first.colors, 0 * first.colors]), normals)
    assert np.array_equal(da.splats_of_cloud(both, CAMERA).colors, da.splats_of_cloud(first, CAMERA).colors)


def test_surfaces_of_one_colour_keep_it():
    cloud = replace(slope(0.8), colors=np.full((64 * 48, 3), (200, 90, 30), np.uint8))
    assert (da.splats_of_cloud(cloud, CAMERA).colors == (200, 90, 30)).all()


def _ply(data: bytes) -> dict[str, np.ndarray]:
    head, _, body = data.partition(b"end_header\n")
    names = [line.split()[-1].decode() for line in head.splitlines() if line.startswith(b"property float")]
    return dict(zip(names, np.frombuffer(body, "<f4").reshape(-1, len(names)).T, strict=True))


def test_a_ply_has_the_numbers_of_the_papers_program(tmp_path):
    splats = da.splats_of_cloud(slope(0.5), CAMERA)
    da.write_splats(tmp_path / "a.ply", splats)
    found = _ply((tmp_path / "a.ply").read_bytes())
    assert np.allclose(np.column_stack([found[n] for n in "xyz"]), splats.centers)
    colors = np.column_stack([found[f"f_dc_{k}"] for k in range(3)]) * 0.28209479 + 0.5
    assert np.allclose(colors * 255, splats.colors, atol=1e-3)
    assert np.allclose(np.exp(np.column_stack([found[f"scale_{k}"] for k in range(3)])), splats.scales_m)
    assert np.allclose(1 / (1 + np.exp(-found["opacity"])), opacities(splats))
    assert np.allclose(np.column_stack([found[f"rot_{k}"] for k in range(4)]), splats.rotations)


def _glb(data: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The JSON of a GLB, and the arrays of its first primitive by the names of its attributes."""
    length = struct.unpack_from("<I", data, 12)[0]
    gltf, body = json.loads(data[20 : 20 + length]), data[28 + length :]
    arrays = {}
    for name, number in gltf["meshes"][0]["primitives"][0]["attributes"].items():
        accessor = gltf["accessors"][number]
        start, size = (gltf["bufferViews"][accessor["bufferView"]][key] for key in ("byteOffset", "byteLength"))
        columns = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}[accessor["type"]]
        arrays[name] = np.frombuffer(body[start : start + size], "<f4").reshape(-1, columns)
        assert len(arrays[name]) == accessor["count"]
    return gltf, arrays


def test_a_glb_has_the_numbers_of_khronos_extension(tmp_path):
    splats = da.splats_of_cloud(slope(0.5), CAMERA)
    da.write_splats(tmp_path / "a.glb", splats)
    gltf, found = _glb((tmp_path / "a.glb").read_bytes())
    primitive, prefix = gltf["meshes"][0]["primitives"][0], "KHR_gaussian_splatting"
    assert gltf["extensionsUsed"] == [prefix]
    assert primitive["extensions"] == {prefix: {"kernel": "ellipse", "colorSpace": "srgb_rec709_display"}}
    assert primitive["mode"] == 0  # points, which programs without the extension show
    assert np.allclose(found["POSITION"], splats.centers * [1, -1, -1])
    assert np.allclose(found[f"{prefix}:SCALE"], splats.scales_m)
    assert np.allclose(found[f"{prefix}:OPACITY"][:, 0], opacities(splats))
    colors = found[f"{prefix}:SH_DEGREE_0_COEF_0"] * 0.28209479 + 0.5
    assert np.allclose(colors * 255, splats.colors, atol=1e-3)
    turned = found[f"{prefix}:ROTATION"]
    assert np.allclose(np.linalg.norm(turned, axis=1), 1)
    w_first = turned[:20, [3, 0, 1, 2]]
    assert np.allclose(matrices(w_first), np.diag([1, -1, -1]) @ matrices(splats.rotations[:20]), atol=1e-5)


@pytest.mark.parametrize("suffix", [".ply", ".spz"])
def test_another_program_reads_the_splats(tmp_path, suffix):
    gsply = pytest.importorskip("gsply", reason="gsply is not installed")
    splats = da.splats_of_cloud(slope(0.5), CAMERA)
    da.write_splats(tmp_path / f"a{suffix}", splats, axes=da.Axes.CAMERA)
    read = (gsply.plyread if suffix == ".ply" else gsply.read_spz)(str(tmp_path / f"a{suffix}"))
    assert np.allclose(read.means, splats.centers, atol=2e-4)
    assert np.allclose(read.sh0 * 0.28209479 + 0.5, splats.colors / 255, atol=0.008)


def test_an_spz_holds_bytes_that_mean_the_same(tmp_path):
    splats = da.splats_of_cloud(slope(0.5), CAMERA)
    count = len(splats.centers)
    data = gzip.decompress(spz_bytes(splats, da.Axes.CAMERA))
    assert struct.unpack_from("<IIIBBBB", data) == (0x5053474E, 2, count, 0, 12, 0, 0)
    assert len(data) == 16 + count * (9 + 1 + 3 + 3 + 3)
    body = np.frombuffer(data, np.uint8, offset=16)
    low = body[: 9 * count].reshape(count, 3, 3).astype(np.int32)
    fixed = low[..., 0] | low[..., 1] << 8 | low[..., 2] << 16
    assert np.allclose(np.where(fixed >= 1 << 23, fixed - (1 << 24), fixed) / 4096, splats.centers, atol=1.3e-4)
    assert np.allclose(body[9 * count : 10 * count] / 255, opacities(splats), atol=0.5 / 255)
    colors, sizes, turned = body[10 * count :].reshape(3, count, 3).astype(float)
    assert np.abs(((colors / 255 - 0.5) / 0.15 * 0.28209479 + 0.5) * 255 - splats.colors).max() < 1
    assert np.allclose(np.exp(sizes / 16 - 10), splats.scales_m, rtol=0.033)
    turned = turned / 127.5 - 1
    whole = np.column_stack([np.sqrt(np.maximum(1 - (turned**2).sum(axis=1), 0)), turned])
    assert np.abs((whole * splats.rotations).sum(axis=1)).min() > 0.99  # bytes
    assert spz_bytes(splats) == spz_bytes(splats)


def test_an_spz_of_far_things_holds_where_they_are():
    near = da.splats_of_cloud(slope(0.5), CAMERA)
    splats = replace(near, centers=near.centers * np.float32(5000 / np.abs(near.centers).max()))
    data = gzip.decompress(spz_bytes(splats, da.Axes.CAMERA))
    fraction, count = data[13], len(splats.centers)
    low = np.frombuffer(data, np.uint8, 9 * count, 16).reshape(count, 3, 3).astype(np.int32)
    fixed = low[..., 0] | low[..., 1] << 8 | low[..., 2] << 16
    found = np.where(fixed >= 1 << 23, fixed - (1 << 24), fixed) / (1 << fraction)
    assert fraction == 10
    assert np.allclose(found, splats.centers, atol=0.6 / (1 << fraction))
    with pytest.raises(da.OutputError, match="so far away"):
        spz_bytes(replace(near, centers=near.centers * np.float32(1e9)), da.Axes.CAMERA)


def test_in_viewers_axes_the_splats_turn_with_their_places(tmp_path):
    splats = da.splats_of_cloud(slope(0.5), CAMERA)
    da.write_splats(tmp_path / "a.ply", splats, axes=da.Axes.VIEWER)
    found = _ply((tmp_path / "a.ply").read_bytes())
    turned = matrices(np.column_stack([found[f"rot_{k}"] for k in range(4)])[:20])
    assert np.allclose(turned, np.diag([1, -1, -1]) @ matrices(splats.rotations[:20]), atol=1e-5)
    assert np.allclose(found["y"], -splats.centers[:, 1])


def test_the_command_writes_splats_and_refuses_what_they_have_not(tmp_path):
    da.write_image(tmp_path / "p.png", np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8))
    da.write_depth(tmp_path / "z.npz", slope(0.5).points[:, 2].reshape(48, 64), camera=CAMERA)
    photo = ("mesh", tmp_path / "p.png", "--depth", tmp_path / "z.npz", "--splats")
    run(*photo, "-o", tmp_path / "a.ply", "-o", tmp_path / "a.spz")
    found = _ply((tmp_path / "a.ply").read_bytes())
    assert len(found["x"]) > 1.1 * 64 * 48
    assert (tmp_path / "a.spz").stat().st_size < (tmp_path / "a.ply").stat().st_size / 3
    run(*photo, "-o", tmp_path / "c.glb")
    gltf, read = _glb((tmp_path / "c.glb").read_bytes())
    assert len(read["POSITION"]) == len(found["x"])
    assert gltf["cameras"][0]["perspective"]["aspectRatio"] == pytest.approx(64 / 48)
    assert "; .spz is written by --splats" in run(*photo[:-1], "-o", tmp_path / "b.spz", code=1).stderr
    assert "; .3mf is written by --preset print" in run(*photo, "-o", tmp_path / "b.3mf", code=1).stderr
    assert "a splat file cannot take" in run(*photo, "-o", tmp_path / "b.obj", code=1).stderr
    assert "no triangles" in run(*photo, "-o", tmp_path / "b.ply", "--preset", "web", code=1).stderr
    assert "none of --points" in run(*photo, "-o", tmp_path / "b.ply", "--points", code=1).stderr


@pytest.mark.parametrize("suffix", [".ply", ".spz", ".glb"])
def test_splats_are_the_same_bytes_in_however_many_parts_they_are_made(suffix, tmp_path, monkeypatch):
    rng = np.random.default_rng(4)
    points = np.column_stack([rng.uniform(-1, 1, (5000, 2)), rng.uniform(2, 3, 5000)]).astype(np.float32)
    cloud = da.PointCloud(
        points, rng.integers(0, 256, (5000, 3), np.uint8), np.tile(np.array([0, 0, -1], np.float32), (5000, 1))
    )
    camera = da.Camera.centred(80, 60, 80.0)
    whole, parts = tmp_path / f"whole{suffix}", tmp_path / f"parts{suffix}"
    da.write_splats(whole, da.splats_of_cloud(cloud, camera))
    monkeypatch.setattr("depthapps.mesh.splats._AT_ONCE", 700)
    monkeypatch.setattr("depthapps.io.models.splats._PART", 900)
    monkeypatch.setattr("depthapps.io.models.glb._ROWS", 1100)
    da.write_splats(parts, da.splats_of_cloud(cloud, camera))
    assert parts.read_bytes() == whole.read_bytes()
