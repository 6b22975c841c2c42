"""The house under test: where it stands, which modules it has, and how its checks are started."""

from __future__ import annotations

import ast
import os
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent  # the checks of the very environment that runs the tests
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PACKAGES = ("api", "worker", "shared", "deploy")


def modules(*folders: str) -> list[Path]:
    """Every Python file below these folders, relative to the root; all packages when none is named."""
    return sorted(path.relative_to(ROOT) for folder in folders or PACKAGES for path in (ROOT / folder).rglob("*.py"))


def syntax_of(path: Path) -> ast.Module:
    """The syntax tree of a file, given relative to the root."""
    return ast.parse((ROOT / path).read_text())


def output_of(*command: str, folder: Path = ROOT, **environment: str) -> str:
    """What a command says; fails with everything it said when it does not end well."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}", pytrace=False)
    return done.stdout


def fail_on(violations: Iterable[str]) -> None:
    """Fail with every violation, one a line: pytest would cut a long comparison."""
    if found := sorted(violations):
        pytest.fail("\n".join(found), pytrace=False)


@cache
def verbs() -> dict[tuple[str, ...], set[str]]:
    """Every command of `queuecast`, word by word → its options."""
    from typer.main import get_command

    from shared.command.root import build_app

    def walk(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], set[str]]]:
        if not hasattr(command, "commands"):
            yield words, {option for parameter in command.params for option in parameter.opts}
        for name in command.list_commands(None) if hasattr(command, "commands") else ():
            yield from walk(command.get_command(None, name), (*words, name))

    return dict(walk(get_command(build_app()), ()))


def mistakes(commands: Iterable[str]) -> Iterator[str]:
    """What is wrong with commands of `queuecast`: no such verb, or no such option of it."""
    for command in commands:
        words = shlex.split(command)[1:]
        verb = next((tuple(words[:length]) for length in (2, 1) if tuple(words[:length]) in verbs()), None)
        options = {word.partition("=")[0] for word in words if word.startswith("--")}
        if verb is None or not options <= verbs()[verb]:
            yield f"{command}: {'no such verb' if verb is None else f'no {options - verbs()[verb]}'}"
