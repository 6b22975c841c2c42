"""Name → class, found in a folder: adding a model, a source, a sink or a kind of connection means adding a file."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Generic, TypeVar

from shared.errors import QueuecastError

Kind = TypeVar("Kind")


class Registry(Generic[Kind]):
    """The classes of one kind, registered by decorator.

    Every module of the package whose name has no leading underscore is imported on first use. A second class of one name is
    a programming error; an unknown name is answered with the known ones.
    """

    def __init__(self, package: str, unknown: type[QueuecastError]) -> None:
        self._package = package
        self._unknown = unknown
        self._classes: dict[str, type[Kind]] = {}

    def register(self, name: str) -> Callable[[type[Kind]], type[Kind]]:
        """Class decorator: make the class known as `name`."""

        def keep(kind: type[Kind]) -> type[Kind]:
            if name in self._classes:
                raise ValueError(f"{name!r} is registered twice in {self._package}: {self._classes[name]!r} and {kind!r}")
            self._classes[name] = kind
            return kind

        return keep

    def __getitem__(self, name: str) -> type[Kind]:
        if name not in self._all:
            raise self._unknown(f"found {name!r}, known are {', '.join(self)}")
        return self._all[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._all))

    @cached_property
    def _all(self) -> Mapping[str, type[Kind]]:
        """All that register themselves when their modules are imported."""
        for module in pkgutil.iter_modules(importlib.import_module(self._package).__path__):
            if not module.name.startswith("_"):
                importlib.import_module(f"{self._package}.{module.name}")
        return self._classes
