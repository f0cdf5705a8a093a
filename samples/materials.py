"""Materials of the sample still life, and numpy meshes and textures as Mitsuba objects."""

from __future__ import annotations

from typing import Any

import mitsuba as mi
import numpy as np
from numpy.typing import NDArray
from shapes import Mesh

Description = dict[str, Any]


def bitmap(pixels: NDArray[Any], repeat: float = 1.0) -> Description:
    """Bitmap texture; 8-bit arrays are taken as sRGB colours, float arrays as plain numbers."""
    if pixels.dtype != np.uint8:
        pixels = np.ascontiguousarray(pixels, np.float32)[..., None]
    return {
        "type": "bitmap",
        "bitmap": mi.Bitmap(np.ascontiguousarray(pixels)),
        "raw": pixels.dtype != np.uint8,
        "to_uv": mi.ScalarTransform4f().scale([repeat, repeat, 1]),
    }


def color(red: float, green: float, blue: float) -> Description:
    """Linear RGB colour."""
    return {"type": "rgb", "value": [red, green, blue]}


def matt(reflectance: Description, relief: Description | None = None, depth: float = 0.0) -> Description:
    """Two-sided diffuse material, optionally with bumps ``depth`` metres high."""
    bsdf: Description = {"type": "diffuse", "reflectance": reflectance}
    if relief is not None:
        bsdf = {"type": "bumpmap", "arbitrary": relief, "scale": depth, "bsdf": bsdf}
    return {"type": "twosided", "bsdf": bsdf}


def satin(
    reflectance: Description, roughness: float, specular: float, relief: Description | None = None, depth: float = 0.0
) -> Description:
    """Two-sided material with a soft sheen."""
    bsdf: Description = {
        "type": "principled",
        "base_color": reflectance,
        "roughness": roughness,
        "specular": specular,
    }
    if relief is not None:
        bsdf = {"type": "bumpmap", "arbitrary": relief, "scale": depth, "bsdf": bsdf}
    return {"type": "twosided", "bsdf": bsdf}


def mesh_shape(mesh: Mesh, material: Description) -> mi.Mesh:
    """Mitsuba mesh with its material (texture row 0 is at v = 1)."""
    properties = mi.Properties()
    properties["bsdf"] = mi.load_dict(material)
    shape = mi.Mesh(
        "mesh",
        len(mesh.points),
        len(mesh.triangles),
        has_vertex_normals=True,
        has_vertex_texcoords=True,
        props=properties,
    )
    buffers = mi.traverse(shape)
    buffers["vertex_positions"] = mesh.points.astype(np.float32).ravel()
    buffers["vertex_normals"] = mesh.normals.astype(np.float32).ravel()
    buffers["vertex_texcoords"] = (mesh.uvs * (1, -1) + (0, 1)).astype(np.float32).ravel()
    buffers["faces"] = mesh.triangles.astype(np.uint32).ravel()
    buffers.update()
    return shape
