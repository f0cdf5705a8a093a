"""USDZ files as OpenUSD reads them, and as Apple's viewers ask for them."""

from __future__ import annotations

import struct
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from depthapps import Axes, TriangleMesh, write_mesh
from depthapps.core.color import srgb_decode
from depthapps.io.models.texture import WEB_BYTES
from depthapps.io.models.usdz import usdz_bytes

POINTS = np.array([[-0.5, -0.25, 1], [1.5, -0.25, 2], [1.5, 0.75, 2.5], [-0.5, 0.75, 1.25]], np.float32)
NORMALS = np.tile(np.array([0.6, 0, -0.8], np.float32), (4, 1))
COLORS = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [10, 20, 30]], np.uint8)
UV = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
TEXTURE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
TRIANGLES = np.array([[0, 2, 1], [0, 3, 2]], np.int32)
MESH = TriangleMesh(POINTS, TRIANGLES, NORMALS, COLORS, UV, TEXTURE)


@pytest.fixture
def usd() -> Any:
    """OpenUSD's Python packages."""
    return pytest.importorskip("pxr", reason="usd-core is not installed")


def opened(path: Path) -> tuple[Any, Any]:
    """The stage of a file, which has to be kept, and its mesh."""
    from pxr import Usd, UsdGeom  # pyright: ignore[reportMissingImports]

    stage = Usd.Stage.Open(str(path))
    return stage, UsdGeom.Mesh(next(p for p in stage.Traverse() if p.IsA(UsdGeom.Mesh)))


def test_a_package_is_stored_and_aligned_with_the_layer_first():
    for web in (False, True):
        data = usdz_bytes(MESH, web=web)
        with zipfile.ZipFile(BytesIO(data)) as package:
            entries = package.infolist()
            assert package.testzip() is None
        assert [e.filename for e in entries] == ["model.usda", "photo.jpg" if web else "photo.png"]
        for entry in entries:
            name, extra = struct.unpack_from("<HH", data, entry.header_offset + 26)
            assert (entry.header_offset + 30 + name + extra) % 64 == 0
            assert (entry.compress_type, entry.flag_bits) == (zipfile.ZIP_STORED, 0)
    assert usdz_bytes(MESH) == usdz_bytes(MESH)


def complaints(path: Path) -> list[str]:
    """What the validators of OpenUSD have against a file, those of packages and of shaders among them."""
    validation: Any = pytest.importorskip("pxr.UsdValidation", reason="this usd-core has no validators")
    from pxr import Usd  # pyright: ignore[reportMissingImports]

    every = validation.ValidationRegistry().GetOrLoadAllValidators()
    assert len(every) > 20
    stage = Usd.Stage.Open(str(path))
    return [error.GetMessage() for error in validation.ValidationContext(every).Validate(stage)]


@pytest.mark.parametrize("web", [False, True])
def test_openusds_validators_find_nothing(tmp_path, usd, web):
    write_mesh(tmp_path / "a.usdz", MESH, web=web)
    assert complaints(tmp_path / "a.usdz") == []
    with zipfile.ZipFile(tmp_path / "b.usdz", "w") as package:
        package.writestr("model.usda", "#usda 1.0\n")
    assert any(
        "invalid offset 40" in text for text in complaints(tmp_path / "b.usdz")
    )  # not aligned: they are not blind


@pytest.mark.parametrize("axes", Axes)
def test_openusd_reads_the_surface_in_metres_standing_on_the_floor(tmp_path, usd, axes):
    from pxr import Usd, UsdGeom  # pyright: ignore[reportMissingImports]

    write_mesh(tmp_path / "a.usdz", MESH, axes=axes)
    stage, mesh = opened(tmp_path / "a.usdz")
    assert (UsdGeom.GetStageUpAxis(stage), UsdGeom.GetStageMetersPerUnit(stage)) == ("Y", 1)
    signs = [1, 1, 1] if axes is Axes.CAMERA else [1, -1, -1]
    assert np.allclose(mesh.GetPointsAttr().Get(), POINTS * signs, atol=1e-4)
    assert np.allclose(mesh.GetNormalsAttr().Get(), NORMALS * signs, atol=0.005)
    assert np.reshape(mesh.GetFaceVertexIndicesAttr().Get(), (-1, 3)).tolist() == TRIANGLES.tolist()
    assert list(mesh.GetFaceVertexCountsAttr().Get()) == [3, 3]
    st = UsdGeom.PrimvarsAPI(mesh).GetPrimvar("st")
    assert np.allclose(st.Get(), UV * [1, -1] + [0, 1])
    matrix = np.array(UsdGeom.XformCache(Usd.TimeCode.Default()).GetLocalToWorldTransform(mesh.GetPrim()))
    shown = np.column_stack([POINTS * signs, np.ones(4)]) @ matrix
    assert np.allclose(np.ptp(shown[:, :3], axis=0), [2, 1, 1.5], atol=1e-4)  # true size
    assert shown[:, 1].min() == pytest.approx(0, abs=1e-4)
    assert shown[0, 1] > shown[3, 1]  # the top of the photo is up
    assert shown[0, 2] > shown[1, 2]  # and what is near is near
    assert (shown[:, [0, 2]].min(axis=0) + shown[:, [0, 2]].max(axis=0)).tolist() == pytest.approx([0, 0], abs=1e-4)


