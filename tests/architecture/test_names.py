"""A function without a home has found a missing room; a module says in its first line what it is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.house import PACKAGES, ROOT, fail_on, modules, syntax_of

DRAWERS = {"util", "utils", "helper", "helpers", "common", "manager", "managers", "misc"}
PLUG_INS = {"models": ("_model", "_models"), "sources": ("_source",), "sinks": ("_sink",)}
NAME_CHARACTERS = 80
ROOMS_OF_TESTS = {"architecture", "bench", "integration", "chaos", "browser"}  # of no single package


def test_no_module_is_a_drawer_for_everything() -> None:
    fail_on(str(path) for path in modules(*PACKAGES, "tests") if DRAWERS & {*path.parts, *path.stem.split("_")})


def test_a_module_begins_with_a_sentence_about_itself() -> None:
    first_lines = {path: (ast.get_docstring(syntax_of(path)) or "").partition("\n")[0] for path in modules()}
    fail_on(f"{path} begins with {line!r}" for path, line in first_lines.items() if len(line.split()) < 3)


@pytest.mark.parametrize("family", PLUG_INS)
def test_a_plug_in_carries_its_kind(family: str) -> None:
    """Beside its plug-ins a family has its promise, what they share (underscored), and rooms for what only one of them needs."""
    folder = Path("worker", family)
    plug_ins = [path for path in modules(str(folder)) if path.parent == folder and path.stem[0] != "_" and path.name != "base.py"]
    fail_on(str(path) for path in plug_ins if not path.stem.endswith(PLUG_INS[family]))


def test_a_test_lies_where_its_subject_lies() -> None:
    rooms = {path: Path(*path.parts[1:-1]) for path in modules("tests") if path.name.startswith("test_")}
    fail_on(str(path) for path, room in rooms.items() if not ({*room.parts[:1]} & ROOMS_OF_TESTS or (ROOT / room).is_dir()))


def test_tests_import_what_they_share_from_modules_without_tests() -> None:
    """Else a test cannot be moved or renamed alone, and pytest runs the fixtures of one file in another."""
    imports = [(path, name) for path in modules("tests") for name in imported(path)]
    fail_on(f"{path} imports {name}" for path, name in imports if re.search(r"^tests\..*(test_|conftest)", name))


def test_the_name_of_a_test_is_a_sentence_of_one_line() -> None:
    nodes = [(path, node) for path in modules("tests") for node in ast.walk(syntax_of(path))]
    tests = [(path, node.name) for path, node in nodes if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    fail_on(f"{path}: {name} has {len(name)} characters" for path, name in tests if len(name) > NAME_CHARACTERS)


def test_a_limit_is_called_min_or_max() -> None:
    texts = {path: (ROOT / path).read_text() for path in modules(*PACKAGES, "tests")}
    fail_on(f"{path}: {name}" for path, text in texts.items() for name in re.findall(r"\b(?:LONGEST|MOST|LARGEST)_\w+", text))


def imported(path: Path) -> set[str]:
    """Modules and names that a file imports, with their dots."""
    froms = [node for node in ast.walk(syntax_of(path)) if isinstance(node, ast.ImportFrom)]
    return {f"{node.module}.{alias.name}" for node in froms for alias in node.names}


def test_every_folder_of_tests_is_a_package() -> None:
    """Else tests/api shadows api: No module named 'api.app'."""
    folders = {path.parent for path in modules("tests")}
    fail_on(str(folder) for folder in folders if not (ROOT / folder / "__init__.py").is_file())
