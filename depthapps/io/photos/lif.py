"""Leia Image Format (LIF): a JPEG with further views behind it, and JSON that says where their cameras stood.

Source: Leia's own readers. The file ends with the distance from its end back to a list of fields, and a mark; each
field has a kind, a length and content. The JSON names the field of each view's picture; -1 is the JPEG itself.
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from typing import Any

from depthapps.io.photos.jpeg import SIGNATURE, end_of_picture, size_of

_MARK = b"\x1e\x1a"
_JSON_KINDS = (8, 7)  # the later kind first; files may have both
_ITSELF = -1
_MOST_FIELDS, _MOST_JPEGS, _MOST_BRACES = 1000, 16, 64  # a damaged file is not searched for ever
_MOST_JSON = 1 << 20
_FOCAL_RANGE = (0.2, 20.0)  # widths of the picture: a field of view from 136 to 3 degrees


@dataclass(frozen=True)
class LifViews:
    """The outermost views of a LIF file, encoded, the distance of their cameras, and their focal length in widths."""

    left: bytes
    right: bytes
    baseline_m: float | None
    focal_widths: float | None


def lif_views(data: bytes) -> LifViews | None:
    """The left and right view of a LIF file; None for other files, and for those of one view."""
    fields = _fields(data)
    meta = _described(data, fields)
    if not fields and not meta:
        return None
    jpegs = whole_jpegs(data)
    views = [view for view in meta.get("views", []) if isinstance(view, dict)]
    # the views that have a picture, with the place of their camera where the file tells it
    found = [(_x(v), p, v) for k, v in enumerate(views) if (p := _picture(v, k, fields, jpegs, data))]
    if len(found) < 2:
        return LifViews(jpegs[0], jpegs[1], None, None) if fields and not views and len(jpegs) > 1 else None
    if all(x is not None for x, _, _ in found):
        found.sort(key=lambda each: each[0] or 0.0)
    (_, left, first), (_, right, _) = found[0], found[-1]
    baseline = _number(meta.get("baseline_mm"))
    return LifViews(left, right, baseline / 1000 if baseline and len(found) == 2 else None, _focal_widths(first))


def whole_jpegs(data: bytes) -> list[bytes]:
    """The first JPEG of a file, and all whole ones of its size behind it."""
    end = end_of_picture(data)
    found, size, at = [data[:end]], size_of(data), end
    for _ in range(_MOST_JPEGS):
        at = data.find(SIGNATURE, at)
        if at < 0:
            break
        rest = data[at:]
        length = end_of_picture(rest)
        if length and size_of(rest) == size:
            found.append(rest[:length])
        at += length or len(SIGNATURE)
    return found


def _fields(data: bytes) -> dict[int, bytes]:
    """The fields at the end of a LIF file by their kinds; empty for other files."""
    found: dict[int, bytes] = {}
    at = len(data) - int.from_bytes(data[-6:-2], "big")
    if not data.endswith(_MARK) or not 0 < at <= len(data) - 10:
        return found
    count, at = int.from_bytes(data[at : at + 4], "big"), at + 4
    for _ in range(min(count, _MOST_FIELDS)):
        if at + 8 > len(data):
            break
        kind, size = struct.unpack(">II", data[at : at + 8])
        if at + 8 + size > len(data):
            break
        found[kind] = data[at + 8 : at + 8 + size]
        at += 8 + size
    return found


def _described(data: bytes, fields: dict[int, bytes]) -> dict[str, Any]:
    """The JSON of the file: from its field, else wherever behind the first picture it stands as text."""
    for kind in _JSON_KINDS:
        if (meta := _decoded(fields.get(kind, b""))) is not None:
            return meta
    behind = data[end_of_picture(data) :]
    at = behind.find(b'"views"')
    opened = at
    for _ in range(_MOST_BRACES if at >= 0 else 0):
        opened = behind.rfind(b"{", max(at - _MOST_JSON, 0), opened)
        if opened < 0:
            break
        meta = _decoded(behind[opened : opened + _MOST_JSON])
        if meta and isinstance(meta.get("views"), list):
            return meta
    return {}


def _decoded(text: bytes) -> dict[str, Any] | None:
    """The JSON object at the start of some bytes, whatever follows it; None without one."""
    try:
        meta = json.JSONDecoder().raw_decode(text.decode("utf-8", "replace").lstrip("\0 \ufeff"))[0]
    except (ValueError, RecursionError):
        return None
    return meta if isinstance(meta, dict) else None


def _picture(
    view: dict[str, Any], place: int, fields: dict[int, bytes], jpegs: list[bytes], data: bytes
) -> bytes | None:
    """The encoded picture of a view: by the field that it names, else the JPEG at its place in the file."""
    image = view.get("image", view.get("albedo"))
    blob = image.get("blob_id") if isinstance(image, dict) else None
    if blob == _ITSELF:
        return jpegs[0]
    named = fields.get(blob, b"") if isinstance(blob, int) else b""
    if named.startswith(SIGNATURE) and end_of_picture(named):
        return named
    return jpegs[place] if not fields and place < len(jpegs) else None


def _x(view: dict[str, Any]) -> float | None:
    """Where a view's camera stands, from left to right, in the file's own unit; None where it is not told."""
    camera = view.get("camera_data")
    for place in (view, camera if isinstance(camera, dict) else {}):
        position = place.get("position", place.get("x"))
        first = position.get("x") if isinstance(position, dict) else position
        first = first[0] if isinstance(first, list) and first else first
        if (x := _number(first)) is not None:
            return x
    return None


def _focal_widths(view: dict[str, Any]) -> float | None:
    camera = view.get("camera_data")
    ratio = _number(camera.get("focal_ratio_to_width")) if isinstance(camera, dict) else None
    focal, width = _number(view.get("focal_px")), _number(view.get("width_px"))
    ratio = focal / width if focal and width else ratio
    low, high = _FOCAL_RANGE
    return ratio if ratio and low < ratio < high else None


def _number(value: Any) -> float | None:
    known = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if known else None
