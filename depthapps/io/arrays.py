"""Read numpy's .npy arrays and .npz archives: sizes are checked first, and nothing is ever unpickled.

numpy itself allocates what a header promises, and unpacks what an archive holds.
"""

from __future__ import annotations

import math
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

_HEADER = 1 << 14  # bytes of an array's header that are looked at
_MOST_MEMBERS = 10_000
_SUFFIX = ".npy"


class NpyHeader:
    """What the header of an array says: shape, sample type, and where the samples begin. Raises ValueError.

    name: the array in messages, as in the functions below.
    """

    def __init__(self, start: bytes, name: str) -> None:
        file = BytesIO(start)
        try:
            version = npy.read_magic(file)
            read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
            with warnings.catch_warnings(action="ignore"):
                self.shape, self.columns_first, self.dtype = read(file)
        except Exception:  # the header is a text of Python, read by numpy's own parser
            raise ValueError(f"the header of {name} is damaged") from None
        if self.dtype.hasobject:
            raise ValueError(f"{name} holds Python objects, which may run programs, and is not read")
        if not all(isinstance(n, int) and n >= 0 for n in self.shape) or len(self.shape) > 32:
            raise ValueError(f"{name} has an impossible shape")
        self.start = file.tell()
        self.size = math.prod(self.shape) * self.dtype.itemsize

    def stand_in(self) -> NDArray:
        """An array of this shape and type that takes no memory."""
        return np.broadcast_to(np.zeros((), self.dtype), self.shape)


def array_of(data: bytes, name: str) -> NDArray:
    """Read an array from the bytes of an .npy file. Raises ValueError."""
    header = NpyHeader(data[:_HEADER], name)
    if len(data) - header.start < header.size:
        raise ValueError(f"{name} is cut off: it promises {header.size} bytes and has {len(data) - header.start}")
    samples = np.frombuffer(data, header.dtype, math.prod(header.shape), header.start) if header.size else np.empty(
        0, header.dtype
    )  # fmt: skip
    return samples.reshape(header.shape, order="F" if header.columns_first else "C").copy()


class NpzArchive:
    """The arrays of an .npz archive by their names; each is unpacked when it is asked for. Raises ValueError."""

    def __init__(self, data: bytes, name: str) -> None:
        self._name = name
        with _of_zip(name):
            self._zip = zipfile.ZipFile(BytesIO(data))
            members = self._zip.infolist()[:_MOST_MEMBERS]
            self.others = [m.filename for m in members if not m.filename.endswith(_SUFFIX)]
            self._members = {m.filename.removesuffix(_SUFFIX): m for m in members if m.filename.endswith(_SUFFIX)}
            self.headers: dict[str, NpyHeader] = {}
            for name, member in self._members.items():
                with self._zip.open(member) as file:
                    self.headers[name] = NpyHeader(file.read(_HEADER), f"{name} in {self._name}")

    def array(self, name: str) -> NDArray:
        """Unpack one array, and no more of it than its header promises."""
        header = self.headers[name]
        with _of_zip(self._name), self._zip.open(self._members[name]) as file:
            return array_of(file.read(header.start + header.size), f"{name} in {self._name}")


@contextmanager
def _of_zip(name: str) -> Iterator[None]:
    """Whatever zipfile and its decoders raise for a damaged archive is a ValueError."""
    try:
        yield
    except ValueError:
        raise
    except Exception as error:
        raise ValueError(f"{name} is a damaged or encrypted archive ({type(error).__name__})") from None
