"""Moments as people give them to a command: a time, or how long ago that is."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from shared.domain.durations import Duration


def moment_of(text: str | None) -> str | None:
    """A duration becomes the time so long ago; all else stays for the service to read, or to refuse.

    >>> moment_of("2026-01-05T00:00:00Z")
    '2026-01-05T00:00:00Z'
    """
    with suppress(ValueError):
        return Duration.parse(text).before(datetime.now(UTC)).isoformat() if text else text
    return text
