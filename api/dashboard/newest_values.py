"""How new the actual values of a queue are, what brings newer ones, and what its cluster has said since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from api.edge.context import Services
from api.v1.clusters import knows_its_cluster
from api.v1.former import series_ids
from shared.domain.day_ahead import share_of
from shared.domain.forecasts import Forecast
from shared.domain.queue_tree import Share
from shared.domain.units import Unit

LONGEST = timedelta(hours=1)  # that what a cluster has said is told as what is now


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestValues:
    """Of one series.

    until: end of the last step that is known; None = none is.
    read_at, value: what the cluster said last, in the unit of the forecast, where that is newer.
    schedule: the name of the schedule that brings newer values, next at `next_at`; None = nothing does by itself.
    """

    until: datetime | None
    read_at: datetime | None = None
    value: float | None = None
    schedule: str | None = None
    next_at: datetime | None = None

    @property
    def drawn(self) -> dict[str, float] | None:
        """What the cluster said, as the chart reads it, its time in seconds since 1970."""
        return None if self.read_at is None or self.value is None else {"at": self.read_at.timestamp(), "value": self.value}


def newest_values(services: Services, forecast: Forecast, now: datetime) -> NewestValues:
    """Of the series of a forecast."""
    until = max(
        filter(None, (services.store.actuals.last_at(each, now) for each in series_ids(services, forecast))), default=None
    )
    until = until and until + timedelta(seconds=forecast.step_seconds)
    read_at, value = _said(services, forecast, max(now - LONGEST, until or forecast.issued_at))
    schedule, next_at = _schedule(services, forecast)
    return NewestValues(until=until, read_at=read_at, value=value, schedule=schedule, next_at=next_at)


def _said(services: Services, forecast: Forecast, since: datetime) -> tuple[datetime | None, float | None]:
    """When the cluster was read last, after `since`, and what the queue used or wanted then."""
    kept = services.store.trees.newest(forecast.cluster) if knows_its_cluster(services, forecast) else None
    share = share_of(forecast, kept.tree) if kept and kept.at > since else None
    value = value_of(share, forecast.metric, forecast.unit) if share else None
    return (None, None) if kept is None or value is None else (kept.at, value)


def value_of(share: Share, metric: str, unit: Unit | None) -> float | None:
    """What a queue has of a partition of what a collector keeps under this name; None = it is not told, or counted otherwise."""
    if metric == "used_capacity":
        return share.used_capacity if unit is Unit.PERCENT else None
    resources = {"used": share.running, "demand": share.demand, "pending": share.pending}.get(metric.partition("_")[0])
    if resources is None:
        return None
    if metric.endswith("_memory_mb"):
        return float(resources.memory_mb) if unit is Unit.MEGABYTES else None
    return float(resources.vcores) if metric.endswith("_vcores") and unit is Unit.VCORES else None


def _schedule(services: Services, forecast: Forecast) -> tuple[str | None, datetime | None]:
    """The schedule of the forecast's job that is due next, and when: any of its runs reads newer values."""
    every = services.store.schedules.all([forecast.project])
    due = [(min(each.next.values()), each.name) for each in every if not each.is_paused and each.request.job_name == forecast.job]
    next_at, name = min(due, default=(None, None))
    return name, next_at
