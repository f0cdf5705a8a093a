"""Kernels: compiled once, linked without numba, and through numba where that fails."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
import tomllib
from importlib import metadata
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from packaging.requirements import Requirement

from depthapps.runtime import kernel as kernel_module
from depthapps.runtime.kernel import Kernel, load_ahead

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
_ROOT = Path(__file__).parents[1]
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
    with pytest.raises(ModuleNotFoundError):
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
    kernel_module._say_compiling.cache_clear()
    _run(name)
    path.write_text(_SCALE.replace("+ shift", "- shift"))
    _run(name)
    assert caplog.text.count("compiling") == 1
    kernel_module._say_compiling.cache_clear()
    caplog.clear()
    _run(name)
    assert "compiling" not in caplog.text


def test_what_no_folder_keeps_is_told_to_be_compiled_every_time(module, caplog, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))
    kernel_module._say_compiling.cache_clear()
    _run(module[0])
    assert "every run" in caplog.text
    assert "NUMBA_CACHE_DIR" in caplog.text


def _object_file(tmp_path: Path) -> Path:
    (found,) = tmp_path.glob("cache/*.o")
    return found


def test_other_users_can_read_what_was_compiled(module, tmp_path):
    umask = os.umask(0o022)
    try:
        _run(module[0])
        os.umask(0o027)
        _run_other_text(module)
    finally:
        os.umask(umask)
    modes = sorted(stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("cache/*.o"))
    assert modes == ([0o640, 0o644] if os.name == "posix" else modes)


def _run_other_text(module) -> None:
    name, path = module
    path.write_text(_SCALE.replace("+ shift", "- shift"))
    sys.modules.pop(name)
    assert np.array_equal(_run(name), _EXPECTED - 6)


def test_a_damaged_object_file_is_compiled_again(module, tmp_path):
    """In a process of its own: LLVM may end the process over a damaged object file."""
    name, _ = module
    _run(name)
    path = _object_file(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-200])
    done = _run_apart(tmp_path, name)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
    assert len(path.read_bytes()) > len(whole) - 200  # replaced


_USE = """
import sys, numpy as np
sys.path.insert(0, {folder!r})
from depthapps.runtime.kernel import Kernel
values, out = np.arange(12, dtype=np.float32).reshape(3, 4), np.zeros((3, 4))
"""
_CALL = f"""
Kernel({{name!r}}, "scale", "{_SIGNATURE}")(values, 0.5, 3, out)
print(np.array_equal(out, np.arange(12).reshape(3, 4) * 0.5 + 3))
"""


def _run_apart(folder: Path, name: str, between: str = "", **options) -> subprocess.CompletedProcess[str]:
    code = _USE.format(folder=str(folder)) + between + _CALL.format(name=name)
    options.setdefault("cwd", _ROOT)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, **options)


def test_an_object_file_without_the_function_is_compiled_again(module, tmp_path):
    import llvmlite.binding as llvm

    from depthapps.runtime import machine_code, object_files

    name, _ = module
    _run(name)
    path = _object_file(tmp_path)
    other = machine_code._target_machine().emit_object(llvm.parse_assembly("define i32 @other() {\n ret i32 1\n}"))
    assert object_files.store(path.name, other, [path.parent])
    assert np.array_equal(_run(name), _EXPECTED)
    with pytest.raises(RuntimeError):
        machine_code.link(other, _SIGNATURE.split())


@pytest.mark.parametrize("broken", ["compile_to_object", "link"])
def test_what_cannot_be_linked_runs_through_numba_and_says_so_once(module, tmp_path, monkeypatch, caplog, broken):
    from depthapps.runtime import machine_code

    def fail(*arguments):
        raise AttributeError("this LLVM has no such pass")

    monkeypatch.setattr(machine_code, broken, fail)
    caplog.set_level("INFO", "depthapps")
    kernel_module._say_through_numba.cache_clear()
    for _ in range(2):
        assert np.array_equal(_run(module[0]), _EXPECTED)
    assert caplog.text.count("no such pass") == 1
    assert not list(tmp_path.glob("cache/*.o"))
    kernel, values, out = Kernel(module[0], "scale", _SIGNATURE), np.ones((3, 4), np.float32), np.zeros((3, 4))
    values.flags.writeable = False  # numba has other types for such arrays, and for numpy's numbers
    kernel(values, np.float32(2), np.int8(1), out)
    assert (out == 3).all()
    kernel(values[:0], 2, 1, out[:0])
    with pytest.raises(TypeError, match="instead of float32"):
        kernel(out, 2, 1, out)
    caplog.clear()
    caplog.set_level("WARNING", "depthapps")
    kernel_module._say_through_numba.cache_clear()
    _run(module[0])
    assert "no such pass" not in caplog.text  # only with -v


def test_a_symbol_that_no_library_has_fails_to_link_and_does_not_end_the_process():
    code = r"""
