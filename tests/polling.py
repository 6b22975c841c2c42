"""Waiting for something real, with a limit: no test sleeps for a fixed time, and none fails because a machine is slow."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Seen = TypeVar("Seen")

PATIENCE_SECONDS = 120.0  # of a test: reached only where something is broken, or a loaded machine stands still


def eventually(look: Callable[[], Seen | None], *, what: str, within: float = PATIENCE_SECONDS) -> Seen:
    """Look again and again until something is seen; fails after `within` seconds, saying what was waited for."""
    until = time.monotonic() + within
    while not (seen := look()):
        if time.monotonic() > until:
            raise AssertionError(f"waited {within:g} s for {what}")
        time.sleep(0.05)
    return seen


@contextmanager
def without_waiting(seconds: float) -> Iterator[None]:
    """What is inside does not wait for `seconds`, a limit of ours or of a library's; a loaded machine may take half of that."""
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert took < seconds / 2, f"it took {took:.1f} s: something waited for its {seconds:g} s"
