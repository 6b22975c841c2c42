"""The README is true: its links lead somewhere, its commands exist, its payload is accepted, its table is that of the settings."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

from pydantic_core import PydanticUndefined

from shared.settings import CONFIG_FILE, PREFIX, SECRETS_DIR, Settings
from tests.architecture.house import ROOT, fail_on, syntax_of

README = (ROOT / "README.md").read_text()
LINKS = re.findall(r"\[([^\]]+)\]\(([^)\s]+)\)", README)


def definitions(path: Path) -> set[str]:
    """Names of every function and class in a file, methods as `Class.method` too."""
    tree = syntax_of(path)
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    methods = {f"{owner.name}.{node.name}" for owner in classes for node in owner.body if isinstance(node, kinds)}
    return methods | {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def slugs() -> set[str]:
    """Anchors of the headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", README, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_leads_somewhere() -> None:
    local = {target for _, target in LINKS if "://" not in target and not target.startswith("#")}
    fail_on(target for target in local if not (ROOT / target).exists())
    fail_on(target for _, target in LINKS if target.startswith("#") and target[1:] not in slugs())


def test_every_linked_function_is_defined_in_the_linked_file() -> None:
    functions = [(text.strip("`").removesuffix("()"), Path(target)) for text, target in LINKS if text.endswith("()`")]
    assert len(functions) >= 8  # one job, followed from POST to the end
    fail_on(f"{target} does not define {name}" for name, target in functions if name not in definitions(target))


def settings_table() -> str:
    """The table of README.md, made from the settings themselves."""
    rows = [
        f"| `{PREFIX}{name.upper()}` | {_default(field)} | {_prose(field.description)} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| setting | default | meaning |", "| --- | --- | --- |", *rows])
