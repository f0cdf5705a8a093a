"""Binary glTF 2.0 (GLB), as far as a coloured surface needs it.

Written here for three reasons: the files pass the Khronos validator without a hint, a JPEG texture is stored as it was
encoded, and vertex colours are stored as floats. glTF's vertex colours are linear, and 8 bits would merge dark ones.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Camera
from depthapps.core.choices import Axes
from depthapps.core.color import srgb_decode
from depthapps.core.models import PointCloud, TriangleMesh
from depthapps.io.models.axes import in_axes
from depthapps.io.models.texture import WEB_BYTES, jpeg_texture, png_texture

_FLOAT, _UINT = 5126, 5125
_VERTICES, _INDICES = 34962, 34963
_POINTS, _TRIANGLES = 0, 4
_SPLATS = "KHR_gaussian_splatting"  # an extension of Khronos; programs without it show the points
_ROWS = 1 << 18  # of an array that are made at once
_NEAREST_M = 0.01  # near plane of the photo's camera: nothing that a photo shows is nearer


@dataclass(frozen=True, eq=False)
class Viewpoint:
    """The camera that took the photo of a model, and its pose (4, 4), from camera axes to those of the model."""

    camera: Camera
    pose: NDArray[np.floating] = field(default_factory=lambda: np.eye(4))


def mesh_glb(
    mesh: TriangleMesh, axes: Axes = Axes.VIEWER, *, web: bool = False, viewpoint: Viewpoint | None = None
) -> bytes:
    """Encode a mesh as GLB: with its texture if it has one, with vertex colours otherwise.

    The texture is a PNG, which keeps every sample and is small beside the geometry. web: it is the best JPEG with which
    the file takes at most WEB_BYTES. viewpoint: becomes the camera of the file.
    """
    view = viewpoint and camera_node(viewpoint, axes)
    vertices, normals = in_axes(mesh.vertices, axes), in_axes(mesh.normals, axes)
    if mesh.texture is None:
        return b"".join(glb_parts(vertices, triangles=mesh.triangles, normals=normals, colors=mesh.colors, view=view))
    geometry = 32 * len(vertices) + 12 * len(mesh.triangles) + 2000  # bytes, and some for the header
    texture = (
        ("image/jpeg", jpeg_texture(mesh.texture, WEB_BYTES - geometry)) if web
        else ("image/png", png_texture(mesh.texture))
    )  # fmt: skip
    parts = glb_parts(
        vertices, triangles=mesh.triangles, normals=normals, uv=mesh.uv, texture=texture, filled=mesh.filled, view=view
    )
    return b"".join(parts)


def cloud_glb(cloud: PointCloud, axes: Axes = Axes.VIEWER, *, viewpoint: Viewpoint | None = None) -> bytes:
    """Encode a point cloud as GLB, without its normals, which viewers do not use for points."""
    view = viewpoint and camera_node(viewpoint, axes)
    return b"".join(glb_parts(in_axes(cloud.points, axes), colors=cloud.colors, view=view))


def camera_node(viewpoint: Viewpoint, axes: Axes) -> tuple[dict[str, Any], dict[str, Any]]:
    """The camera of a file and the node that places it, in glTF's terms.

    A camera of glTF looks along -Z with Y up, in the axes of its node, and through the middle of its picture. Where the
    principal point lies elsewhere the extras tell it, which Blender keeps as custom properties.
    """
    camera, signs = viewpoint.camera, np.diag([*in_axes(np.ones((1, 3), np.float32), axes)[0], 1.0])
    matrix = signs @ viewpoint.pose @ np.diag([1, -1, -1, 1])
    perspective = {
        "yfov": 2 * math.atan(camera.height / 2 / camera.fy),
        "aspectRatio": camera.width / camera.fx / (camera.height / camera.fy),
        "znear": _NEAREST_M,
    }
    node: dict[str, Any] = {"camera": 0, "name": "photo", "extras": asdict(camera)}
    if not np.allclose(matrix, np.eye(4), atol=1e-12):
        node["matrix"] = matrix.T.ravel().tolist()  # column by column
    return {"type": "perspective", "name": "photo", "perspective": perspective}, node


def glb_parts(
    positions: NDArray[np.floating],
    *,
    triangles: NDArray[np.int32] | None = None,
    normals: NDArray[np.floating] | None = None,
    uv: NDArray[np.floating] | None = None,
    texture: tuple[str, bytes] | None = None,
    colors: NDArray[np.uint8] | None = None,
    filled: NDArray[np.bool_] | None = None,
    view: tuple[dict[str, Any], dict[str, Any]] | None = None,
    splats: dict[str, Rows] | None = None,
) -> Iterator[bytes | memoryview]:
    """Encode one mesh, or points when there are no triangles, with a matt material that is seen from both sides.

    The bytes come in parts, as all of a file at once doubles the memory that they take.

    Triangles that fill what no photo shows are a primitive with a material of their own, named "filled".

    positions, normals: (V, 3). triangles: (T, 3). uv: (V, 2), origin at the top left. texture: its MIME type and the
    encoded picture. colors: (V, 3) sRGB. filled: (T,), None for none. view: a camera and its node. splats: what the
    extension of Gaussian splats has of each point, by the names of its attributes, V rows each.
    """
    buffer = _Buffer()
    attributes = _attributes(buffer, positions, normals, uv, colors, splats or {})
    parts = {"photo": triangles}
    if triangles is not None and filled is not None and filled.any():
        parts = {"photo": triangles[~filled], "filled": triangles[filled]}
    primitives: list[dict[str, Any]] = []
    for number, part in enumerate(parts.values()):
        primitive: dict[str, Any] = {"attributes": attributes, "material": number, "mode": _POINTS}
        if part is not None:
            primitive |= {"indices": buffer.add(part.ravel(), "SCALAR", _UINT, _INDICES), "mode": _TRIANGLES}
        if splats:  # an ellipsoid each, and colours as a screen shows them
            primitive["extensions"] = {_SPLATS: {"kernel": "ellipse", "colorSpace": "srgb_rec709_display"}}
        primitives.append(primitive)
    surface: dict[str, Any] = {"metallicFactor": 0, "roughnessFactor": 1}
    gltf: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "depthapps"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": primitives}],
        "materials": [{"name": name, "doubleSided": True, "pbrMetallicRoughness": surface} for name in parts],
    }
    if splats:
        gltf["extensionsUsed"] = [_SPLATS]
    if view:
        gltf["cameras"] = [view[0]]
        gltf["nodes"].append(view[1])
        gltf["scenes"][0]["nodes"].append(1)
    if texture:
        mime, encoded = texture
        gltf |= {
            "images": [{"mimeType": mime, "bufferView": buffer.view(encoded)}],
            "samplers": [{"wrapS": 33071, "wrapT": 33071}],  # clamp to the edge
            "textures": [{"source": 0, "sampler": 0}],
        }
        surface["baseColorTexture"] = {"index": 0}
    gltf |= {"accessors": buffer.accessors, "bufferViews": buffer.views, "buffers": [{"byteLength": buffer.size}]}
    return chain([_head(gltf, buffer.size)], buffer.pieces())


def _attributes(
    buffer: _Buffer,
    positions: NDArray[np.floating],
    normals: NDArray[np.floating] | None,
    uv: NDArray[np.floating] | None,
    colors: NDArray[np.uint8] | None,
    splats: dict[str, Rows],
) -> dict[str, int]:
    """Append what each vertex has, and return the accessors by the names of the attributes; see `glb_parts`."""
    attributes = {"POSITION": buffer.add(positions, "VEC3", _FLOAT, _VERTICES, bounds=True)}
    if normals is not None:
        attributes["NORMAL"] = buffer.add(normals, "VEC3", _FLOAT, _VERTICES)
    if uv is not None:
        attributes["TEXCOORD_0"] = buffer.add(uv, "VEC2", _FLOAT, _VERTICES)
    if colors is not None:
        linear = Rows(lambda rows: srgb_decode(colors[rows] / np.float32(255)), len(colors), 3)
        attributes["COLOR_0"] = buffer.add_rows(linear, _VERTICES)
    for name, values in splats.items():
        attributes[f"{_SPLATS}:{name}"] = buffer.add_rows(values, _VERTICES)
    return attributes


def _head(gltf: dict[str, Any], size: int) -> bytes:
    """What stands in a file before the binary chunk, which has so many bytes."""
    text = json.dumps(gltf, separators=(",", ":")).encode("ascii")
    text += b" " * (-len(text) % 4)
    total = 12 + 8 + len(text) + 8 + size
    head = struct.pack("<4sIII4s", b"glTF", 2, total, len(text), b"JSON") + text
    return head + struct.pack("<I4s", size, b"BIN\0")


@dataclass(frozen=True)
class Rows:
    """An array (count, width) float32, or (count,) for a width of 1, of which `make` makes some rows at a time."""

    make: Callable[[slice], NDArray[np.floating]]
    count: int
    width: int

    def pieces(self) -> Iterator[memoryview]:
        """The rows as a file has them."""
        for first in range(0, self.count, _ROWS):
            yield _raw(np.ascontiguousarray(self.make(slice(first, first + _ROWS)), "<f4"))


class _Buffer:
    """The binary chunk of a GLB file, with the buffer views and accessors that point into it."""

    def __init__(self) -> None:
        self.chunks: list[bytes | memoryview | Rows] = []
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []
        self.size = 0

    def pieces(self) -> Iterator[bytes | memoryview]:
        """All that was appended."""
        for chunk in self.chunks:
            yield from chunk.pieces() if isinstance(chunk, Rows) else (chunk,)

    def view(self, data: bytes | memoryview | Rows, target: int | None = None) -> int:
        """Append bytes, padded to a multiple of four, and return the index of their buffer view."""
        size = 4 * data.count * data.width if isinstance(data, Rows) else len(data)
        described = {"buffer": 0, "byteOffset": self.size, "byteLength": size}
        self.views.append(described if target is None else {**described, "target": target})
        padding = b"\0" * (-size % 4)
        self.chunks += [data, padding]
        self.size += size + len(padding)
        return len(self.views) - 1

    def add_rows(self, rows: Rows, target: int) -> int:
        """Append rows that are made when they are written, and return the index of their accessor."""
        return self._accessor(rows, rows.count, "SCALAR" if rows.width == 1 else f"VEC{rows.width}", _FLOAT, target)

    def add(self, rows: NDArray, kind: str, component: int, target: int, *, bounds: bool = False) -> int:
        """Append an array and return the index of its accessor."""
        rows = np.ascontiguousarray(rows, {_FLOAT: "<f4", _UINT: "<u4"}[component])
        number = self._accessor(_raw(rows), len(rows), kind, component, target)
        if bounds:
            self.accessors[number] |= {"min": rows.min(axis=0).tolist(), "max": rows.max(axis=0).tolist()}
        return number

    def _accessor(self, data: memoryview | Rows, count: int, kind: str, component: int, target: int) -> int:
        self.accessors.append({
            "bufferView": self.view(data, target), "componentType": component, "count": count, "type": kind
        })  # fmt: skip
        return len(self.accessors) - 1


def _raw(rows: NDArray) -> memoryview:
    """The bytes of a contiguous array."""
    return rows.reshape(-1).view(np.uint8).data
