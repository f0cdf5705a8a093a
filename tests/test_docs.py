"""What the README shows runs, and every command and option stands in the help."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
from pathlib import Path

import pytest
from conftest import ROOT, SAMPLES
from typer.main import get_command
from typer.testing import CliRunner

from depthapps.cli.app import app
from depthapps.cli.options import as_flag
from depthapps.engine.network import NetworkDescription

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
SHELL = [line for kind, text in BLOCKS if kind == "sh" for line in text.replace(" &&\n", "\n").splitlines()]
COMMANDS = [line for line in SHELL if line.startswith("depthapps ")]
GROUP = get_command(app)


def test_the_readme_shows_every_command():
    assert {shlex.split(line)[1] for line in COMMANDS} == set(GROUP.commands)  # pyright: ignore[reportAttributeAccessIssue]
    assert all(line.startswith(("depthapps ", "pip install")) for line in SHELL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """An empty folder with the samples in it, in which the README's commands run one after the other."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "samples").symlink_to(SAMPLES)
    return folder


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_readme_runs(line, folder, monkeypatch):
    monkeypatch.chdir(folder)
    before = set(folder.iterdir())
    result = CliRunner().invoke(app, shlex.split(line)[1:], catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    assert set(folder.iterdir()) > before


@pytest.mark.parametrize("text", [text for kind, text in BLOCKS if kind == "python"])
def test_the_python_of_the_readme_runs(text, folder, monkeypatch):
    monkeypatch.chdir(folder)
    exec(compile(text, "README.md", "exec"), {})
    assert (folder / "portrait.png").stat().st_size > 100_000


@pytest.mark.parametrize("text", re.findall(r'`(\{"inputs".*?\})`', README))
def test_a_networks_description_in_the_readme_is_understood(text):
    assert NetworkDescription.from_json(json.loads(text))


def test_the_readme_tells_every_key_of_a_description():
    assert all(f"`{f.name}`" in README for f in dataclasses.fields(NetworkDescription))


def test_the_pictures_of_the_readme_are_there():
    for path in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README):
        assert (ROOT / path).is_file(), path


@pytest.mark.parametrize("name", list(GROUP.commands))  # pyright: ignore[reportAttributeAccessIssue]
def test_every_command_and_option_has_help_and_the_help_ends_in_examples(name):
    command = GROUP.commands[name]  # pyright: ignore[reportAttributeAccessIssue]
    assert f"\n    depthapps {name} " in (command.callback.__doc__ or "")
    for parameter in command.params:
        assert parameter.help, f"{name} {parameter.name}"


def test_shared_options_mean_one_thing():
    seen: dict[str, tuple] = {}
    for name, command in GROUP.commands.items():  # pyright: ignore[reportAttributeAccessIssue]
        for parameter in command.params:
            if parameter.name in ("output", "help"):
                continue
            meaning = (parameter.help, parameter.default, tuple(parameter.opts))
            assert seen.setdefault(parameter.name, meaning) == meaning, f"{name} {parameter.name}"


def test_every_parameter_that_a_hint_names_has_a_flag():
    flags = {flag for command in GROUP.commands.values() for p in command.params for flag in p.opts}  # pyright: ignore[reportAttributeAccessIssue]
    sources = [p.read_text(encoding="utf-8") for p in (ROOT / "depthapps").rglob("*.py")]
    named = {
        (m[1], m[2] or "")
        for text in sources
        for m in re.finditer(r"param\('(\w+)'(?:, '([-\w]+)')?|param\(\"(\w+)\"", text)
        if m[1]
    }
    assert len(named) > 15
    for name, value in named - {("layout", "")}:
        assert as_flag(name, value if name == "layout" else "").split()[0] in flags, name
