"""Read depth out of OpenEXR files, whatever a renderer calls its channel."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from depthapps.core.errors import InputError, MissingExtraError, param
from depthapps.io.maps.numbers import RawMap, only_channel

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
        with OpenEXR.File(str(path)) as file:  # it takes no bytes
            channels = {n: c.pixels for part in range(len(file.parts)) for n, c in file.channels(part).items()}
            name = _chosen(list(channels))
            values = None if name is None else np.array(channels[name])
    except (RuntimeError, OSError, ValueError, TypeError):
        raise InputError(
            f"{path} is not a {what} that can be read, it is no whole OpenEXR file", hint="copy or render it anew"
        ) from None
    if values is None:
        raise InputError(
            f"{path} has the channels {' '.join(channels) or 'none'}, and no name tells which is the {what}",
            hint=f"save it as the only channel or as Z; {param('depth')} takes .npy, .pfm and .tif too",
        )
    return RawMap(only_channel(values, f"the {what} {path}"), f"the {what} {path}")


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
