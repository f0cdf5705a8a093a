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
from depthapps.core.errors import InputError, MissingExtraError, reason
from depthapps.io.maps.arrays import SMALL_BYTES, map_among
from depthapps.io.maps.numbers import RawMap

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
    turned = data.startswith(_MATLAB)

    def take(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "fui" and item.shape:
            small = math.prod(item.shape) * item.dtype.itemsize <= SMALL_BYTES
            values = np.asarray(item[()]) if small else np.broadcast_to(item.dtype.type(0), item.shape)
            found[name] = values.T if turned else values

    try:
        with h5py.File(BytesIO(data), "r") as file:
            file.visititems(take)
            raw = map_among(found, path, what, lambda name: _samples(file[name], turned=turned))
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise _broken(path, what, error) from None
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
            shapes = {name: shape for name, shape, _ in scipy.io.whosmat(BytesIO(data))}
            maps = [name for name, shape in shapes.items() if 8 * math.prod(shape) > SMALL_BYTES]
            named = scipy.io.loadmat(BytesIO(data), variable_names=[name for name in shapes if name not in maps])
            found = {n: np.asarray(a) for n, a in named.items() if not n.startswith("__")}
            found |= {name: np.broadcast_to(np.float64(0), shapes[name]) for name in maps}
            return map_among(found, path, what, lambda name: _variable(data, name))
    except _UNREADABLE as error:
        raise _broken(path, what, error) from None


def _variable(data: bytes, name: str) -> NDArray:
    import scipy.io  # pyright: ignore[reportMissingImports]

    return np.asarray(scipy.io.loadmat(BytesIO(data), variable_names=[name])[name])


def _samples(item: Any, *, turned: bool) -> NDArray:
    values = np.asarray(item[()])
    return values.T if turned else values


def _broken(path: Path, what: str, error: Exception) -> InputError:
    return InputError(
        f"{path} is not a {what} that can be read ({reason(error)})", hint="is the file whole? copy it anew"
    )
