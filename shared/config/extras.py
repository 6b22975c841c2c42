"""Which of our own extras are installed, as our metadata names them: `pip install queuecast[worker]`.

A process that found out at its first import would end with a traceback, and its supervisor would start it again for ever.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import wraps
from importlib.metadata import Distribution, requires
from typing import ParamSpec, TypeVar

from shared.errors import ExtraMissing

OURS = "queuecast"
P = ParamSpec("P")
T = TypeVar("T")


def needs(*extras: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Let a command begin only where these extras are installed; else it raises ExtraMissing."""

    def decorate(command: Callable[P, T]) -> Callable[P, T]:
        @wraps(command)  # typer reads the options from it
        def checked(*args: P.args, **kwargs: P.kwargs) -> T:
            require_extras(*extras)
            return command(*args, **kwargs)

        return checked

    return decorate


def require_extras(*extras: str) -> None:
    """Raise ExtraMissing unless every package of these extras is installed."""
    missing = {extra: names for extra in extras if (names := missing_packages(extra))}
    if missing:
        lacking = ", ".join(name for names in missing.values() for name in names)
        raise ExtraMissing(f"install {OURS}[{','.join(missing)}] (not found: {lacking})")


def missing_packages(extra: str) -> list[str]:
    """The packages of an extra that are not installed."""
    return [name for name in packages(extra) if not any(Distribution.discover(name=name))]


def packages(extra: str) -> Iterator[str]:
    """The packages of an extra, without those that this Python does not need."""
    for line in requires(OURS) or ():
        requirement, _, marker = line.partition(";")
        if re.search(rf"""extra == ['"]{extra}['"]""", marker) and (name := re.match(r"[\w.-]+", requirement)):
            yield name[0]
