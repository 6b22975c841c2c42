"""The lines of a queue's chart that are not to be crossed, as they are now and as they were before changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from api.edge.context import Services
from api.schema.changes import ToldChange
from shared.domain.day_ahead import share_of
from shared.domain.exceedance import PERCENT, limit_of
from shared.domain.forecasts import Forecast
from shared.domain.relative import counts_resources, with_share

MAX_PAST = 6  # changes before which limits are looked up, the newest: each is a tree to be read
JUST_BEFORE = timedelta(microseconds=1)

Past = Sequence[tuple[datetime, Forecast | None]]  # until when a forecast had its limits, by time; None = nobody knows them


def limits_before(services: Services, forecast: Forecast, changes: Iterable[ToldChange]) -> Past:
    """The forecast with what its queue had until each of its newest changes; of amounts only, as percentages have no tree."""
    if not counts_resources(forecast.unit):
        return ()
    newest = sorted((change.changed_at for change in changes if change.before), reverse=True)[:MAX_PAST]
    return [(at, _limited_at(services, forecast, at - JUST_BEFORE)) for at in reversed(newest)]


def _limited_at(services: Services, forecast: Forecast, moment: datetime) -> Forecast | None:
    kept = services.store.trees.at(forecast.cluster, moment)
    share = share_of(forecast, kept.tree) if kept else None
    return None if share is None else with_share(replace(forecast, guaranteed=None, maximum=None), share)


def chart_lines(forecast: Forecast, levels: Sequence[float], past: Past = ()) -> list[dict[str, object]]:
    """The value, what it is called, whether it is the limit that hurts, and what it was until when, in seconds since 1970."""
    before = [(until.timestamp(), dict(_values(was, levels)) if was else {}) for until, was in past]
    return [
        {
            "value": value,
            "name": name,
            "isLimit": not index,
            "past": [{"until": until, "value": values.get(name)} for until, values in before],
        }
        for index, (name, value) in enumerate(_values(forecast, levels))
    ]


def _values(forecast: Forecast, levels: Sequence[float]) -> list[tuple[str, float]]:
    """Name and value of each line, first the limit that hurts."""
    limit, name = limit_of(forecast), "maximum" if forecast.maximum is not None else "guaranteed"
    if limit is None:
        return []
    lines = [(name, limit)]
    if forecast.guaranteed not in {None, limit}:
        lines.append(("guaranteed", forecast.guaranteed or 0.0))
    return lines + [(f"{level:g}\u202f% of its limit", limit * level / PERCENT) for level in sorted(levels) if level < PERCENT]
