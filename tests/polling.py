"""Waiting for something real, with a limit: no test sleeps for a fixed time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Seen = TypeVar("Seen")


def eventually(look: Callable[[], Seen | None], *, within: float, what: str) -> Seen:
    """Look again and again until something is seen; fails after `within` seconds, saying what was waited for."""
    until = time.monotonic() + within
    while not (seen := look()):
        if time.monotonic() > until:
            raise AssertionError(f"waited {within:g} s for {what}")
        time.sleep(0.05)
    return seen
