"""Wavefront OBJ: text, with a material file and a texture beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np

from depthapps.core.choices import Axes
from depthapps.core.models import TriangleMesh
from depthapps.io.models.axes import in_axes
from depthapps.io.models.text_rows import format_rows

_FACE = "f {0}/{0}/{0} {1}/{1}/{1} {2}/{2}/{2}\n"


def obj_pieces(mesh: TriangleMesh, axes: Axes, material: str | None) -> Iterator[bytes]:
    """The text of an OBJ in pieces.

    material: the name of the material file. None: the mesh has no texture, and each vertex carries its colour, which
    most readers take.
    """
    corners = mesh.triangles + 1  # vertex, texture coordinate and normal of a corner have the same number
    vertices, normals = in_axes(mesh.vertices, axes), in_axes(mesh.normals, axes)
    normal_rows = format_rows("vn {0} {1} {2}\n", np.round(normals, 3))
    if material is None or mesh.uv is None:
        colored = np.hstack([vertices, np.round(mesh.colors / 255, 4)])
        yield from format_rows("v {0} {1} {2} {3} {4} {5}\n", colored)
        yield from normal_rows
        yield from format_rows("f {0}//{0} {1}//{1} {2}//{2}\n", corners)
        return
    yield b"mtllib " + os.fsencode(material) + b"\nusemtl photo\n"
    yield from format_rows("v {0} {1} {2}\n", vertices)
    yield from format_rows("vt {0} {1}\n", np.stack([mesh.uv[:, 0], 1 - mesh.uv[:, 1]], axis=1))
    yield from normal_rows
    filled = np.zeros(len(corners), bool) if mesh.filled is None else mesh.filled
    yield from format_rows(_FACE, corners[~filled])
    if filled.any():
        yield b"g filled\nusemtl filled\n"
        yield from format_rows(_FACE, corners[filled])


def mtl_bytes(mesh: TriangleMesh, texture: str) -> bytes:
    """The material file: the texture of this file name as it is, without light, for each part of the mesh."""
    names = [b"photo"] + [b"filled"] * (mesh.filled is not None and bool(mesh.filled.any()))
    each = b"newmtl %s\nKa 0 0 0\nKd 1 1 1\nKs 0 0 0\nillum 1\nmap_Kd %s\n"
    return b"".join(each % (name, os.fsencode(texture)) for name in names)
