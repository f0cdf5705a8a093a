"""What the README, the cook-book and the page of figures show runs, and the rest of what they say can be found."""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import runpy
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, SAMPLE_PAIR, SAMPLES, link_or_copy
from typer.main import get_command
from typer.testing import CliRunner

import depthapps
from depthapps import NetworkDescription
from depthapps.cli.app import app
from depthapps.cli.flags import as_flag

BENCHMARKS = ROOT / "tests" / "benchmarks"
GUIDES = {"README": ROOT / "README.md", "cook-book": SAMPLES / "README.md"}
PAGES = {**GUIDES, "figures": BENCHMARKS / "README.md"}
FOR_PEOPLE = ("CONTRIBUTING", "CHANGELOG", "PULL_REQUEST_TEMPLATE")
ALL_PAGES = {**PAGES, **{name: ROOT / ".github" / f"{name}.md" for name in FOR_PEOPLE}}
TEXTS = {name: path.read_text(encoding="utf-8") for name, path in ALL_PAGES.items()}
GROUP: Any = get_command(app)
BATCH = GROUP.commands["batch"]
# every command with options of its own: those of a batch belong to the command that it does
COMMANDS_OF_ONE = {name: command for name, command in GROUP.commands.items() if command is not BATCH}
COMMANDS_OF_MANY = {f"batch {name}": BATCH.get_command(None, name) for name in BATCH.list_commands(None)}
WITH_OPTIONS = COMMANDS_OF_ONE | COMMANDS_OF_MANY


