"""Meshes and point clouds to files that viewers open: GLB, OBJ and PLY."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depthapps.color import srgb_decode
from depthapps.errors import OutputError
from depthapps.io.files import Outputs
from depthapps.io.images import write_image
from depthapps.scene import PointCloud, TriangleMesh

MESH_SUFFIXES = (".glb", ".obj", ".ply")
CLOUD_SUFFIXES = (".glb", ".ply")
_TO_VIEWER = np.array([1, -1, -1], np.float32)  # camera axes (Y down, Z forward) to viewers' (Y up, Z backward)


def companions(path: Path) -> list[Path]:
    """The further files that come with a model: an OBJ has a material and a texture beside it, of its own name.

    Raises OutputError for an OBJ that could not name them.
    """
    if path.suffix.lower() != ".obj":
        return []
    if any(c.isspace() for c in path.name):
        raise OutputError(f"{path.name} has a blank in its name, which OBJ files cannot refer to", hint="rename it")
    return [path.with_suffix(".mtl"), path.with_suffix(".png")]


def write_mesh(path: Path, mesh: TriangleMesh, outputs: Outputs) -> None:
    """Write a mesh by suffix: .glb and .obj in viewers' axes with texture, .ply in camera axes with vertex colours."""
    suffix = path.suffix.lower()
    if suffix == ".glb":
        outputs.part(path).write_bytes(mesh_glb(mesh))
    elif suffix == ".obj":
        _write_obj(path, mesh, outputs)
    else:
        outputs.part(path).write_bytes(_ply(mesh.vertices, mesh.normals, mesh.colors, mesh.triangles))


def write_cloud(path: Path, cloud: PointCloud, outputs: Outputs) -> None:
    """Write a point cloud by suffix: .ply in camera axes, .glb in viewers' axes."""
    if path.suffix.lower() == ".ply":
        outputs.part(path).write_bytes(_ply(cloud.points, cloud.normals, cloud.colors, None))
    else:
        outputs.part(path).write_bytes(cloud_glb(cloud))


def mesh_glb(mesh: TriangleMesh) -> bytes:
    """A binary glTF of the mesh in viewers' axes: one double-sided matt material with the picture as its texture."""
    import trimesh
    from PIL import Image
    from trimesh.exchange.gltf import export_glb
    from trimesh.visual import TextureVisuals
    from trimesh.visual.material import PBRMaterial

    material = PBRMaterial(
        name="photo",
        baseColorTexture=Image.fromarray(mesh.texture),  # becomes PNG: the photo as it is, small beside its geometry
        metallicFactor=0.0,
        roughnessFactor=1.0,
        doubleSided=True,
    )
    flipped_uv = np.stack([mesh.uv[:, 0], 1 - mesh.uv[:, 1]], axis=1)  # trimesh counts v from the bottom
    model = trimesh.Trimesh(
        vertices=mesh.vertices * _TO_VIEWER,
        faces=mesh.triangles,
        vertex_normals=mesh.normals * _TO_VIEWER,
        visual=TextureVisuals(uv=flipped_uv, material=material),
        process=False,
    )
    return export_glb(trimesh.Scene(model), include_normals=True)


def cloud_glb(cloud: PointCloud) -> bytes:
    """A binary glTF of the points in viewers' axes; glTF's colours are linear light."""
    import trimesh
    from trimesh.exchange.gltf import export_glb

    linear = srgb_decode(cloud.colors / np.float32(255))
    colors = np.rint(np.column_stack([linear, np.ones(len(linear))]) * 255).astype(np.uint8)
    points = trimesh.PointCloud(cloud.points * _TO_VIEWER, colors=colors)
    return export_glb(trimesh.Scene(points))


def _write_obj(path: Path, mesh: TriangleMesh, outputs: Outputs) -> None:
    """OBJ with a material of its own name; trimesh would name every one of them material.mtl and dim it."""
    material, texture = companions(path)
    write_image(outputs.part(texture), mesh.texture)
    outputs.part(material).write_text(
        f"newmtl photo\nKa 0 0 0\nKd 1 1 1\nKs 0 0 0\nillum 1\nmap_Kd {texture.name}\n", encoding="ascii"
    )
    vertices, normals = mesh.vertices * _TO_VIEWER, mesh.normals * _TO_VIEWER
    corners = np.repeat(mesh.triangles + 1, 3, axis=1)  # vertex, texture and normal indices are the same
    with outputs.part(path).open("w", encoding="ascii") as file:
        file.write(f"mtllib {material.name}\nusemtl photo\n")
        _write_rows(file, "v %.6g %.6g %.6g\n", vertices)
        _write_rows(file, "vt %.6g %.6g\n", np.stack([mesh.uv[:, 0], 1 - mesh.uv[:, 1]], axis=1))
        _write_rows(file, "vn %.3f %.3f %.3f\n", normals)
        _write_rows(file, "f %d/%d/%d %d/%d/%d %d/%d/%d\n", corners)


def _write_rows(file, line: str, rows: NDArray, chunk: int = 20_000) -> None:
    """Write one formatted line a row; one big format call for many rows is ten times as fast as numpy.savetxt."""
    for first in range(0, len(rows), chunk):
        part = rows[first : first + chunk]
        file.write((line * len(part)) % tuple(part.ravel().tolist()))


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
