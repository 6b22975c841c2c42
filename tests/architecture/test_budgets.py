"""Small rooms: no module over 250 lines, no function over 30, few values without a type; complexity is counted by ruff."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from statistics import median

from tests.architecture.house import ROOT, fail_on, modules, syntax_of

MODULE_LINES = 250
MEDIAN_LINES = 100
MAX_ANY = 80  # times the word stands in the source, imports included
FUNCTION_LINES = 30  # from `def` to the last line, docstring included


def lines_of(path: Path) -> int:
    return len((ROOT / path).read_text().splitlines())


def lines_of_functions(path: Path) -> dict[str, int]:
    """`file:line name` → lines."""
    functions = [node for node in ast.walk(syntax_of(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {f"{path}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1 for node in functions}


def test_no_module_is_longer_than_its_budget() -> None:
    fail_on(f"{path}: {lines_of(path)} lines" for path in modules() if lines_of(path) > MODULE_LINES)


def test_no_function_is_longer_than_its_budget() -> None:
    lengths = {name: lines for path in modules() for name, lines in lines_of_functions(path).items()}
    fail_on(f"{name}: {lines} lines" for name, lines in lengths.items() if lines > FUNCTION_LINES)


def test_most_modules_are_far_below_the_budget() -> None:
    assert median(lines_of(path) for path in modules() if path.name != "__init__.py") <= MEDIAN_LINES


def test_few_values_are_of_any_type() -> None:
    assert sum(len(re.findall(r"\bAny\b", (ROOT / path).read_text())) for path in modules()) <= MAX_ANY
