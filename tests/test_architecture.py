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
def test_only_the_command_line_knows_typer(path):
    if path.relative_to(PACKAGE).parts[0] != "cli":
        assert not any(name.split(".")[0] == "typer" for name in _imports(path))


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


def test_public_names_load():
    import depthapps

    for name in depthapps.__all__:
        assert getattr(depthapps, name).__name__ == name
    with pytest.raises(AttributeError, match="nothing"):
        _ = depthapps.nothing