def blocks(page: str, kind: str) -> list[str]:
    """The fenced blocks of one kind on a page, in their order."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", TEXTS[page], re.DOTALL | re.MULTILINE)


def shell_lines(page: str) -> list[str]:
    """The commands on a page, one a line."""
    text = "".join(blocks(page, "sh")).replace(" &&\n", "\n").replace("\\\n", " ")
    return [line for line in text.splitlines() if line]


# an example that stands in the README and in the cook-book is run once
COMMANDS = list(dict.fromkeys(line for page in GUIDES for line in shell_lines(page) if line.startswith("depthapps ")))
MEASURED = [line for line in shell_lines("figures") if line.startswith("python ")]


# ------------------------------------------------------------------------------------ examples


@pytest.mark.parametrize("page", GUIDES)
def test_a_guide_shows_every_command(page):
    shown = {shlex.split(line)[1] for line in shell_lines(page) if line.startswith("depthapps ")}
    assert shown == set(GROUP.commands)
    assert all(line.startswith(("depthapps ", "pip install")) for line in shell_lines(page))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, small_sample) -> Path:
    """A folder with the files that the guides print and the samples, of them the pair at half its size.

    The examples run in it one after the other.
    """
    folder = tmp_path_factory.mktemp("docs")
    (folder / "samples").mkdir()
    for name in (path.name for path in SAMPLES.iterdir()):
        link_or_copy((small_sample if name in SAMPLE_PAIR else SAMPLES) / name, folder / "samples" / name)
    for text in (TEXTS[page] for page in GUIDES):
        for name, content in re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
            (folder / name).write_text(content, encoding="utf-8")
    return folder


def at_half_size(line: str) -> str:
    """A command with the places in the pair's pictures, such as `--focus 850,600`, where they are at half the size."""
    halved = re.sub(r"(?<= )(\d+),(\d+)(?= |$)", lambda place: f"{int(place[1]) // 2},{int(place[2]) // 2}", line)
    return halved if "samples/left.png" in line else line


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_guides_runs(line, folder, monkeypatch):
    monkeypatch.chdir(folder)
    before = set(folder.iterdir())
    result = CliRunner().invoke(app, shlex.split(at_half_size(line))[1:], catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    assert set(folder.iterdir()) > before


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")])
def test_the_python_of_a_page_runs(page, tmp_path, monkeypatch):
    link_or_copy(SAMPLES, tmp_path / "samples")
    monkeypatch.chdir(tmp_path)
    names: dict = {}  # a block may use what the blocks before it made
    for text in blocks(page, "python"):
        before = {p: p.stat().st_mtime_ns for p in tmp_path.iterdir()}
        exec(compile(text, str(PAGES[page]), "exec"), names)
        assert {p: p.stat().st_mtime_ns for p in tmp_path.iterdir()} != before, f"wrote nothing:\n{text}"


# --------------------------------------------------------------------------------- measurements


class _Parsed(Exception):  # noqa: N818 - not an error: the benchmark is left once it has its arguments
    """Carries what a benchmark understood of its arguments."""


@pytest.mark.parametrize("line", MEASURED)
def test_a_benchmark_understands_the_command_that_the_figures_name(line, monkeypatch):
    program, *arguments = shlex.split(line)[1:]
    parse = argparse.ArgumentParser.parse_args

    def leave(parser, *args, **kwargs):
        raise _Parsed(parse(parser, *args, **kwargs))

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", leave)
    monkeypatch.setattr(sys, "argv", [program, *arguments])
    monkeypatch.syspath_prepend(str(BENCHMARKS))  # where a program finds the modules beside it
    loaded = set(sys.modules)
    try:
        with pytest.raises(_Parsed):
            runpy.run_path(str(ROOT / program), run_name="__main__")
    finally:
        for path in BENCHMARKS.glob("*.py"):
            if path.stem not in loaded:
                sys.modules.pop(path.stem, None)


def test_the_figures_name_every_benchmark_and_only_what_is_there():
    assert {shlex.split(line)[1] for line in MEASURED} == {
        f"tests/benchmarks/{p.name}" for p in BENCHMARKS.glob("*.py")
    }
    for line in shell_lines("figures"):
        kind, first, *rest = shlex.split(line)
        if kind == "pytest":
            assert (ROOT / first).is_file(), line
        elif kind == "depthapps":
            known = GROUP.commands[first].params
            assert {word for word in rest if word.startswith("-")} <= {name for p in known for name in p.opts}, line
        else:
            assert kind == "python", line


# ------------------------------------------------------------------------------------ statements


def test_options_that_the_pages_name_exist():
    known = {"--help", "--version", "--nworkers", "--nthreads", "--dist"}  # the last are of `dask worker` and pytest
    for command in WITH_OPTIONS.values():
        known |= {name for parameter in command.params for name in parameter.opts}
    for path in (*BENCHMARKS.glob("*.py"), *SAMPLES.glob("*.py")):
        known |= set(re.findall(r'"(--[a-z-]+)"', path.read_text(encoding="utf-8")))
    for page in PAGES:
        assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", TEXTS[page])) <= known, page


@pytest.mark.parametrize("text", re.findall(r'`(\{"inputs".*?\})`', "".join(TEXTS[page] for page in GUIDES)))
def test_a_networks_description_in_the_guides_is_understood(text):
    assert NetworkDescription.from_json(json.loads(text))


def test_the_guides_tell_every_key_of_a_description():
    text = "".join(TEXTS[page] for page in GUIDES)
    assert all(f"`{f.name}`" in text for f in dataclasses.fields(NetworkDescription))


def anchors(text: str) -> set[str]:
    """The places of a page that links can name, as GitHub makes them of its headings."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", ALL_PAGES)
def test_links_and_pictures_of_a_page_lead_somewhere(page):
    for target in re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", TEXTS[page]):
        if target.startswith(("http://", "https://")):
            continue
        name, _, place = target.partition("#")
        path = (ALL_PAGES[page].parent / name).resolve() if name else ALL_PAGES[page]
        assert path.exists(), target
        assert path.is_relative_to(ROOT.resolve()), target
        assert not place or place in anchors(path.read_text(encoding="utf-8")), target


def test_the_readme_is_read_in_five_minutes():
    assert len(TEXTS["README"].splitlines()) <= 180


def test_contributing_names_every_room():
    rooms = {p.parent.name for p in Path(depthapps.__file__).parent.glob("*/__init__.py")}
    assert set(re.findall(r"^\| `(\w+)/` \|", TEXTS["CONTRIBUTING"], re.MULTILINE)) == rooms


# ------------------------------------------------------------------------------------ the help


@pytest.mark.parametrize("name", list(GROUP.commands))
def test_every_command_and_option_has_help_and_the_help_ends_in_examples(name):
    command = GROUP.commands[name]
    assert f"\n    depthapps {name} " in (command.callback.__doc__ or "")
    for parameter in command.params:
        assert parameter.help, f"{name} {parameter.name}"


@pytest.mark.parametrize(("name", "command"), COMMANDS_OF_MANY.items())
def test_a_batch_has_the_help_of_its_command_and_examples_of_its_own(name, command):
    assert f"\ndepthapps {name} " in command.help
    for parameter in command.params:
        assert parameter.help, f"{name} {parameter.name}"
    mine, single = ({p.name: p.help for p in c.params} for c in (command, GROUP.commands[name.split()[1]]))
    assert mine["quality"] == single["quality"]


@pytest.mark.parametrize(("name", "command"), WITH_OPTIONS.items())
def test_the_help_lists_every_option_once_and_long_lists_have_headings(name, command):
    shown = CliRunner().invoke(app, [*name.split(), "--help"]).output
    listed = re.findall(r"^  (-{1,2}[-\w]+)(?:, (--[-\w]+))?", shown, re.MULTILINE)
    assert sorted(flag for flags in listed for flag in flags if flag) == sorted(
        {flag for p in command.params if p.param_type_name == "option" for flag in p.opts} | {"-h", "--help"}
    )
    heading = r"^(?=[A-Z])(.*):$\n"
    sections = dict(zip(*[iter(re.split(heading, shown, flags=re.MULTILINE)[1:])] * 2, strict=True))
    assert list(sections)[: 1 + ("Arguments" in sections)][-1] == "Options"
    assert "--overwrite" in sections["Running"]
    assert ("The model" in sections) == ("mesh" in name)  # an option that commands share takes none along
    for title, lines in sections.items():
        assert len(re.findall("^  -", lines, re.MULTILINE)) <= 20, title


def test_a_heading_stands_over_its_own_options():
    shown = CliRunner().invoke(app, ["shadow", "--help"]).output
    order = (
        "  -o, ",
        "The light:",
        "  --azimuth ",
        "Depth that is known:",
        "  --depth ",
        "Cameras:",
        "  -c, ",
        "Running:",
    )
    places = [shown.index(f"\n{each}") for each in (*order, "  --quality ")]
    assert places == sorted(places)


def test_shared_options_mean_one_thing():
    seen: dict[str, tuple] = {}
    for name, command in COMMANDS_OF_ONE.items():
        for parameter in command.params:
            if parameter.name in ("output", "help"):
                continue
            meaning = (parameter.help, parameter.default, tuple(parameter.opts))
            assert seen.setdefault(parameter.name, meaning) == meaning, f"{name} {parameter.name}"


def test_every_parameter_that_a_hint_names_has_a_flag():
    flags = {flag for command in WITH_OPTIONS.values() for p in command.params for flag in p.opts}
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
