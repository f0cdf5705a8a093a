"""Meshes and point clouds to files that viewers open: GLB, OBJ, PLY and STL."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.choices import Axes
from depthapps.core.errors import OutputError
from depthapps.core.models import PointCloud, TriangleMesh
from depthapps.io.models.glb import build_glb
from depthapps.io.models.solids import stl_bytes
from depthapps.io.models.text_rows import format_rows
from depthapps.io.outputs import Outputs
from depthapps.io.photos.images import write_image

MESH_SUFFIXES = (".glb", ".obj", ".ply", ".stl")
CLOUD_SUFFIXES = (".glb", ".ply")
TEXTURED_SUFFIXES = (".glb", ".obj")
WEB_BYTES = 5_000_000  # what a phone loads in a moment
_JPEG_QUALITIES = (95, 90, 85, 75)
_FULL_CHROMA = (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
_LARGEST_TEXTURE = 4096  # pixels a side that every phone's WebGL takes


_SIGNS = {Axes.CAMERA: np.array([1, 1, 1], np.float32), Axes.VIEWER: np.array([1, -1, -1], np.float32)}


def default_axes(path: Path) -> Axes:
    """The axes that readers of a format expect."""
    return Axes.CAMERA if path.suffix.lower() == ".ply" else Axes.VIEWER


def companions(path: Path) -> list[Path]:
    """The further files that come with a model: an OBJ has a material and a texture beside it, of its own name.

    Raises OutputError for an OBJ that could not name them.
    """
    if path.suffix.lower() != ".obj":
        return []
    if any(c.isspace() for c in path.name):
        raise OutputError(f"{path.name} has a blank in its name, which OBJ files cannot refer to", hint="rename it")
    return [path.with_suffix(".mtl"), path.with_suffix(".png")]


def write_mesh(
    path: Path, mesh: TriangleMesh, outputs: Outputs, axes: Axes | None = None, *, web: bool = False
) -> None:
    """Write a mesh by suffix: .glb and .obj with its texture, .ply with vertex colours, .stl bare.

    axes: those of the format if None. web: a GLB takes at most WEB_BYTES if its triangles allow that.
    """
    suffix = path.suffix.lower()
    signs = _SIGNS[axes or default_axes(path)]
    vertices, normals = mesh.vertices * signs, mesh.normals * signs
    if suffix == ".glb":
        outputs.part(path).write_bytes(mesh_glb(mesh, axes or Axes.VIEWER, web=web))
    elif suffix == ".obj":
        _write_obj(path, mesh, vertices, normals, outputs)
    elif suffix == ".ply":
        outputs.part(path).write_bytes(_ply(vertices, normals, mesh.colors, mesh.triangles))
    else:
        outputs.part(path).write_bytes(stl_bytes(vertices, mesh.triangles))


def write_cloud(path: Path, cloud: PointCloud, outputs: Outputs, axes: Axes | None = None) -> None:
    """Write a point cloud by suffix, .ply or .glb; axes: those of the format if None."""
    signs = _SIGNS[axes or default_axes(path)]
    if path.suffix.lower() == ".ply":
        outputs.part(path).write_bytes(_ply(cloud.points * signs, cloud.normals * signs, cloud.colors, None))
    else:
        outputs.part(path).write_bytes(cloud_glb(cloud, axes or Axes.VIEWER))


def mesh_glb(mesh: TriangleMesh, axes: Axes = Axes.VIEWER, *, web: bool = False) -> bytes:
    """A binary glTF of the mesh: with its texture if it has one, with vertex colours otherwise.

    The texture is PNG, the photo as it is and small beside its geometry; for the web it is the best JPEG that fits.
    """
    signs = _SIGNS[axes]
    vertices, normals = mesh.vertices * signs, mesh.normals * signs
    if mesh.texture is None:
        return build_glb(vertices, triangles=mesh.triangles, normals=normals, colors=mesh.colors)
    geometry = 32 * len(vertices) + 12 * len(mesh.triangles) + 2000
    texture = _jpeg(mesh.texture, WEB_BYTES - geometry) if web else ("image/png", _encoded(".png", mesh.texture, []))
    return build_glb(vertices, triangles=mesh.triangles, normals=normals, uv=mesh.uv, texture=texture)


def cloud_glb(cloud: PointCloud, axes: Axes = Axes.VIEWER) -> bytes:
    """A binary glTF of the points."""
    return build_glb(cloud.points * _SIGNS[axes], colors=cloud.colors)


def _jpeg(texture: NDArray[np.uint8], budget: int) -> tuple[str, bytes]:
    """The texture as the best JPEG that takes no more bytes than the budget, smaller in pixels only if it must be."""
    while max(texture.shape) > _LARGEST_TEXTURE:
        texture = _halved(texture)
    while True:
        for quality in _JPEG_QUALITIES:
            encoded = _encoded(".jpg", texture, [*_FULL_CHROMA, cv2.IMWRITE_JPEG_QUALITY, quality])
            if len(encoded) <= budget or min(texture.shape[:2]) <= 256:
                return "image/jpeg", encoded
        texture = _halved(texture)


def _halved(texture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = texture.shape[:2]
    size = (width + 1) // 2, (height + 1) // 2
    return cv2.resize(texture, size, interpolation=cv2.INTER_AREA)  # pyright: ignore[reportReturnType]


def _encoded(suffix: str, texture: NDArray[np.uint8], options: list[int]) -> bytes:
    return cv2.imencode(suffix, np.ascontiguousarray(texture[..., ::-1]), options)[1].tobytes()


def _write_obj(
    path: Path, mesh: TriangleMesh, vertices: NDArray[np.floating], normals: NDArray[np.floating], outputs: Outputs
) -> None:
    """OBJ with a material of its own name; without a texture its colours stand behind the vertices, as readers take."""
    corners = mesh.triangles + 1  # that of a vertex, of its texture's place and of its normal are the same
    normal_rows = format_rows("vn {0} {1} {2}\n", np.round(normals, 3))
    with outputs.part(path).open("wb") as file:
        if mesh.texture is None or mesh.uv is None:
            colored = np.hstack([vertices, np.round(mesh.colors / 255, 4)])
            file.writelines(format_rows("v {0} {1} {2} {3} {4} {5}\n", colored))
            file.writelines(normal_rows)
            file.writelines(format_rows("f {0}//{0} {1}//{1} {2}//{2}\n", corners))
            return
        material, texture = companions(path)
        write_image(outputs.part(texture), mesh.texture)
        outputs.part(material).write_text(
            f"newmtl photo\nKa 0 0 0\nKd 1 1 1\nKs 0 0 0\nillum 1\nmap_Kd {texture.name}\n", encoding="ascii"
        )
        file.write(f"mtllib {material.name}\nusemtl photo\n".encode())
        file.writelines(format_rows("v {0} {1} {2}\n", vertices))
        file.writelines(format_rows("vt {0} {1}\n", np.stack([mesh.uv[:, 0], 1 - mesh.uv[:, 1]], axis=1)))
        file.writelines(normal_rows)
        file.writelines(format_rows("f {0}/{0}/{0} {1}/{1}/{1} {2}/{2}/{2}\n", corners))


def _ply(
    points: NDArray[np.floating],
    normals: NDArray[np.floating],
    colors: NDArray[np.uint8],
    triangles: NDArray[np.int32] | None,
) -> bytes:
    """Binary little-endian PLY with the property names that all readers know."""
    names = [*zip(("x", "y", "z", "nx", "ny", "nz"), ["<f4"] * 6, strict=True)]
    vertex = np.empty(len(points), [*names, ("red", "u1"), ("green", "u1"), ("blue", "u1")])
    for name, column in zip(vertex.dtype.names or (), np.hstack([points, normals, colors]).T, strict=True):
        vertex[name] = column
    kinds = {"<f4": "float", "|u1": "uchar"}
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(points)}"]
    header += [f"property {kinds[vertex.dtype[n].str]} {n}" for n in vertex.dtype.names or ()]
    body = vertex.tobytes()
    if triangles is not None:
        face = np.empty(len(triangles), [("count", "u1"), ("corners", "<i4", (3,))])
        face["count"], face["corners"] = 3, triangles
        header += [f"element face {len(triangles)}", "property list uchar int vertex_indices"]
        body += face.tobytes()
    return ("\n".join([*header, "end_header"]) + "\n").encode("ascii") + body
