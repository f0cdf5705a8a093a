"""Kernels that start without numba."""

from __future__ import annotations

import subprocess
import sys
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from depthapps.runtime.kernel import Kernel, _say_once, load_ahead

_SCALE = """
def scale(values, factor, shift, out):
    for y in range(values.shape[0]):
        for x in range(values.shape[1]):
            out[y, x] = values[y, x] * factor + shift
"""
_ALLOCATE = """
import numpy as np
def scale(values, factor, shift, out):
    row = np.zeros(values.shape[1])
    for y in range(values.shape[0]):
        row[:] = values[y] * factor + shift
        out[y] = row
"""
_SIGNATURE = "float32[:,::1] float64 int64 float64[:,::1]"
_names = (f"kernels_of_a_test_{k}" for k in count())


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A new module's name and file."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # it knows texts by size and second, which two here share
    name = next(_names)
    path = tmp_path / f"{name}.py"
    path.write_text(_SCALE)
    return name, path


def _run(name: str) -> np.ndarray:
    values, out = np.arange(12, dtype=np.float32).reshape(3, 4), np.zeros((3, 4))
    Kernel(name, "scale", _SIGNATURE)(values, 0.5, 3, out)
    return out


_EXPECTED = np.arange(12).reshape(3, 4) * 0.5 + 3


def test_machine_code_is_kept_and_found_again_until_the_text_changes(module):
    name, path = module
    assert np.array_equal(_run(name), _EXPECTED)
    assert sys.modules.pop(name)
    assert np.array_equal(_run(name), _EXPECTED)
    assert name not in sys.modules  # not needed the second time
    path.write_text(_SCALE.replace("+ shift", "- shift"))
    assert np.array_equal(_run(name), _EXPECTED - 6)


def test_a_kernel_loaded_ahead_is_ready_and_one_that_cannot_be_raises_when_called(module):
    name, _ = module
    missing, found = Kernel("a_module_that_is_not_there", "scale", _SIGNATURE), Kernel(name, "scale", _SIGNATURE)
    for kernels in ([missing], [found]):
        load_ahead(kernels)
    values, out = np.ones((3, 4), np.float32), np.zeros((3, 4))
    found(values, 2, 1, out)
    assert (out == 3).all()
    with pytest.raises(AssertionError):
        missing(values, 2, 1, out)


def test_what_calls_the_c_library_stands_without_numba(module, tmp_path):
    name, path = module
    path.write_text(
        "import math\n" + _SCALE.replace("values[y, x] * factor", "math.floor(math.sqrt(values[y, x] ** 2)) * factor")
    )
    assert np.array_equal(_run(name), _EXPECTED)
    assert list(tmp_path.glob("cache/*.o"))


def test_what_cannot_stand_without_numba_runs_all_the_same(module, tmp_path):
    name, path = module
    path.write_text(_ALLOCATE)
    assert np.array_equal(_run(name), _EXPECTED)
    assert not list(tmp_path.glob("cache/*.o"))


def test_a_folder_that_cannot_be_written_does_not_matter(module, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))
    assert np.array_equal(_run(module[0]), _EXPECTED)


@pytest.mark.parametrize(
    "values",
    [np.zeros((3, 4)), np.zeros(12, np.float32), np.zeros((4, 3), np.float32).T, [[0.0]]],
    ids=["type", "dimensions", "order", "list"],
)
def test_other_arguments_are_refused(module, values):
    kernel = Kernel(module[0], "scale", _SIGNATURE)
    with pytest.raises(TypeError, match="instead of float32"):
        kernel(values, 1, 1, np.zeros((3, 4)))
    with pytest.raises(TypeError, match="4 arguments"):
        kernel(values)


def test_compiling_is_told_once_and_only_when_it_happens(module, caplog):
    caplog.set_level("WARNING", "depthapps")
    name, path = module
    _say_once.cache_clear()
    _run(name)
    path.write_text(_SCALE.replace("+ shift", "- shift"))
    _run(name)
    assert caplog.text.count("compiling") == 1
    _say_once.cache_clear()
    caplog.clear()
    _run(name)
    assert "compiling" not in caplog.text


_RENDER = """
from depthapps.bokeh.render import scatter_seen
coc = np.full((9, 9), 3, np.float32)
coc[4:] = -2
scatter_seen(np.zeros((9, 9, 3), np.float32), coc)
"""
_SIMPLIFY = """
from depthapps import Camera, Scene, build_mesh
from depthapps.mesh.simplify import SimplifyParams
depth = 2 + 0.1 * np.sin(np.arange(900.0).reshape(30, 30) / 50)
scene = Scene(np.zeros((30, 30, 3), np.uint8), depth.astype(np.float32), Camera.centred(30, 30, focal_px=30))
build_mesh(scene, SimplifyParams(max_triangles=100))
"""


@pytest.mark.parametrize("work", [_RENDER, _SIMPLIFY], ids=["bokeh", "mesh"])
def test_compiled_loops_do_without_numba(work):
    code = f"import sys, numpy as np\n{work}\nprint('numba' in sys.modules)"
    root = Path(__file__).parents[1]
    # the first may have to compile
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root) for _ in range(2)]
    assert runs[1].stdout.strip() == "False", runs[1].stderr
