"""Binary little-endian PLY with vertex colours, under the property names that all readers know."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def ply_bytes(
    points: NDArray[np.floating],
    normals: NDArray[np.floating],
    colors: NDArray[np.uint8],
    triangles: NDArray[np.int32] | None = None,
    made_up: NDArray[np.uint8] | None = None,
) -> bytes:
    """Encode points and unit normals (N, 3), sRGB colours (N, 3), and triangles (T, 3) unless it is a cloud.

    made_up: (N,), a property of its own: 0 measured, 1 made-up depth, 2 made-up depth and colour. None for none.
    """
    names = [*zip(("x", "y", "z", "nx", "ny", "nz"), ["<f4"] * 6, strict=True)]
    vertex = np.empty(
        len(points),
        [*names, ("red", "u1"), ("green", "u1"), ("blue", "u1")] + [("made_up", "u1")] * (made_up is not None),
    )
    columns = [*np.hstack([points, normals, colors]).T, *([] if made_up is None else [made_up])]
    for name, column in zip(vertex.dtype.names or (), columns, strict=True):
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