import llvmlite.binding as llvm
from depthapps.runtime import machine_code
text = "declare i32 @missing()\ndefine i32 @depthapps_kernel() {\n %1 = call i32 @missing()\n ret i32 %1\n}"
object_file = machine_code._target_machine().emit_object(llvm.parse_assembly(text))
try:
    machine_code.link(object_file, [])
except RuntimeError:
    print("refused")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=_ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "refused\n", "")


def test_another_way_of_compiling_makes_another_object_file(module, tmp_path):
    """The package is copied, so that its own source can be changed."""
    name, _ = module
    shutil.copytree(_ROOT / "depthapps", tmp_path / "depthapps", ignore=shutil.ignore_patterns("__pycache__"))
    for count_of_files, file in enumerate(["__init__.py", "kernel.py", "inlining.py"], 1):
        with (tmp_path / "depthapps" / "runtime" / file).open("a", encoding="utf-8") as source:
            source.write("# another way\n")
        done = _run_apart(tmp_path, name, cwd=tmp_path)
        assert done.stdout == "True\n", done.stderr
        assert len(list(tmp_path.glob("cache/*.o"))) == count_of_files


@pytest.mark.parametrize(("setting", "value"), [("_PASSES", ("global_dead_code_eliminate",)), ("_OPTIMISATION", 2)])
def test_the_settings_of_llvm_are_in_the_cache_key(module, monkeypatch, setting, value):
    name, path = module
    key = Kernel(name, "scale", _SIGNATURE)._key(path)
    monkeypatch.setattr(f"depthapps.runtime.machine_code.{setting}", value)
    assert Kernel(name, "scale", _SIGNATURE)._key(path) != key


def test_settings_of_numba_that_change_machine_code_are_in_the_cache_key(module, monkeypatch, tmp_path):
    name, path = module
    key = Kernel(name, "scale", _SIGNATURE)._key(path)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "elsewhere"))
    assert Kernel(name, "scale", _SIGNATURE)._key(path) == key
    monkeypatch.setenv("NUMBA_OPT", "0")
    assert Kernel(name, "scale", _SIGNATURE)._key(path) != key


_DROP_RIGHTS = """
import os
Kernel({name!r}, "scale", {signature!r}).loaded()  # imports what it needs: root's own folders may be closed to others
os.setgroups([])
os.setgid({user})
os.setuid({user})
os.environ.pop("HOME", None)
import atexit
atexit.register(lambda: print("numba" in sys.modules, os.getuid()))
"""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("user", [65534, 4242], ids=["nobody", "no passwd entry"])
def test_other_users_use_what_root_compiled(user):
    """Beside the source, as in site-packages, and with no home of their own."""
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are closed to others
        name = next(_names)
        (Path(folder) / f"{name}.py").write_text(_SCALE)
        Path(folder).chmod(0o755)
        shutil.copytree(_ROOT / "depthapps", Path(folder) / "depthapps", ignore=shutil.ignore_patterns("__pycache__"))
        environment = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
        options: dict[str, Any] = {"env": environment, "cwd": folder}
        assert _run_apart(Path(folder), name, **options).stdout == "True\n"
        drop = _DROP_RIGHTS.format(name=name, signature=_SIGNATURE, user=user)
        done = _run_apart(Path(folder), name, drop, **options)
        assert done.stdout == f"True\nFalse {user}\n", done.stderr


