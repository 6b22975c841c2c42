"""YARN clusters that a caller may see, and what has changed in them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from api.edge.context import Services
from api.edge.identity import caller
from api.schema.changes import ToldChange, told_changes
from shared.connections.yarn import YarnConnection, may_know, readers
from shared.domain.day_ahead import partition_of
from shared.domain.forecasts import Forecast
from shared.domain.identifiers import listed
from shared.errors import ClusterNotFound, SeveralClusters

MAX_CHANGES = 200  # of one queue


def visible_clusters(services: Services) -> dict[str, YarnConnection]:
    """Cluster → the connection that leads to it, of those whose projects the caller is of."""
    projects = caller().projects
    found: dict[str, YarnConnection] = {}
    for _, connection in sorted(readers(services.settings.all_connections).items()):
        if projects is None or connection.serves(*projects):
            found.setdefault(connection.cluster, connection)
    return found


def chosen_cluster(services: Services, cluster: str | None) -> YarnConnection:
    """The one of this name, or the only one; raises ClusterNotFound and SeveralClusters."""
    visible = visible_clusters(services)
    if cluster is None:
        if len(visible) > 1:
            raise SeveralClusters(f"name one, ?cluster=NAME or --cluster NAME: {listed([*visible])}")
        if not visible:
            raise ClusterNotFound("a connection of kind yarn names one")
        return next(iter(visible.values()))
    if cluster not in visible:
        raise ClusterNotFound(cluster=cluster)
    return visible[cluster]


def knows_its_cluster(services: Services, forecast: Forecast) -> bool:
    """Whether what is known of the forecast's cluster belongs beside it: the caller may see it, and its project may use it."""
    is_ours = may_know(services.settings.all_connections.values(), forecast.cluster, forecast.project)
    return is_ours and forecast.cluster in visible_clusters(services)


def changes_of(services: Services, forecast: Forecast, start: datetime, end: datetime) -> tuple[ToldChange, ...]:
    """How the configuration of the forecast's queue has changed in [start, end), newest first; of a cluster that may be seen."""
    partition = partition_of(forecast)
    if partition is None or not knows_its_cluster(services, forecast):
        return ()
    found = services.store.changes.of(forecast.cluster, forecast.queue, partition, since=start, until=end, limit=MAX_CHANGES)
    return told_changes(found)


def gone_of(services: Services, forecasts: Iterable[Forecast]) -> dict[tuple[str, str], str]:
    """Cluster and queue → why the cluster does not have it any more, of those that are gone from clusters that may be seen."""
    visible, names = visible_clusters(services), dict[str, list[str]]()
    for forecast in forecasts:
        if forecast.cluster in visible and partition_of(forecast) is not None:
            names.setdefault(forecast.cluster, []).append(forecast.queue)
    found = {cluster: services.store.departures.of(cluster, queues) for cluster, queues in names.items()}
    return {(cluster, queue): gone.words for cluster, each in found.items() for queue, gone in each.items()}