def test_the_texture_is_the_photo(tmp_path, usd):
    from pxr import UsdShade  # pyright: ignore[reportMissingImports]

    write_mesh(tmp_path / "a.usdz", MESH)
    _stage, mesh = opened(tmp_path / "a.usdz")
    material, _relation = UsdShade.MaterialBindingAPI(mesh).ComputeBoundMaterial()
    surface = material.ComputeSurfaceSource()[0]
    texture = UsdShade.Shader(surface.GetInput("diffuseColor").GetConnectedSources()[0][0].source)
    asset = texture.GetInput("file").Get()
    assert asset.resolvedPath.endswith("a.usdz[photo.png]")
    with zipfile.ZipFile(tmp_path / "a.usdz") as package:
        stored = cv2.imdecode(np.frombuffer(package.read("photo.png"), np.uint8), cv2.IMREAD_COLOR)
    assert stored is not None
    assert np.array_equal(stored[..., ::-1], TEXTURE)


def test_without_a_texture_the_vertices_have_colours(tmp_path, usd):
    write_mesh(tmp_path / "a.usdz", replace(MESH, uv=None, texture=None))
    _stage, mesh = opened(tmp_path / "a.usdz")
    assert np.allclose(mesh.GetDisplayColorAttr().Get(), srgb_decode(COLORS / np.float32(255)), atol=1e-4)
    assert complaints(tmp_path / "a.usdz") == []


def test_for_the_web_it_stays_small():
    side = 200
    y, x = np.mgrid[:side, :side].astype(np.float32)
    points = np.column_stack([x.ravel() / 71, y.ravel() / 71, 2 + np.sin(x + y).ravel() / 3]).astype(np.float32)
    corner = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).ravel()
    triangles = np.concatenate(
        [[corner, corner + side, corner + 1], [corner + 1, corner + side, corner + side + 1]], 1
    ).T
    noise = np.random.default_rng(0).integers(0, 256, (1500, 1500, 3), np.uint8)  # nothing is harder to pack
    uv = np.column_stack([x.ravel(), y.ravel()]) / (side - 1)
    normals = np.tile(np.array([0.123, 0.456, -0.789], np.float32), (side * side, 1))
    heavy = TriangleMesh(points, triangles.astype(np.int32), normals, np.zeros(points.shape, np.uint8), uv, noise)
    data = usdz_bytes(heavy, web=True)
    assert 0.5 * WEB_BYTES < len(data) <= WEB_BYTES


def test_what_no_photo_shows_is_a_mesh_of_its_own(tmp_path, usd):
    from pxr import UsdGeom  # pyright: ignore[reportMissingImports]

    write_mesh(tmp_path / "a.usdz", replace(MESH, filled=np.array([False, True])))
    stage, _mesh = opened(tmp_path / "a.usdz")
    corners = {}
    for name in ("surface", "filled"):
        mesh = UsdGeom.Mesh(stage.GetPrimAtPath(f"/photo/{name}"))
        points = np.array(mesh.GetPointsAttr().Get())
        corners[name] = points[list(mesh.GetFaceVertexIndicesAttr().Get())]
    for name, triangle in zip(("surface", "filled"), TRIANGLES, strict=True):
        assert np.allclose(corners[name], POINTS[triangle] * [1, -1, -1], atol=1e-4)
    assert complaints(tmp_path / "a.usdz") == []


def test_what_an_array_is_of_stands_on_lines_of_its_own():
    """three.js reads an array up to the end of its line."""
    with zipfile.ZipFile(BytesIO(usdz_bytes(MESH))) as package:
        lines = package.read("model.usda").decode().splitlines()
    arrays = [line for line in lines if "[] " in line]
    assert len(arrays) > 3
    assert all(line.endswith(("]", "] (")) for line in arrays)
