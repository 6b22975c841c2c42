"""What comments and docstrings refer to is here: files that exist, and no numbers of a list that a reader does not have."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.house import PACKAGES, ROOT, fail_on, modules, syntax_of

FILE = re.compile(r"(?<![\w./<{*~-])((?:[\w.-]+/)*[\w-]+\.(?:py|sql|lua|md|toml))\b(?!/)")
REFERENCE = re.compile(r"(?<!\w)\(\d{1,2}\)")  # neither the section of a manual, as in prctl(2), nor a status or a year
OF_USERS = {"queuecast.toml", "pyproject.toml"}  # the first lies where a command is run
NAMES = {path.name for path in ROOT.rglob("*") if not {".venv", ".git"} & {*path.relative_to(ROOT).parts[:1]}}


def test_a_file_that_is_named_exists() -> None:
    named = [(path, name) for path, text in said() for name in FILE.findall(text)]
    fail_on(f"{path} names {name}" for path, name in named if not exists(name, beside=path))


def test_no_comment_refers_to_a_bare_number() -> None:
    fail_on(f"{path}: {text.strip()}" for path, text in said() if REFERENCE.search(text))


def exists(name: str, beside: Path) -> bool:
    """Whether there is such a file: seen from the root, a package or the folder of the text, or a name that stands for itself."""
    if name in OF_USERS or ("/" not in name and name in NAMES):
        return True
    return any((folder / name).is_file() for folder in (ROOT, *(ROOT / package for package in PACKAGES), (ROOT / beside).parent))


def said() -> Iterator[tuple[Path, str]]:
    """File and text of every comment and docstring of ours."""
    for path in modules(*PACKAGES, "tests"):
        with tokenize.open(ROOT / path) as file:
            yield from (
                (path, token.string) for token in tokenize.generate_tokens(file.readline) if token.type == tokenize.COMMENT
            )
        for node in ast.walk(syntax_of(path)):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (text := ast.get_docstring(node)):
                yield path, text
