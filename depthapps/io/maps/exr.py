"""OpenEXR: read depth out of files, whatever a renderer calls its channel, and write maps of one channel."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from depthapps.core.errors import DepthappsError, InputError, MissingExtraError, param, reason
from depthapps.core.scene import FloatMap
from depthapps.io.maps.numbers import RawMap, only_channel
from depthapps.io.sizes import check_pixels
from depthapps.runtime.quiet import listening

_DAMAGE = "Exception"  # a word of what OpenEXR prints of samples that it cannot read
_MAGIC = bytes.fromhex("762f3101 02000000")  # and version 2: one part of scan lines
_FLOAT = 2  # type of a channel
_ZIP, _ZIP_ROWS = 3, 16  # compression, and how many rows it packs together
_BIAS = 128  # added to differences, modulo 256
_LEVEL = 4  # of zlib, 4 of 9: as OpenEXR itself; higher ones take many times as long for a few percent
# A channel's full name, or the end of it behind the layer: ViewLayer.Depth.Z of Blender, V of its compositor.
_NAMES = ("z", "depth", "v", "y", "disparity", "r", "rgb", "rgba")
_LAYERS = ("depth", "disp", "dist", "z")  # a layer whose Z is depth; a normal or a position has one too


def read_exr(_: bytes, path: Path, what: str) -> RawMap:
    """Read the only channel, the one named as depth is, or grey saved in colours."""
    try:
        import OpenEXR  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise MissingExtraError(f"reading {path.name}", "exr") from None
    try:
        with listening() as said:
            with OpenEXR.File(str(path), header_only=True) as file:  # it takes no bytes
                _check_sizes(file, path)
            with OpenEXR.File(str(path)) as file:
                channels = {n: c.pixels for part in range(len(file.parts)) for n, c in file.channels(part).items()}
                name = _chosen(list(channels))
                values = None if name is None else np.array(channels[name])
    except DepthappsError:
        raise
    except Exception as error:  # of every kind: the damage may be in names, types or numbers
        raise _broken(path, what, reason(error)) from None
    if any(_DAMAGE in words for words in said):  # it leaves samples out that it cannot read, and goes on
        raise _broken(path, what, "parts of it are damaged")
    if values is None:
        raise InputError(
            f"{path} has the channels {' '.join(channels) or 'none'}, and no name tells which is the {what}",
            hint=f"save it as the only channel or as Z; {param('depth')} takes .npy, .pfm and .tif too",
        )
    return RawMap(only_channel(values, f"the {what} {path}"), f"the {what} {path}")


def _check_sizes(file: Any, path: Path) -> None:
    for part in file.parts:
        (left, top), (right, bottom) = part.header["dataWindow"]
        check_pixels(int(right) - int(left) + 1, int(bottom) - int(top) + 1, str(path))


def _broken(path: Path, what: str, why: str) -> InputError:
    return InputError(f"{path} is not a {what} that can be read ({why})", hint="is the file whole?")


def _chosen(names: list[str]) -> str | None:
    """The channel that holds the map; None if the names do not tell."""
    if len(names) == 1:
        return names[0]
    layered = [n for n in names if any(part in n.lower().rpartition(".")[0] for part in _LAYERS)]
    plain = [n for n in names if "." not in n]
    for group in (layered, plain, names):
        for wanted in _NAMES:
            found = [n for n in group if n.lower().rpartition(".")[2] == wanted]
            if len(found) == 1:
                return found[0]
    return None


def exr_bytes(values: FloatMap, channel: str) -> bytes:
    """Encode a map (H, W) as an OpenEXR file of one channel of float32, compressed without loss (ZIP).

    Compositors know depth by the channel's name "Z", and show "Y" as grey. Written here, so that writing needs no
    extra; the layout is that of "The OpenEXR file layout" of the Academy Software Foundation.
    """
    height, width = values.shape
    box = struct.pack("<4i", 0, 0, width - 1, height - 1)
    attributes = (
        ("channels", "chlist", channel.encode() + b"\0" + struct.pack("<iB3xii", _FLOAT, 0, 1, 1) + b"\0"),
        ("compression", "compression", bytes([_ZIP])),
        ("dataWindow", "box2i", box),
        ("displayWindow", "box2i", box),
        ("lineOrder", "lineOrder", b"\0"),
        ("pixelAspectRatio", "float", struct.pack("<f", 1)),
        ("screenWindowCenter", "v2f", struct.pack("<2f", 0, 0)),
        ("screenWindowWidth", "float", struct.pack("<f", 1)),
    )
    header = _MAGIC + b"".join(
        f"{name}\0{kind}\0".encode() + struct.pack("<i", len(value)) + value for name, kind, value in attributes
    )
    header += b"\0"
    chunks = [_chunk(row, values[row : row + _ZIP_ROWS]) for row in range(0, height, _ZIP_ROWS)]
    starts = np.cumsum([len(header) + 8 * len(chunks), *map(len, chunks[:-1])])
    return header + starts.astype("<u8").tobytes() + b"".join(chunks)


def _chunk(row: int, values: FloatMap) -> bytes:
    """Rows of a map from `row` on: the even bytes, then the odd ones, each as its difference to the one before."""
    raw = np.ascontiguousarray(values, "<f4").tobytes()
    split = np.frombuffer(raw[::2] + raw[1::2], np.uint8)
    differences = np.concatenate([split[:1], split[1:] - split[:-1] + np.uint8(_BIAS)])
    packed = zlib.compress(differences.tobytes(), _LEVEL)
    packed = packed if len(packed) < len(raw) else raw  # readers take a chunk of full length as not compressed
    return struct.pack("<ii", row, len(packed)) + packed
