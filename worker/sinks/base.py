"""Sink: write(forecast), repeatable. The promise, stated once; tests/worker/sinks/test_every_sink.py holds every sink to it."""

from __future__ import annotations

from enum import Enum, auto
from itertools import chain
from math import isfinite
from typing import ClassVar, Protocol

from shared.config.connection import Connection
from shared.config.settings import Settings
from shared.domain.forecasts import Forecast
from shared.domain.places import Place
from shared.errors import SinkRefused

ALL_OF_IT = ("series_id",)  # what tells every two series apart


class Standing(Enum):
    """What a forecast is beside those of its series and job that are kept already."""

    NEWEST = auto()  # of equal issue times the one that was created last
    OLDER = auto()  # something later was issued: it touches nothing of that
    REPLACED = auto()  # something of the same issue time was created later, and has its place


class Sink(Protocol):
    """Somebody's database, written only. The same forecast again changes nothing; nothing non-finite is ever written.

    Raises SinkRefused for what its owner has to mend, CredentialsRefused, and SinkAway when it cannot be reached.

    told_by: the attributes of a series that its records of one queue, metric and job are told apart by.
    """

    told_by: ClassVar[tuple[str, ...]]

    def __init__(self, connection: Connection, settings: Settings) -> None:
        """Open lazily: no input or output here."""
        ...

    def check(self, place: Place) -> None:
        """Look whether the sink would take a forecast, before any model is trained; raises as `write` does."""
        ...

    def write(self, forecast: Forecast, place: Place, standing: Standing = Standing.NEWEST) -> None:
        """Deliver one forecast, all fields of every step; what was issued later keeps its steps.

        Args:
            standing: as our own store has it; where the sink itself knows of a newer one, that counts too.
        """
        ...


def refuse_unwritable(forecast: Forecast) -> None:
    """Raises SinkRefused for what no sink takes: a series without a name, or a number that is not finite."""
    names = {"queue": forecast.queue, "metric": forecast.metric, "job": forecast.job}
    empty = [name for name, value in names.items() if not value.strip()]
    if empty:
        raise SinkRefused(f"the forecast's {' and '.join(empty)} is empty", **names)
    steps = (forecast.prediction, forecast.lower_bound, forecast.upper_bound, *forecast.quantiles.values, *forecast.peaks.values)
    if not all(map(isfinite, (*chain.from_iterable(steps), forecast.mape or 0.0, forecast.skill or 0.0))):
        raise SinkRefused("the forecast has a number that is not finite", **names)
