"""STL and 3MF as other programs read them."""

from __future__ import annotations

import io
import zipfile
from xml.etree import ElementTree

import numpy as np
import pytest
import trimesh

from depthapps.io.models.stl import stl_bytes
from depthapps.io.models.threemf import threemf_bytes

BOX = trimesh.creation.box((10, 20, 30))
VERTICES, TRIANGLES = np.asarray(BOX.vertices, np.float32), np.asarray(BOX.faces, np.int32)


def test_stl_is_closed_and_of_its_size():
    read = trimesh.load_mesh(io.BytesIO(stl_bytes(VERTICES, TRIANGLES)), file_type="stl")
    assert read.is_watertight
    assert np.allclose(read.extents, (10, 20, 30))
    assert np.isclose(read.volume, 6000)


def test_3mf_holds_every_triangle_in_millimetres():
    with zipfile.ZipFile(io.BytesIO(threemf_bytes(VERTICES, TRIANGLES))) as package:
        assert package.testzip() is None
        assert set(package.namelist()) == {"[Content_Types].xml", "_rels/.rels", "3D/3dmodel.model"}
        for name in package.namelist():
            ElementTree.fromstring(package.read(name))
        model = ElementTree.fromstring(package.read("3D/3dmodel.model"))
    assert model.get("unit") == "millimeter"
    space = "{http://schemas.microsoft.com/3dmanufacturing/core/2015/02}"
    vertices = [[float(v.get(k, "")) for k in "xyz"] for v in model.iter(f"{space}vertex")]
    triangles = [[int(t.get(k, "")) for k in ("v1", "v2", "v3")] for t in model.iter(f"{space}triangle")]
    assert np.allclose(vertices, VERTICES)
    assert np.array_equal(triangles, TRIANGLES)


COLORS = np.random.default_rng(0).integers(0, 256, (8, 3)).astype(np.uint8)


def test_3mf_gives_every_vertex_its_colour():
    with zipfile.ZipFile(io.BytesIO(threemf_bytes(VERTICES, TRIANGLES, COLORS))) as package:
        model = ElementTree.fromstring(package.read("3D/3dmodel.model"))
    material = "{http://schemas.microsoft.com/3dmanufacturing/material/2015/02}color"
    listed = [bytes.fromhex(c.attrib["color"][1:]) for c in model.iter(material)]
    space = "{http://schemas.microsoft.com/3dmanufacturing/core/2015/02}"
    for triangle, corners in zip(model.iter(f"{space}triangle"), TRIANGLES, strict=True):
        assert triangle.get("pid") == "2"
        assert [tuple(listed[int(triangle.attrib[p])]) for p in ("p1", "p2", "p3")] == [
            tuple(COLORS[c]) for c in corners
        ]


def test_lib3mf_reads_shape_and_colours_without_a_warning(tmp_path):
    lib3mf = pytest.importorskip("lib3mf", reason="lib3mf is not installed")
    (tmp_path / "a.3mf").write_bytes(threemf_bytes(VERTICES, TRIANGLES, COLORS))
    model = lib3mf.get_wrapper().CreateModel()
    reader = model.QueryReader("3mf")
    reader.SetStrictModeActive(True)
    reader.ReadFromFile(str(tmp_path / "a.3mf"))
    assert reader.GetWarningCount() == 0
    meshes = model.GetMeshObjects()
    assert meshes.MoveNext()
    mesh = meshes.GetCurrentMeshObject()
    assert (mesh.GetVertexCount(), mesh.GetTriangleCount(), mesh.IsManifoldAndOriented()) == (8, 12, True)
    groups = model.GetColorGroups()
    assert groups.MoveNext()
    group = groups.GetCurrentColorGroup()
    properties = mesh.GetTriangleProperties(3)
    colors = [group.GetColor(k) for k in properties.PropertyIDs]
    assert [(c.Red, c.Green, c.Blue) for c in colors] == [tuple(COLORS[c]) for c in TRIANGLES[3]]
