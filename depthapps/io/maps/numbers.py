"""The numbers of a map as they stand in its file, before anything is known of what they mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Camera
from depthapps.core.choices import DepthKind
from depthapps.core.errors import InputError

_CHROMA_LEVELS = 8  # by which JPEG's chroma may tint the grey of nearly all pixels; a coloured preview differs by 100
_NEARLY_ALL = 99.5  # percent


@dataclass(frozen=True, eq=False)
class RawMap:
    """A map as its file holds it.

    Attributes
    ----------
    values : ndarray, (h, w)
        Whole numbers or floats of any size.
    name : str
        The map in messages: "the depth map room.png".
    camera : Camera or None
        The camera of the map's pixels, or of the same picture at another size; None where the file does not tell.
    kind : DepthKind or None
        What the file says, or its maker is known to write; None where it does not tell.
    note : str or None
        How the file was read, where the user should know.
    clear : ndarray of bool, (h, w), or None
        Where the file is transparent, so that its numbers there mean nothing; None where it is nowhere.
    """

    values: NDArray
    name: str
    camera: Camera | None = None
    kind: DepthKind | None = None
    note: str | None = None
    clear: NDArray[np.bool_] | None = None

    @property
    def opaque(self) -> NDArray[np.bool_]:
        """Where the numbers (h, w) mean something."""
        return np.ones(self.values.shape, np.bool_) if self.clear is None else ~self.clear


def only_channel(values: NDArray, name: str) -> NDArray:
    """The map (h, w) of a picture whose channels are all alike, as grey is saved in colours; opacity is left out.

    Raises InputError for colours, with `name` in the message.
    """
    if values.ndim == 2:
        return values
    colors = values[..., :3] if values.shape[2] >= 3 else values[..., :1]
    if np.array_equal(colors, np.broadcast_to(colors[..., :1], colors.shape), equal_nan=True):
        return colors[..., 0]
    low, high = colors.min(axis=2), colors.max(axis=2)
    if values.dtype == np.uint8 and np.percentile(high - low, _NEARLY_ALL) <= _CHROMA_LEVELS:
        return np.rint(colors.mean(axis=2)).astype(np.uint8)
    raise InputError(f"{name} has colours", hint="pass the measured map, not a coloured preview of it")
