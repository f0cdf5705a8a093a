"""What the packaging, the workflow and the templates say agrees with each other and with the package."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata

import pytest
from conftest import ROOT

import depthapps

GITHUB = ROOT / ".github"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORKFLOW = (GITHUB / "workflows" / "tests.yml").read_text(encoding="utf-8")


def listed(key: str) -> list[str]:
    """The values of `key: [a, "b"]` in the workflow."""
    (found,) = re.findall(rf"^ +{key}: \[(.+)\]$", WORKFLOW, re.MULTILINE)
    return [value.strip(' "') for value in found.split(",")]


def test_the_version_has_one_source():
    version = getattr(depthapps, "__version__", None)
    if version is None:
        pytest.skip("the package does not tell its version")
    assert version == metadata.version("depthapps")


def test_the_changelog_begins_with_this_version():
    text = (GITHUB / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## \[(.+)\]", text, re.MULTILINE)[0] == PROJECT["version"]


def test_the_workflow_tests_the_pythons_and_systems_that_the_classifiers_name():
    named = [c.rpartition(" ")[2] for c in PROJECT["classifiers"] if re.search(r"Python :: 3\.\d+$", c)]
    assert listed("python") == named
    assert PROJECT["requires-python"] == f">={named[0]}"
    systems = {"Linux": "ubuntu", "MacOS": "macos", "Windows": "windows"}
    named = {c.rpartition(" ")[2] for c in PROJECT["classifiers"] if c.startswith("Operating System")}
    assert {systems[name] for name in named} == {runner.partition("-")[0] for runner in listed("os")}


def test_the_workflow_is_plain_yaml():
    """No parser of YAML is among the dependencies: what breaks files most often is looked for here."""
    assert "\t" not in WORKFLOW
    depths = [len(line) - len(line.lstrip()) for line in WORKFLOW.splitlines() if line.strip()]
    assert all(depth % 2 == 0 for depth in depths)
    jobs = WORKFLOW.partition("\njobs:\n")[2]
    names = re.findall(r"^  ([\w-]+):$", jobs, re.MULTILINE)
    assert len(names) == len(set(names)) == jobs.count("runs-on:") == jobs.count("timeout-minutes:")
    for path in re.findall(r"(?<![\w/])(\.ci/\w+)", WORKFLOW):
        assert (ROOT / path).is_file(), path


def test_packages_have_no_urls_yet():
    assert "urls" not in PROJECT


@pytest.mark.parametrize("path", sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.md")), ids=lambda p: p.stem)
def test_a_template_has_a_head_that_github_reads(path):
    head = path.read_text(encoding="utf-8").split("---\n")[1]
    assert [line.partition(": ")[0] for line in head.splitlines()] == ["name", "about", "labels"]


def test_reports_ask_for_what_is_needed():
    bug, depth = ((GITHUB / "ISSUE_TEMPLATE" / n).read_text(encoding="utf-8") for n in ("bug.md", "wrong-depth.md"))
    assert all(word in bug for word in ("depthapps --version", "Command line", "error:", "hint:"))
    assert all(word in depth for word in ("depthapps --version", "--json", "--save-confidence", "--save-rectified"))