def test_a_user_without_a_home_compiles(module, monkeypatch):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    for variable in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    name, path = module
    (path.parent / "__pycache__").write_text("a file where the folder should be")
    assert np.array_equal(_run(name), _EXPECTED)


_END_WHILE_STORING = """
import os, time
from depthapps.cli.app import main
from depthapps.runtime.kernel import load_ahead
replace = os.replace
def slow(*arguments):
    time.sleep(1)
    replace(*arguments)
os.replace = slow
load_ahead([Kernel({name!r}, "scale", {signature!r})])
while not os.path.isdir({cache!r}) or not os.listdir({cache!r}):
    time.sleep(0.01)
sys.argv = ["depthapps", "--help"]
main()
"""


def test_the_end_of_a_command_waits_for_an_object_file_that_is_being_written(module, tmp_path):
    name, cache = module[0], tmp_path / "cache"
    end = _END_WHILE_STORING.format(name=name, cache=str(cache), signature=_SIGNATURE)
    done = _run_apart(tmp_path, name, end)
    assert done.returncode == 0, done.stderr
    assert [path.suffix for path in cache.iterdir()] == [".o"]
    assert stat.S_ISREG(_object_file(tmp_path).stat().st_mode)


_RENDER = """
from depthapps.bokeh.render import scatter_seen
coc = np.full((9, 9), 3, np.float32)
coc[4:] = -2
scatter_seen(np.zeros((9, 9, 3), np.float32), coc)
"""
_SIMPLIFY = """
from depthapps import Camera, ModelParams, Scene, make_model
from depthapps.mesh.simplify import SimplifyParams
depth = 2 + 0.1 * np.sin(np.arange(900.0).reshape(30, 30) / 50)
scene = Scene(np.zeros((30, 30, 3), np.uint8), depth.astype(np.float32), Camera.centred(30, 30, focal_px=30))
make_model(scene, ModelParams(max_triangles=100))
"""


_ALL = """
import importlib, pkgutil
import depthapps
from depthapps.runtime.kernel import Kernel
names = [found.name for found in pkgutil.walk_packages(depthapps.__path__, "depthapps.")]
modules = [importlib.import_module(name) for name in names if not name.endswith(("_kernels", "inlining", "__main__"))]
kernels = {id(value): value for module in modules for value in vars(module).values() if isinstance(value, Kernel)}
for kernel in kernels.values():
    kernel.loaded()
assert len(kernels) > 20
"""


@pytest.mark.parametrize("work", [_RENDER, _SIMPLIFY, _ALL], ids=["bokeh", "mesh", "all"])
def test_compiled_loops_do_without_numba(work):
    code = f"import sys, numpy as np\n{work}\nprint('numba' in sys.modules)"
    # the first may have to compile
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=_ROOT) for _ in range(2)]
    assert runs[1].stdout.strip() == "False", runs[1].stderr


def test_versions_of_numba_and_llvmlite_have_an_upper_bound():
    """The loader relies on internals of both; see pyproject.toml."""
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    bounds = {found.name: found.specifier for found in map(Requirement, project["dependencies"])}
    for name in ("numba", "llvmlite"):
        assert any(bound.operator == "<" for bound in bounds[name])
        assert metadata.version(name) in bounds[name]
    wanted = {found.name: found.specifier for found in map(Requirement, metadata.requires("numba") or [])}
    assert metadata.version("llvmlite") in wanted["llvmlite"]
