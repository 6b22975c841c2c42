"""What the collector has of each cluster, for whoever wants to know how it is, and when it may ask the cluster again.

It is told anew with each look. When the server loses it nothing is lost: samples are kept elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

import redis

from shared.domain.codec import from_json, to_json
from shared.fleet.runstate.scripts import speaks_redis

KEY = "collected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """How far the collector is with one cluster.

    connection: that leads to it. tried_at: the last look. collected_at: the last whose samples are kept; None = none yet.
    series: queues and partitions in it. problem: why the last look has brought none; "" = it has.
    """

    cluster: str
    connection: str
    interval_seconds: int
    tried_at: datetime
    collected_at: datetime | None = None
    series: int = 0
    problem: str = ""


@speaks_redis
class Collections:
    """Behind the client of the run state."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def may_ask(self, cluster: str, seconds: float) -> bool:
        """Whether no collector has asked this cluster within so many seconds; if so, this one is about to."""
        return bool(self._client.set(f"asked:{cluster}", "", px=int(seconds * 1_000), nx=True))

    def tell(self, collected: Collected) -> None:
        """Say how far it is."""
        self._client.hset(KEY, collected.cluster, to_json(collected))

    def all(self) -> dict[str, Collected]:
        """Cluster → how far the collector is; also of clusters whose connection is gone."""
        found = cast("dict[bytes, bytes]", self._client.hgetall(KEY))
        return {name.decode(): from_json(Collected, text) for name, text in found.items()}
