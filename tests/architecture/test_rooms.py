"""Each concern has a folder: few of them stand side by side, and each says in a sentence what it is for."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.house import ROOT, fail_on, modules, syntax_of

MAX_ROOMS = {"worker": 12, "api": 8, "shared": 10}
MAX_BESIDE = 2  # modules of a package that stand beside its rooms


@pytest.mark.parametrize("package", MAX_ROOMS)
def test_few_rooms_stand_side_by_side(package: str) -> None:
    rooms = [path.parent.name for path in (ROOT / package).glob("*/__init__.py")]
    beside = [path.stem for path in (ROOT / package).glob("*.py") if path.stem != "__init__"]
    assert len(rooms) <= MAX_ROOMS[package], sorted(rooms)
    assert len(beside) <= MAX_BESIDE, sorted(beside)


@pytest.mark.parametrize("package", [*MAX_ROOMS, "deploy"])
def test_every_room_says_what_it_is_for(package: str) -> None:
    docstrings = {path: ast.get_docstring(syntax_of(path)) or "" for path in modules(package) if path.name == "__init__.py"}
    fail_on(str(path) for path, text in docstrings.items() if not text.partition("\n")[0].endswith((".", ":")))
