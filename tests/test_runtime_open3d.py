"""The import of open3d on systems that are not this one; the real import is tested by what uses it."""

import sys
from types import ModuleType

import pytest

from depthapps.runtime.open3d import import_open3d


@pytest.fixture
def loaded(monkeypatch):
    """The C libraries that are loaded, with an open3d and a libusb-package that are empty."""
    libraries: list[str] = []
    open3d, package = ModuleType("open3d"), ModuleType("libusb_package")
    package.get_library_path = lambda: "libusb"  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setitem(sys.modules, "open3d", open3d)
    monkeypatch.setitem(sys.modules, "libusb_package", package)
    monkeypatch.setattr("ctypes.CDLL", lambda path, mode: libraries.append(path))
    return libraries


@pytest.mark.parametrize(("system", "libraries"), [("linux", ["libusb"]), ("darwin", ["libusb"]), ("win32", [])])
def test_the_usb_library_is_loaded_where_the_wheel_links_to_it(loaded, monkeypatch, system, libraries):
    monkeypatch.setattr(sys, "platform", system)
    assert import_open3d() is sys.modules["open3d"]
    assert loaded == libraries


def test_without_its_package_the_systems_own_usb_library_may_do(loaded, monkeypatch):
    monkeypatch.setitem(sys.modules, "libusb_package", None)
    assert import_open3d() is sys.modules["open3d"]


def test_on_macos_a_missing_usb_library_is_told_how_to_get(loaded, monkeypatch):
    class Missing:
        def find_spec(self, name, *_):
            if name == "open3d":
                raise ImportError("Library not loaded: /opt/homebrew/opt/libusb/lib/libusb-1.0.0.dylib")

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.delitem(sys.modules, "open3d")
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    with pytest.raises(ImportError) as error:
        import_open3d()
    assert any("brew install libusb" in note for note in error.value.__notes__)
