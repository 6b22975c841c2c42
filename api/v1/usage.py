"""What queues wait for and what they could give back, from the collector's daily reports: told before a capacity is changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from pydantic import Field

from api.edge.context import Services
from api.edge.document import Answers
from api.edge.policy import READ
from api.edge.routing import route
from api.schema import fields
from api.schema.queries import Query
from api.v1.clusters import chosen_cluster, knows_its_cluster, visible_clusters
from api.v1.usage_answers import ClusterUsageAnswer, QueueUsageAnswer
from shared.domain.collected import DEFAULT
from shared.domain.day_ahead import partition_of
from shared.domain.dynamic_queues import PART_OF_WHICH
from shared.domain.forecasts import Forecast
from shared.domain.identifiers import listed
from shared.domain.timegrid import MINUTE
from shared.domain.usage import MIN_DAYS, QueueUsage
from shared.errors import NotFound, QueueNotFound, ReportNotFound, SeveralClusters

NONE_YET = "no report was made yet: `queuecast collect` makes them once a day, and `queuecast collect --report` now"
EVERY = timedelta(days=1)  # that the collector makes reports
COMES = "it is in the tree of {}, and the next reports are made {}; `queuecast collect --report` makes them now"
NO_REPORT = "no report of it: `queuecast collect` makes one a day of each queue that it sees"


class UsageQuery(Query):
    """Whose reports."""

    cluster: fields.FilledLabel | None = Field(None, description="default: the only one that there is")
    partition: fields.FilledLabel = Field(DEFAULT, description="the node label; default = without one")


@route("GET", "/v1/queues/<path:queue>/limits", READ, Answers(QueueUsageAnswer, refuses=(400, 404)))
def show_limits(services: Services, queue: str, query: UsageQuery) -> QueueUsageAnswer:
    """Show what held a queue back in the last 7 days, by which property of YARN, and what it could give back.

    Limits other than capacity are told with the numbers that say so: where one of them explains the waiting, a higher capacity
    does not end it. `queuecast collect` makes the report once a day.
    """
    clusters = [*visible_clusters(services)] if query.cluster is None else [chosen_cluster(services, query.cluster).cluster]
    found = services.store.usages.find(clusters, queue, query.partition)
    if len(found) > 1:
        raise SeveralClusters(f"name one, ?cluster=NAME or --cluster NAME: {listed([usage.cluster for usage in found])}")
    if not found:
        raise _why_none(services, clusters, queue)
    return QueueUsageAnswer.of(found[0], _gone(services, found[0].cluster, found).get(queue))


@route("GET", "/v1/usage", READ, Answers(ClusterUsageAnswer, refuses=(400, 404)))
def show_usage(services: Services, query: UsageQuery) -> ClusterUsageAnswer:
    """Show of every queue of a YARN cluster for how long it waited and for what, and what of its guarantee it did not need.

    Waiting is of the last 7 days, under-use of the last 28, once 7 are known. `queuecast collect` makes the reports once a day.
    """
    cluster = chosen_cluster(services, query.cluster).cluster
    found = services.store.usages.find([cluster], partition=query.partition)
    return ClusterUsageAnswer.of(cluster, query.partition, found, _notes(found), _gone(services, cluster, found))


def usage_beside(services: Services, forecast: Forecast) -> QueueUsageAnswer | None:
    """The report of a forecast's queue, where the caller may see its cluster; None = there is none, or nobody knows which."""
    partition = partition_of(forecast)
    if partition is None or not knows_its_cluster(services, forecast):
        return None
    found = services.store.usages.find([forecast.cluster], forecast.queue, partition)
    return QueueUsageAnswer.of(found[0]) if found else None


def _why_none(services: Services, clusters: Sequence[str], queue: str) -> NotFound:
    """Of a queue that a tree has, when its first report comes; else that nothing is known of it."""
    for cluster in clusters:
        kept = services.store.trees.newest(cluster)
        if kept is not None and queue.removesuffix(PART_OF_WHICH) in kept.tree.by_path:
            last = services.store.usages.newest_at(cluster)
            when = f"after {last + EVERY:{MINUTE}}" if last else "within two hours of the first samples"
            return ReportNotFound(COMES.format(cluster, when), queue=queue)
    return QueueNotFound(NO_REPORT, queue=queue)


def _gone(services: Services, cluster: str, found: Sequence[QueueUsage]) -> dict[str, str]:
    """Queue → why it is not there any more."""
    departures = services.store.departures.of(cluster, [usage.queue for usage in found])
    return {queue: gone.words for queue, gone in departures.items()}


def _notes(found: Sequence[QueueUsage]) -> Iterator[str]:
    if not found:
        yield NONE_YET
    if found and all(usage.under_use is None for usage in found):
        yield f"no under-use is told before {MIN_DAYS:.0f} days of demand are known"
