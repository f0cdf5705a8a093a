"""USDZ, which iPhones and the Vision Pro open in augmented reality: a textured surface in true metres.

Written here because the text form of a mesh is short, while usd-core is 30 MB and has no wheel for some systems. The
package is that of the "Usdz File Format Specification" (Pixar): a zip of stored files whose contents begin at multiples
of 64 bytes, the layer first. The material is a UsdPreviewSurface with one texture.
"""

from __future__ import annotations

import math
import struct
import zipfile
from collections.abc import Iterator
from io import BytesIO
from string import Template

import numpy as np
from numpy.typing import NDArray

from depthapps.core.choices import Axes
from depthapps.core.color import srgb_decode
from depthapps.core.models import TriangleMesh
from depthapps.io.models.axes import in_axes
from depthapps.io.models.text_rows import format_rows
from depthapps.io.models.texture import WEB_BYTES, jpeg_texture, png_texture

_ALIGNMENT = 64  # bytes
_LOCAL_HEADER = 30  # bytes of a zip's local header without name and extra field
_PADDING = struct.Struct("<HH")  # header of an extra field: its kind and its length
_PADDING_KIND = 0x1986  # that OpenUSD itself writes; readers skip kinds that they do not know
_OWNERS_FILE = 0o600 << 16  # permissions as zip files hold them
_DIGITS = 4  # decimals of positions, where the model is 1 to 10 m large
_HEADERS = 1000  # bytes of a package besides its contents, at most

_START = Template("""#usda 1.0
(
    defaultPrim = "photo"
    metersPerUnit = 1
    upAxis = "Y"
)
def Xform "photo" (
    kind = "component"
)
{
    double3 xformOp:translate = ($PLACE)
    float xformOp:rotateX = $TURN
    uniform token[] xformOpOrder = ["xformOp:translate", "xformOp:rotateX"]
""")
_MESH = Template("""    def Mesh "$NAME"$BOUND
    {
        uniform bool doubleSided = 1
        uniform token subdivisionScheme = "none"
        float3[] extent = [($LOW), ($HIGH)]
""")
_MATERIAL = Template("""    def Material "material"
    {
        token outputs:surface.connect = </photo/material/surface.outputs:surface>
        def Shader "surface"
        {
            uniform token info:id = "UsdPreviewSurface"
            color3f inputs:diffuseColor.connect = </photo/material/texture.outputs:rgb>
            float inputs:metallic = 0
            float inputs:roughness = 1
            token outputs:surface
        }
        def Shader "texture"
        {
            uniform token info:id = "UsdUVTexture"
            asset inputs:file = @$FILE@
            token inputs:sourceColorSpace = "sRGB"
            float2 inputs:st.connect = </photo/material/coordinates.outputs:result>
            token inputs:wrapS = "clamp"
            token inputs:wrapT = "clamp"
            float3 outputs:rgb
        }
        def Shader "coordinates"
        {
            uniform token info:id = "UsdPrimvarReader_float2"
            string inputs:varname = "st"
            float2 outputs:result
        }
    }
""")
_BINDING = b"        rel material:binding = </photo/material>\n"
_BOUND = """ (
        prepend apiSchemas = ["MaterialBindingAPI"]
    )"""


def usdz_bytes(mesh: TriangleMesh, axes: Axes = Axes.VIEWER, *, web: bool = False) -> bytes:
    """Encode a mesh as USDZ: with its texture if it has one, with vertex colours otherwise.

    The model stands with the middle of its bottom on the origin, where augmented reality puts the floor. Positions are
    in `axes`, and turned so that Y is up, as USD wants it. Triangles that fill what no photo shows are a mesh of their
    own, named "filled". The texture is a PNG; web: the best JPEG with which the file takes at most WEB_BYTES.
    """
    name = "" if mesh.texture is None else "photo.jpg" if web else "photo.png"
    layer = b"".join(_layer(mesh, axes, name))
    files = {"model.usda": layer}
    if mesh.texture is not None:
        budget = WEB_BYTES - len(layer) - _HEADERS
        files[name] = jpeg_texture(mesh.texture, budget) if web else png_texture(mesh.texture)
    return _packed(files)


