"""STL and 3MF as other programs read them."""

from __future__ import annotations

import io
import zipfile
from xml.etree import ElementTree

import numpy as np
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
