"""Model files as other programs read them."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
import trimesh
from conftest import read_raw

from depthapps import (
    Axes,
    Camera,
    ModelParams,
    OutputError,
    Outputs,
    PageMode,
    TriangleMesh,
    make_model,
    write_cloud,
    write_mesh,
)
from depthapps.core.color import srgb_decode
from depthapps.io.formats import companions
from depthapps.io.models.glb import mesh_glb
from depthapps.io.models.texture import WEB_BYTES
from depthapps.io.page.contents import PageContents, PageModel
from depthapps.io.page.write import write_page


def load(path, **options) -> Any:
    """What trimesh reads, whose kind the tests know and its types do not."""
    return trimesh.load(path, process=False, **options)


def picture(path) -> Any:
    """An image file as (H, W, 3) RGB int."""
    return read_raw(path)[..., 2::-1].astype(int)


@pytest.fixture
def mesh(step_scene):
    return make_model(step_scene).mesh


def write(path, model):
    with Outputs([path, *companions(path)]) as outputs:
        (write_cloud if hasattr(model, "points") else write_mesh)(path, model, outputs=outputs)
    return path


def gltf_json(path) -> dict:
    data = path.read_bytes()
    length, kind = struct.unpack_from("<I4s", data, 12)
    assert (data[:4], kind) == (b"glTF", b"JSON")
    return json.loads(data[20 : 20 + length])


@pytest.mark.parametrize("suffix", [".glb", ".obj"])
def test_textured_models_are_read_back_in_viewers_axes(tmp_path, mesh, suffix):
    path = write(tmp_path / f"model{suffix}", mesh)
    read = load(path, force="mesh")
    assert len(read.faces) == len(mesh.triangles)
    corners = np.asarray(read.vertices)[read.faces]
    assert np.allclose(corners, (mesh.vertices * [1, -1, -1])[mesh.triangles], rtol=1e-4, atol=1e-4)
    uv = np.asarray(read.visual.uv)[read.faces]
    assert np.allclose(uv[..., 0], mesh.uv[mesh.triangles][..., 0], atol=1e-4)
    assert np.allclose(1 - uv[..., 1], mesh.uv[mesh.triangles][..., 1], atol=1e-4)


def test_a_glb_says_what_viewers_need(tmp_path, mesh):
    gltf = gltf_json(write(tmp_path / "model.glb", mesh))
    (material,) = gltf["materials"]
    assert material["doubleSided"] is True
    assert material["pbrMetallicRoughness"]["metallicFactor"] == 0
    assert material["pbrMetallicRoughness"]["roughnessFactor"] == 1
    assert gltf["images"][0]["mimeType"] == "image/png"
    (primitive,) = gltf["meshes"][0]["primitives"]
    assert {"POSITION", "NORMAL", "TEXCOORD_0"} <= set(primitive["attributes"])


def test_an_obj_has_a_material_and_a_texture_of_its_own_name(tmp_path, mesh, step_scene):
    path = write(tmp_path / "chair.obj", mesh)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["chair.mtl", "chair.obj", "chair.png"]
    assert "mtllib chair.mtl" in path.read_text()
    material = (tmp_path / "chair.mtl").read_text()
    assert "map_Kd chair.png" in material
    assert "Kd 1 1 1" in material
    texture = picture(tmp_path / "chair.png")
    assert np.array_equal(texture, step_scene.image)


def test_of_an_obj_all_parts_are_written_or_none(tmp_path, mesh, monkeypatch):
    (tmp_path / "chair.png").write_text("mine")
    with pytest.raises(OutputError, match="exists"):
        write(tmp_path / "chair.obj", mesh)
    (tmp_path / "chair.png").unlink()

    def full_disk(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("depthapps.io.models.write.write_image", full_disk)
    with pytest.raises(OSError, match="space"):
        write(tmp_path / "chair.obj", mesh)
    assert not list(tmp_path.iterdir())


def test_an_obj_with_a_blank_in_its_name_is_refused_whole(tmp_path, mesh):
    with pytest.raises(OutputError, match="blank"):
        write(tmp_path / "my chair.obj", mesh)
    assert not list(tmp_path.iterdir())


def test_ply_keeps_camera_axes_and_colours(tmp_path, mesh):
    read = load(write(tmp_path / "model.ply", mesh))
    assert np.allclose(read.vertices, mesh.vertices)
    assert np.array_equal(read.faces, mesh.triangles)
    assert np.array_equal(read.visual.vertex_colors[:, :3], mesh.colors)
    assert np.allclose(read.vertex_normals, mesh.normals, atol=1e-5)


def test_clouds_are_read_back(tmp_path, step_scene):
    cloud = make_model(step_scene, ModelParams(points=True)).cloud
    ply = load(write(tmp_path / "cloud.ply", cloud))
    assert isinstance(ply, trimesh.PointCloud)
    assert np.allclose(ply.vertices, cloud.points)
    assert np.array_equal(np.asarray(ply.colors)[:, :3], cloud.colors)
    path = write(tmp_path / "cloud.glb", cloud)
    glb: Any = trimesh.load_scene(path).dump()[0]
    assert np.allclose(glb.vertices, cloud.points * [1, -1, -1], atol=1e-5)
    linear = srgb_decode(cloud.colors[0] / np.float32(255)) * 255  # glTF's vertex colours are linear
    assert np.abs(np.asarray(glb.colors)[0, :3] - linear).max() <= 1


def test_a_stl_is_bare_triangles_in_viewers_axes(tmp_path, mesh):
    read = load(write(tmp_path / "model.stl", mesh))
    assert np.allclose(np.asarray(read.vertices)[read.faces], (mesh.vertices * [1, -1, -1])[mesh.triangles])


@pytest.mark.parametrize("suffix", [".glb", ".obj", ".ply", ".stl"])
def test_axes_may_be_chosen(tmp_path, mesh, suffix):
    path = tmp_path / f"model{suffix}"
    for axes, sign in ((Axes.CAMERA, 1), (Axes.VIEWER, -1)):
        with Outputs([path, *companions(path)], overwrite=True) as outputs:
            write_mesh(path, mesh, axes=axes, outputs=outputs)
        assert np.sign(load(path, force="mesh").vertices[:, 2]).tolist() == [sign] * len(
            load(path, force="mesh").vertices
        )


@pytest.mark.parametrize("suffix", [".glb", ".obj"])
def test_a_mesh_without_a_texture_has_vertex_colours(tmp_path, mesh, suffix):
    bare = replace(mesh, uv=None, texture=None)
    path = tmp_path / f"model{suffix}"
    with Outputs([path]) as outputs:
        write_mesh(path, bare, outputs=outputs)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    if suffix == ".obj":
        colors = load(path, force="mesh").visual.vertex_colors[:, :3]
        assert np.array_equal(colors, mesh.colors)
    else:  # trimesh drops the colours of what has a material
        gltf, data = gltf_json(path), path.read_bytes()
        view = gltf["bufferViews"][gltf["meshes"][0]["primitives"][0]["attributes"]["COLOR_0"]]
        start = data.index(b"BIN\0") + 4 + view["byteOffset"]
        colors = np.frombuffer(data[start : start + view["byteLength"]], "<f4").reshape(-1, 3)
        assert np.allclose(colors, srgb_decode(mesh.colors / np.float32(255)))


def test_a_glb_for_the_web_stays_small(tmp_path, mesh):
    noise = np.random.default_rng(0).integers(0, 256, (2000, 2000, 3), dtype=np.uint8)  # nothing is harder to pack
    heavy = mesh_glb(replace(mesh, texture=noise), web=True)
    assert len(heavy) <= WEB_BYTES
    (tmp_path / "web.glb").write_bytes(heavy)
    assert gltf_json(tmp_path / "web.glb")["images"][0]["mimeType"] == "image/jpeg"
    light = mesh_glb(replace(mesh, texture=cv2.GaussianBlur(noise, (0, 0), 9)[:400, :400]), web=True)
    (tmp_path / "web.glb").write_bytes(light)
    texture = np.asarray(load(tmp_path / "web.glb", force="mesh").visual.material.baseColorTexture.convert("RGB"))
    assert np.abs(texture.astype(int) - cv2.GaussianBlur(noise, (0, 0), 9)[:400, :400]).mean() < 2


def test_open3d_reads_the_ply(tmp_path, mesh):
    from depthapps.runtime.open3d import import_open3d

    read = import_open3d().io.read_triangle_mesh(str(write(tmp_path / "model.ply", mesh)))
    assert len(read.triangles) == len(mesh.triangles)
    assert read.has_vertex_colors()


@pytest.mark.parametrize("wild", [np.nan, np.inf, -1e20])
@pytest.mark.parametrize("name", ["a.glb", "a.ply", "a.obj", "a.stl", "a.html"])
def test_vertices_that_are_no_numbers_are_refused(tmp_path, wild, name):
    points = np.array([[0, 0, 1], [1, 0, 1], [0, 1, wild]], np.float32)
    triangles, normals = np.array([[0, 1, 2]], np.int32), np.full((3, 3), (0, 0, -1), np.float32)
    mesh = TriangleMesh(points, triangles, normals, np.zeros((3, 3), np.uint8))
    page, camera = name.endswith("html"), Camera.centred(4, 4, 4.0)
    contents = PageContents(PageModel(mesh, camera), "", PageMode.TURN)
    with pytest.raises(OutputError, match="no numbers") as caught:
        write_page(tmp_path / name, contents) if page else write_mesh(tmp_path / name, mesh)
    assert caught.value.hint
    assert not list(tmp_path.iterdir())
