"""Open3D, imported on demand."""

from __future__ import annotations

import ctypes
from typing import Any


def import_open3d() -> Any:
    """The open3d module. It takes one to two seconds to load, so only the code that needs it asks for it.

    Its wheel links to libusb-1.0 without bringing it; the libusb-package wheel does, and loading that first is enough.
    """
    import libusb_package

    ctypes.CDLL(str(libusb_package.get_library_path()), mode=ctypes.RTLD_GLOBAL)
    import open3d

    return open3d
