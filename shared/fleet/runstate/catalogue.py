"""What the workers offer: the cards of their models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import redis

from shared.domain.codec import from_json, to_json
from shared.domain.forecasts import ModelCard
from shared.fleet.runstate.scripts import speaks_redis


class Catalogue:
    """The model cards, behind the client of the run state."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    @speaks_redis
    def publish(self, cards: Sequence[ModelCard]) -> None:
        """Keep what a worker offers; the newest worker's word counts."""
        self._client.set("catalogue", to_json(tuple(cards), tuple[ModelCard, ...]))

    @speaks_redis
    def cards(self) -> tuple[ModelCard, ...] | None:
        """The model cards; None = no worker has ever published."""
        text = cast("bytes | None", self._client.get("catalogue"))
        return from_json(tuple[ModelCard, ...], text) if text else None
