"""Imports open3d, with the USB library that its wheels need and do not contain."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from typing import Any


def import_open3d() -> Any:
    """The open3d module. It takes one to two seconds to import, so only code that uses it calls this.

    On Linux and macOS, open3d's wheel (0.20) links to libusb-1.0 and does not contain it. The package libusb-package
    does; a library that is loaded already is not searched for. On macOS the wheel names Homebrew's copy by its full
    path, which may or may not be satisfied by that. On Windows open3d needs no libusb.
    """
    if sys.platform != "win32":
        with suppress(ImportError, OSError):  # the system may have its own; if not, importing open3d tells
            import libusb_package

            ctypes.CDLL(str(libusb_package.get_library_path()), mode=ctypes.RTLD_GLOBAL)
    try:
        import open3d
    except ImportError as error:
        if sys.platform == "darwin" and "libusb" in str(error):
            error.add_note("open3d needs Homebrew's libusb: brew install libusb")
        raise
    return open3d
