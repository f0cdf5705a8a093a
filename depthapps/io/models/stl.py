"""Bare triangles for slicers: STL, which has no unit, and 3MF, which says millimetres."""

from __future__ import annotations

import zipfile
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from depthapps.io.models.text_rows import format_rows

SOLID_SUFFIXES = (".stl", ".3mf")

_TYPES = """<?xml version="1.0" encoding="UTF-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/>
</Types>"""
_RELATIONS = """<?xml version="1.0" encoding="UTF-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="model" Target="/3D/3dmodel.model" Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/>
</Relationships>"""
_MODEL_START = """<?xml version="1.0" encoding="UTF-8"?>
<model unit="millimeter" xml:lang="en-US" xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02">
<resources><object id="1" type="model"><mesh>
"""
_MODEL_END = """</mesh></object></resources><build><item objectid="1"/></build>
</model>"""


def stl_bytes(vertices: NDArray[np.floating], triangles: NDArray[np.int32]) -> bytes:
    """Binary STL of vertices (V, 3) and triangles (T, 3)."""
    corners = vertices[triangles].astype("<f4")
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    faces = np.zeros(len(triangles), [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attributes", "<u2")])
    faces["normal"], faces["corners"] = normals / np.where(length > 0, length, 1), corners
    return b"depthapps".ljust(80) + np.uint32(len(triangles)).tobytes() + faces.tobytes()


def threemf_bytes(vertices_mm: NDArray[np.floating], triangles: NDArray[np.int32]) -> bytes:
    """3MF of one body, vertices (V, 3) in millimetres; trimesh's writer would need lxml for it."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as package:
        package.writestr("[Content_Types].xml", _TYPES)
        package.writestr("_rels/.rels", _RELATIONS)
        with package.open("3D/3dmodel.model", "w") as model:
            model.write(_MODEL_START.encode())
            for tag, row, values in (
                ("vertices", '<vertex x="{0}" y="{1}" z="{2}"/>\n', vertices_mm),
                ("triangles", '<triangle v1="{0}" v2="{1}" v3="{2}"/>\n', triangles),
            ):
                model.write(f"<{tag}>\n".encode())
                model.writelines(format_rows(row, values))
                model.write(f"</{tag}>\n".encode())
            model.write(_MODEL_END.encode())
    return packed.getvalue()
