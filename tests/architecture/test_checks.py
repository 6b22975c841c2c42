"""Lint, format, types, import contracts and dependencies are tests like any other: all failures are reported, in full."""

from __future__ import annotations

import tomllib

import pytest

from deploy.checks import CHECKS, complaint, start
from tests.architecture.house import PACKAGES, ROOT


@pytest.mark.timeout(600)  # mypy without its cache, on a busy machine
@pytest.mark.parametrize("name", CHECKS)
def test_the_check_passes(name: str) -> None:
    if said := complaint(start(CHECKS[name])):
        pytest.fail(said, pytrace=False)


@pytest.mark.parametrize("tool", ["mypy", "coverage", "importlinter", "deptry", "hatch"])
def test_no_tool_forgets_a_package(tool: str) -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    named = {
        "mypy": [name for name in tools["mypy"]["packages"] if name != "tests.bench"],
        "coverage": tools["coverage"]["run"]["source"],
        "importlinter": tools["importlinter"]["root_packages"],
        "deptry": tools["deptry"]["known_first_party"],
        "hatch": tools["hatch"]["build"]["targets"]["wheel"]["packages"],
    }[tool]
    assert sorted(named) == sorted(PACKAGES)


def test_nothing_but_the_processes_stands_at_the_top_level() -> None:
    # Folders without Python are caches or build outputs; what git ignores may lie there.
    found = {path.parent.name for path in ROOT.glob("[!.]*/__init__.py")}
    assert found == {*PACKAGES, "tests"}
