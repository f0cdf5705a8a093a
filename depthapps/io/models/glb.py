"""Binary glTF 2.0, with exactly what a coloured surface needs.

Written here because a model has to pass the Khronos validator without a hint, carry a JPEG as it was encoded, and
keep dark vertex colours apart: in glTF they are linear, which 8 bits are too few for.
"""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import srgb_decode

_FLOAT, _UINT = 5126, 5125
_VERTICES, _INDICES = 34962, 34963
_POINTS, _TRIANGLES = 0, 4


def build_glb(
    positions: NDArray[np.floating],
    *,
    triangles: NDArray[np.int32] | None = None,
    normals: NDArray[np.floating] | None = None,
    uv: NDArray[np.floating] | None = None,
    texture: tuple[str, bytes] | None = None,
    colors: NDArray[np.uint8] | None = None,
) -> bytes:
    """A binary glTF of one mesh, or of points when there are no triangles, with a matt, double-sided material.

    positions, normals: (V, 3) in viewers' axes. uv: (V, 2), origin at the top left. texture: its MIME type and the
    encoded picture. colors: (V, 3) sRGB.
    """
    buffer = _Buffer()
    attributes = {"POSITION": buffer.add(positions, "VEC3", _FLOAT, _VERTICES, bounds=True)}
    if normals is not None:
        attributes["NORMAL"] = buffer.add(normals, "VEC3", _FLOAT, _VERTICES)
    if uv is not None:
        attributes["TEXCOORD_0"] = buffer.add(uv, "VEC2", _FLOAT, _VERTICES)
    if colors is not None:
        linear = srgb_decode(colors / np.float32(255))
        attributes["COLOR_0"] = buffer.add(linear, "VEC3", _FLOAT, _VERTICES)
    primitive: dict[str, Any] = {"attributes": attributes, "material": 0, "mode": _POINTS}
    if triangles is not None:
        primitive |= {"indices": buffer.add(triangles.ravel(), "SCALAR", _UINT, _INDICES), "mode": _TRIANGLES}
    surface: dict[str, Any] = {"metallicFactor": 0, "roughnessFactor": 1}
    gltf: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "depthapps"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [primitive]}],
        "materials": [{"name": "photo", "doubleSided": True, "pbrMetallicRoughness": surface}],
    }
    if texture:
        mime, encoded = texture
        gltf |= {
            "images": [{"mimeType": mime, "bufferView": buffer.view(encoded)}],
            "samplers": [{"wrapS": 33071, "wrapT": 33071}],  # clamp to the edge, which is the photo's own
            "textures": [{"source": 0, "sampler": 0}],
        }
        surface["baseColorTexture"] = {"index": 0}
    gltf |= {"accessors": buffer.accessors, "bufferViews": buffer.views, "buffers": [{"byteLength": buffer.size}]}
    text = json.dumps(gltf, separators=(",", ":")).encode("ascii")
    text += b" " * (-len(text) % 4)
    total = 12 + 8 + len(text) + 8 + buffer.size
    head = struct.pack("<4sIII4s", b"glTF", 2, total, len(text), b"JSON") + text
    return b"".join([head, struct.pack("<I4s", buffer.size, b"BIN\0"), *buffer.chunks])


class _Buffer:
    """The one binary chunk, and the views and accessors into it."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []
        self.size = 0

    def view(self, data: bytes, target: int | None = None) -> int:
        """Append bytes, padded to a multiple of four; returns the index of their view."""
        described = {"buffer": 0, "byteOffset": self.size, "byteLength": len(data)}
        self.views.append(described if target is None else {**described, "target": target})
        padded = data + b"\0" * (-len(data) % 4)
        self.chunks.append(padded)
        self.size += len(padded)
        return len(self.views) - 1

    def add(self, rows: NDArray, kind: str, component: int, target: int, *, bounds: bool = False) -> int:
        """Append an array; returns the index of its accessor."""
        dtype = {_FLOAT: "<f4", _UINT: "<u4"}[component]
        data = np.ascontiguousarray(rows, dtype)
        accessor: dict[str, Any] = {
            "bufferView": self.view(data.tobytes(), target),
            "componentType": component,
            "count": len(data),
            "type": kind,
        }
        if bounds:
            accessor |= {"min": data.min(axis=0).tolist(), "max": data.max(axis=0).tolist()}
        self.accessors.append(accessor)
        return len(self.accessors) - 1
