"""What forecasts say of the queues of a tree: the newest one of each that the caller may see, read by few questions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from api.edge.context import Services
from api.v1.choice import projects_asked
from api.v1.tree_answers import Ahead, QueueAhead
from shared.connections.yarn import may_know
from shared.domain.capacities import Resources
from shared.domain.day_ahead import METRICS, best_of, day_ahead, partition_of
from shared.domain.exceedance import steps_over
from shared.domain.forecasts import Forecast
from shared.domain.queue_tree import Queue, Share

MAX_KNOWN = 5_000  # days ahead that a process remembers: of 500 queues each costs a millisecond to count
NO_FORECAST = (
    "no forecast of it: a job over the cluster's connection makes one, "
    'or one with `"cluster": "{cluster}"` and the target demand_memory_mb or used_capacity'
)

Key = tuple[object, ...]


def outlooks_of(
    services: Services,
    cluster: str,
    partition: str,
    queues: Iterable[tuple[Queue, Share]],
    now: datetime,
    *,
    project: str | None,
    metrics: Sequence[str] = METRICS,
) -> Mapping[str, Ahead]:
    """Path of a queue → its next day; without those that have no forecast of these metrics, the best of which comes first.

    project: whose; None = of all that count.
    """
    shares = {queue.path: share for queue, share in queues}
    best = _best(services, cluster, partition, now, project=project, metrics=metrics)
    chosen = {path: forecast for path, forecast in best.items() if path in shares}
    verdict = services.store.calibrations.verdict()
    is_calibrated = verdict is None or verdict.lost_at is None
    keys = {path: (*_key(forecast, shares[path], now), is_calibrated) for path, forecast in chosen.items()}
    known = services.days_ahead
    days = {path: known[keys[path]] for path in chosen if keys[path] in known}
    missing = [forecast for path, forecast in chosen.items() if path not in days]
    for forecast in services.store.forecasts.all_with_paths(missing):
        share = shares[forecast.queue]
        days[forecast.queue] = day_ahead(forecast, share.guaranteed, share.ceiling, now)
    if len(known) + len(missing) > MAX_KNOWN:
        known.clear()
    known |= {keys[path]: day for path, day in days.items() if day.reason is None}  # paths may come a moment later
    return {path: (QueueAhead.of(forecast, days[path], now), days[path]) for path, forecast in chosen.items()}


def projects_of(services: Services, cluster: str) -> list[str]:
    """Whose forecasts there are of the cluster's queues, of projects that may use it and that the caller may see."""
    connections = services.settings.all_connections.values()
    known = services.store.forecasts.projects(cluster, projects=projects_asked(None))
    return [project for project in known if may_know(connections, cluster, project)]


def _best(
    services: Services, cluster: str, partition: str, now: datetime, *, project: str | None, metrics: Sequence[str]
) -> dict[str, Forecast]:
    """Path of a queue → the forecast that says most of it, of projects that may use the cluster: any may call its queues so."""
    projects, connections = projects_asked(project), services.settings.all_connections.values()
    by_queue: dict[str, list[Forecast]] = defaultdict(list)
    for metric in metrics:
        found = services.store.forecasts.newest_of_each(metric=metric, cluster=cluster, projects=projects)
        for forecast in found:
            if partition_of(forecast) == partition and may_know(connections, cluster, forecast.project):
                by_queue[forecast.queue].append(forecast)
    return {path: best for path, forecasts in by_queue.items() if (best := best_of(forecasts, now, metrics)) is not None}


def _key(forecast: Forecast, share: Share, now: datetime) -> Key:
    """All that the day ahead of a forecast depends on, beside whether chances hold."""
    limits: tuple[Resources | None, ...] = (share.guaranteed, share.ceiling)
    issue = (forecast.series_id, forecast.job, forecast.job_id, forecast.issued_at, forecast.created_at)
    return *issue, steps_over(forecast, now), *limits
