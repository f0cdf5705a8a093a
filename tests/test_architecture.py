"""Imports point one way: cli -> rooms -> geometry -> scene -> errors, and rooms do not know each other."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest
from conftest import ROOT

PACKAGE = ROOT / "depthapps"
# what a room may import of depthapps besides itself
CORE = {"core", "runtime"}
SHAPES = CORE | {"surface"}
ALLOWED = {
    "core": set(),
    "runtime": set(),
    "surface": CORE,
    "engine": SHAPES,
    "bokeh": SHAPES,
    "shadow": SHAPES,
    "mesh": SHAPES,
    "draw": SHAPES,
    "io": CORE,
    "scan": SHAPES | {"mesh"},
    "apps": SHAPES | {"engine", "bokeh", "shadow", "mesh", "scan", "draw", "io"},
    "cli": SHAPES | {"engine", "bokeh", "shadow", "mesh", "scan", "draw", "io", "apps"},
    "__main__": {"cli"},
}


def _imports(path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


MODULES = sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_imports_only_what_lies_below_it(path):
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    reached = {name.split(".")[1] for name in _imports(path) if name.startswith("depthapps.")}
    assert reached - {room} <= ALLOWED[room]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_the_command_line_talks(path):
    if path.relative_to(PACKAGE).parts[0] in ("cli", "__main__.py"):
        return
    assert not any(name.split(".")[0] == "typer" for name in _imports(path))
    called = {n.func.id for n in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
              if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}  # fmt: skip
    assert not called & {"print", "exit", "quit", "input"}


@pytest.mark.parametrize("path", sorted((PACKAGE / "cli").glob("*.py")), ids=lambda p: p.name)
def test_the_command_line_only_parses_calls_and_reports(path):
    assert not {name.split(".")[0] for name in _imports(path)} & {"numpy", "cv2"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, f"{node.name} is long"


def test_the_top_level_holds_rooms_and_two_doors():
    assert {p.name for p in PACKAGE.glob("*.py*")} == {"__init__.py", "__init__.pyi", "__main__.py"}
    assert len([p for p in PACKAGE.iterdir() if p.is_dir() and (p / "__init__.py").is_file()]) <= 12


def test_no_module_is_tied_to_nothing():
    named = {name for path in MODULES for name in _imports(path)}
    texts = [path.read_text(encoding="utf-8") for path in MODULES]  # kernels are named, not imported
    for path in MODULES:
        module = "depthapps." + ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        if path.name in ("__init__.py", "__main__.py", "version.py"):
            continue
        package, _, leaf = module.rpartition(".")
        assert (
            module in named
            or any(f'"{module}"' in t or f"from {package} import {leaf}" in t for t in texts)
            or any(f"from {package} import" in t and leaf in t for t in texts)
        ), module


def test_modules_are_short():
    long = {p.name: n for p in MODULES if (n := len(p.read_text(encoding="utf-8").splitlines())) > 300}
    assert not long


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from typer.testing import CliRunner; from depthapps.cli.app import app;"
        "result = CliRunner().invoke(app, ['--help']); assert result.exit_code == 0, result.output;"
        "print([m for m in ('open3d', 'trimesh', 'numba', 'cv2', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
