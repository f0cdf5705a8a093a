"""3MF, the format of slicers that has a unit and colours: one body in millimetres.

Sources: 3MF Core Specification 1.3, and its Materials and Properties Extension 1.2 for the colours of vertices.

Written here because trimesh needs lxml for it.
"""

from __future__ import annotations

import zipfile
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from depthapps.io.models.text_rows import format_rows

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
<model unit="millimeter" xml:lang="en-US" xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02"{}>
<resources>{}<object id="1" type="model"{}><mesh>
"""
_COLORS = ' xmlns:m="http://schemas.microsoft.com/3dmanufacturing/material/2015/02"'
_COLORED = ' pid="2" pindex="0"'
_PLAIN_ROW = '<triangle v1="{0}" v2="{1}" v3="{2}"/>\n'
_COLORED_ROW = '<triangle v1="{0}" v2="{1}" v3="{2}" pid="2" p1="{3}" p2="{4}" p3="{5}"/>\n'
_MODEL_END = """</mesh></object></resources><build><item objectid="1"/></build>
</model>"""


_OWNERS_FILE = 0o600 << 16  # permissions as zip files hold them


def threemf_bytes(
    vertices_mm: NDArray[np.floating], triangles: NDArray[np.int32], colors: NDArray[np.uint8] | None = None
) -> bytes:
    """Encode one body as 3MF: vertices (V, 3) in millimetres, triangles (T, 3), sRGB colours (V, 3) unless None."""
    group, faces, row = "", triangles, _PLAIN_ROW
    if colors is not None:
        known, of_vertex = np.unique(colors, axis=0, return_inverse=True)
        named = "".join(f'<m:color color="#{r:02X}{g:02X}{b:02X}"/>' for r, g, b in known.tolist())
        group, row = f'<m:colorgroup id="2">{named}</m:colorgroup>', _COLORED_ROW
        faces = np.hstack([triangles, of_vertex.ravel()[triangles]])
    start = _MODEL_START.format(*((_COLORS, group, _COLORED) if group else ("", "", "")))
    model = [start.encode()]
    for tag, shape, values in (
        ("vertices", '<vertex x="{0}" y="{1}" z="{2}"/>\n', vertices_mm),
        ("triangles", row, faces),
    ):
        model += [f"<{tag}>\n".encode(), *format_rows(shape, values), f"</{tag}>\n".encode()]
    model.append(_MODEL_END.encode())
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as package:
        for name, content in (
            ("[Content_Types].xml", _TYPES.encode()),
            ("_rels/.rels", _RELATIONS.encode()),
            ("3D/3dmodel.model", b"".join(model)),
        ):
            entry = zipfile.ZipInfo(name)  # dated 1980, so that one body gives the same bytes every time
            entry.external_attr = _OWNERS_FILE
            package.writestr(entry, content, zipfile.ZIP_DEFLATED, compresslevel=4)
    return packed.getvalue()
