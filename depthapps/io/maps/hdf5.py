"""Read maps out of HDF5 and MATLAB files, as Hypersim, NYU and laboratories write them."""

from __future__ import annotations

import math
import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthapps.core.choices import DepthKind
from depthapps.core.errors import InputError, MissingExtraError
from depthapps.io.maps.arrays import map_among
from depthapps.io.maps.numbers import RawMap

_LARGEST = 1 << 28  # numbers: no single map is as large, an array of a whole data set is
_MATLAB = b"MATLAB"
# what scipy raises of damaged files, by where in them the damage is, and of versions that it does not know
_UNREADABLE = (OSError, RuntimeError, ValueError, KeyError, TypeError, NotImplementedError)
_HYPERSIM = "depth_meters"  # in its file names; it writes distances along the ray


def read_hdf5(data: bytes, path: Path, what: str) -> RawMap:
    """Read the map of an HDF5 file, or of a MATLAB file of version 7.3, which is one with exchanged axes."""
    try:
        import h5py  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise MissingExtraError(f"reading {path.name}", "hdf5") from None
    found: dict[str, NDArray] = {}

    def take(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "fui" and item.shape:
            # of what is too large for a map only the size is wanted, for the message
            small = math.prod(item.shape) <= _LARGEST
            values = np.asarray(item[()]) if small else np.broadcast_to(item.dtype.type(0), item.shape)
            found[name] = values.T if data.startswith(_MATLAB) else values

    try:
        with h5py.File(BytesIO(data), "r") as file:
            file.visititems(take)
    except (OSError, RuntimeError, ValueError, KeyError):
        raise _broken(path, what) from None
    raw = map_among(found, path, what)
    along_rays = _HYPERSIM in path.name and what == "depth map"
    return RawMap(raw.values, raw.name, raw.camera, DepthKind.DISTANCE if along_rays else raw.kind)


def read_mat(data: bytes, path: Path, what: str) -> RawMap:
    """Read the map of a MATLAB file of version 5 or 7."""
    try:
        import scipy.io  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise MissingExtraError(f"reading {path.name}", "hdf5") from None
    try:
        with warnings.catch_warnings(action="ignore"):
            named = scipy.io.loadmat(BytesIO(data))
    except _UNREADABLE:
        raise _broken(path, what) from None
    return map_among({n: np.asarray(a) for n, a in named.items() if not n.startswith("__")}, path, what)


def _broken(path: Path, what: str) -> InputError:
    return InputError(
        f"{path} is not a {what} that can be read, it is damaged or of a version that is not known",
        hint="copy it anew; or save the (height, width) array with numpy.save",
    )
