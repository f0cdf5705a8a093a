"""HEIF files opened by pillow-heif: which of their pictures are two views, and which is depth. Nothing is decoded."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

from depthapps.core.errors import InputError, MissingExtraError

_SUFFIXES = (".heic", ".heif", ".hif")
_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"mif2")
_STEREO_GROUP = "ster"
NOT_DECODED = (OSError, ValueError, RuntimeError, SyntaxError, EOFError)  # what pillow-heif raises for bad files


def is_heif(path: Path, data: bytes) -> bool:
    """Whether a file is HEIF by its first bytes, or is called so by its suffix."""
    return (data[4:8] == b"ftyp" and data[8:12] in _BRANDS) or (path.suffix.lower() in _SUFFIXES and data != b"")


def open_heif(path: Path, data: bytes) -> Any:
    """The opened file. Raises InputError, or MissingExtraError where pillow-heif is not installed."""
    try:
        import pillow_heif  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise MissingExtraError(f"reading {path.name}", "heif") from None
    try:
        file = pillow_heif.open_heif(BytesIO(data), convert_hdr_to_8bit=False)
    except NOT_DECODED:
        raise InputError(
            f"{path} is not an image that can be read, it is no whole HEIC file", hint="copy it anew from where it came"
        ) from None
    if not len(file):
        raise InputError(f"{path} is not an image that can be read: there is none in it", hint="is the file whole?")
    return file


def primary(file: Any) -> Any:
    """The picture that the file shows first."""
    return file[file.primary_index]


def stereo_group(file: Any) -> dict[str, Any] | None:
    """The entity group of a stereo pair, whose first picture is the left view; None where there is no pair."""
    groups = file[0].info.get("entity_groups", [])
    pair = next((g for g in groups if g["type"] == _STEREO_GROUP and len(g["images"]) >= 2), None)
    return None if pair is None or None in pair["images"][:2] else pair


def depth_picture(file: Any) -> Any | None:
    """The depth image that belongs to the primary picture; None where there is none."""
    found = primary(file).info.get("depth_images") or []
    return found[0] if found else None