def _layer(mesh: TriangleMesh, axes: Axes, texture: str) -> Iterator[bytes]:
    """The text of the layer in pieces; `texture` is the name of the texture's file, empty for vertex colours."""
    points = in_axes(mesh.vertices, axes)
    low, high = points.min(axis=0), points.max(axis=0)
    signs = in_axes(np.ones((1, 3), np.float32), Axes.VIEWER if axes is Axes.CAMERA else Axes.CAMERA)[0]
    shown = signs * low, signs * high
    decimals = max(0, _DIGITS - math.floor(math.log10(max(float((high - low).max()), 1e-9))))
    middle, floor = (shown[0] + shown[1]) / 2, min(shown[0][1], shown[1][1])
    turn = 180 if axes is Axes.CAMERA else 0
    yield _START.substitute(PLACE=_triple((-middle[0], -floor, -middle[2])), TURN=turn).encode()
    if mesh.filled is None or not mesh.filled.any():
        yield from _mesh("surface", mesh, mesh.triangles, axes, decimals)
    else:
        yield from _mesh("surface", mesh, mesh.triangles[~mesh.filled], axes, decimals)
        yield from _mesh("filled", mesh, mesh.triangles[mesh.filled], axes, decimals)
    yield (_MATERIAL.substitute(FILE=texture).encode() if texture else b"") + b"}\n"


def _mesh(name: str, mesh: TriangleMesh, triangles: NDArray[np.integer], axes: Axes, decimals: int) -> Iterator[bytes]:
    """These triangles (T, 3) of a mesh, with the vertices that they use, as a mesh of this name."""
    used, corners = np.unique(triangles, return_inverse=True)
    points = in_axes(mesh.vertices[used], axes)
    ends = {"LOW": _triple(points.min(axis=0)), "HIGH": _triple(points.max(axis=0))}
    uv = None if mesh.texture is None else mesh.uv
    yield _MESH.substitute(ends, NAME=name, BOUND="" if uv is None else _BOUND).encode()
    yield from _array("point3f[] points", "({0},{1},{2})", np.round(points, decimals))
    yield from _array("normal3f[] normals", "({0},{1},{2})", np.round(in_axes(mesh.normals[used], axes), 2), "vertex")
    if uv is not None:
        turned = np.column_stack([uv[used, 0], 1 - uv[used, 1]])  # USD counts from the bottom left
        yield from _array("texCoord2f[] primvars:st", "({0},{1})", np.round(turned, 5), "vertex")
    else:
        linear = np.round(srgb_decode(mesh.colors[used] / np.float32(255)), 4)
        yield from _array("color3f[] primvars:displayColor", "({0},{1},{2})", linear, "vertex")
    yield from _array("int[] faceVertexCounts", "{0}", np.full((len(triangles), 1), 3))
    yield from _array("int[] faceVertexIndices", "{0},{1},{2}", corners.reshape(-1, 3))
    yield (b"" if uv is None else _BINDING) + b"    }\n"


def _triple(values: NDArray[np.floating] | tuple[float, ...]) -> str:
    return ", ".join(f"{float(v):.6g}" for v in values)


def _array(what: str, row: str, values: NDArray, interpolation: str = "") -> Iterator[bytes]:
    """One attribute that is an array (N, C), a value for each row."""
    yield f"        {what} = [".encode()
    yield from format_rows(f"{row},", values[:-1])
    yield from format_rows(row, values[-1:])
    # on lines of its own, as usdcat writes it: three.js takes what is on the line of the array for a part of its values
    yield f'] (\n            interpolation = "{interpolation}"\n        )\n'.encode() if interpolation else b"]\n"


def _packed(files: dict[str, bytes]) -> bytes:
    """A zip of stored files, each of whose contents begins at a multiple of 64 bytes."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as package:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)  # dated 1980, so that one model gives the same bytes every time
            entry.external_attr = _OWNERS_FILE
            begin = packed.tell() + _LOCAL_HEADER + len(name) + _PADDING.size
            gap = -begin % _ALIGNMENT
            entry.extra = _PADDING.pack(_PADDING_KIND, gap) + bytes(gap)
            package.writestr(entry, content)
    return packed.getvalue()
