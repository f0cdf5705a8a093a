"""Refuse files by the sizes that their headers promise, before anything is decoded or unpacked."""

from __future__ import annotations

from depthapps.core.errors import InputError, param
from depthapps.runtime.budget import memory_budget, size_text

# No command takes less for a pixel of a picture: what is decoded, its depth, and the result. Most take several times as
# much.
LEAST_BYTES_A_PIXEL = 64
_GB = 1e9


def check_pixels(width: int, height: int, name: str) -> None:
    """Raise InputError for a picture or map of width x height px that memory cannot hold; `name` is the file's."""
    _check(width * height * LEAST_BYTES_A_PIXEL, f"{name} is {width}x{height}, which takes", "pass a smaller picture")


def check_bytes(size: int, name: str) -> None:
    """Raise InputError for contents of `size` bytes once they are unpacked, if memory cannot hold them."""
    _check(size, f"what {name} holds takes", "save less in the file")


def _check(size: int, what: str, remedy: str) -> None:
    budget = memory_budget()
    if size > budget:
        raise InputError(
            f"{what} {size / _GB:.3g} GB of memory or more, and {budget / _GB:.3g} GB may be used",
            hint=f"{remedy}; {param('max_memory', size_text(size))} raises the limit where there is as much",
        )
