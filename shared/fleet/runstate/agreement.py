"""What all processes of a fleet must have the same, kept by the first of them; one that differs does not start.

    fleet               hash: what → its value
    fleet:members       sorted set: processes that have these values, by the second until which they count as living

Where no other process lives, the values are those of whoever comes next: that is how they are changed. A server that has lost
them is told again by whoever lives, with its next beat.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

import redis

from shared.fleet.runstate.scripts import Scripts, speaks_redis

AGREED, MEMBERS = "fleet", "fleet:members"


@speaks_redis
class Agreement:
    """The agreement, behind the client of the run state."""

    def __init__(self, client: redis.Redis, step: Scripts) -> None:
        self._client, self._step = client, step

    def join(self, member: str, values: Mapping[str, str], seconds: int) -> dict[str, str]:
        """Become a member for so long, or stay one; gives what the fleet has otherwise, upon which it is none."""
        flat = cast("list[bytes]", self._step("join", [AGREED, MEMBERS], member, seconds, json.dumps(dict(values))))
        return {_text(flat[place]): _text(flat[place + 1]) for place in range(0, len(flat), 2)}

    def leave(self, member: str) -> None:
        """Be no member any more."""
        self._client.zrem(MEMBERS, member)

    def values(self) -> dict[str, str]:
        """What the fleet has agreed on; nothing before its first process."""
        kept = cast("dict[bytes, bytes]", self._client.hgetall(AGREED))
        return {_text(name): _text(value) for name, value in kept.items()}

    def members(self) -> list[str]:
        """Who lives and has these values, or did a few seconds ago."""
        return [_text(name) for name in cast("list[bytes]", self._client.zrange(MEMBERS, 0, -1))]


def _text(value: bytes) -> str:
    return value.decode(errors="replace")  # whoever else has written there
