"""What a forecast claims of its first day when it is issued: kept with it, as its paths are not, so that it can be verified."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, nextafter
from typing import NamedTuple

from shared.domain.exceedance import limit_at, limit_of
from shared.domain.excess import SECONDS_PER_HOUR
from shared.domain.forecasts import Forecast
from shared.domain.likelihood import About, Claim, probability
from shared.domain.outlook import FEWEST
from shared.domain.timegrid import steps_per_day

PART = 0.8


class Bar(NamedTuple):
    """What is claimed, and the value above which it has come."""

    about: About
    value: float


def first_day(forecast: Forecast) -> int:
    """How many steps are its first day; fewer where it does not reach so far."""
    return min(steps_per_day(forecast.step_seconds), forecast.horizon_steps)


def bars(forecast: Forecast) -> Iterator[Bar]:
    """What is claimed of a forecast, as far as its limits are known; of the guarantee where that is not the limit."""
    limit = limit_of(forecast)
    if limit is None:
        return
    if forecast.guaranteed is not None and forecast.guaranteed != limit:
        yield Bar(About.GUARANTEED, forecast.guaranteed)
    yield Bar(About.PART_OF_LIMIT, PART * limit)
    yield Bar(About.LIMIT, nextafter(limit_at(forecast, limit), -inf) if forecast.maximum is not None else limit)


def claims_of(forecast: Forecast) -> tuple[Claim, ...]:
    """Counted on its paths; none where they tell no chances."""
    paths = forecast.paths
    if paths is None or paths.blocks < FEWEST:
        return ()
    rows = [row[: first_day(forecast)] for row in paths.rows()]
    found = []
    for bar in bars(forecast):
        above = [sum(value > bar.value for value in row) for row in rows]  # steps of each path
        share, hours = sum(map(bool, above)) / len(rows), forecast.step_seconds / SECONDS_PER_HOUR * sum(above) / len(rows)
        found.append(Claim(about=bar.about, probability=probability(share, paths.made_from), hours=hours))
    return tuple(found)
