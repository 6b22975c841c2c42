"""Sink: write(forecast), repeatable. The promise, stated once; tests/worker/sinks/test_every_sink.py holds every sink to it."""

from __future__ import annotations

from typing import Protocol

from shared.config.connection import Connection
from shared.config.settings import Settings
from shared.domain.forecasts import Forecast
from shared.domain.places import Place


class Sink(Protocol):
    """Somebody's database, written only. The same forecast again changes nothing; nothing non-finite is ever written.

    Raises SinkRefused for what its owner has to mend, CredentialsRefused, and SinkAway when it cannot be reached.
    """

    def __init__(self, connection: Connection, settings: Settings) -> None:
        """Open lazily: no input or output here."""
        ...

    def check(self, place: Place) -> None:
        """Look whether the sink would take a forecast, before any model is trained; raises as `write` does."""
        ...

    def write(self, forecast: Forecast, place: Place) -> None:
        """Deliver one forecast, all fields of every step."""
        ...
