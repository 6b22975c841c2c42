"""The queue tree of a YARN cluster, as the collector has read it last, or as it was configured at an earlier moment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from pydantic import Field

from api.edge.context import Services
from api.edge.document import Answers
from api.edge.policy import READ
from api.edge.routing import route
from api.schema import fields
from api.schema.changes import told_changes
from api.schema.queries import Query
from api.v1.clusters import chosen_cluster
from api.v1.tree_answers import QueueInTree, TreeAnswer, partition_name, total_of, totals_of
from api.v1.tree_outlooks import NO_FORECAST, outlooks_of
from shared.domain.collected import DEFAULT
from shared.domain.day_ahead import METRICS, OF_VCORES
from shared.domain.dynamic_queues import dynamic_sums
from shared.domain.identifiers import listed
from shared.domain.queue_tree import Queue, QueueTree, Share
from shared.errors import InvalidRequest, TreeNotFound
from shared.store.trees import KeptTree

CHANGES_SINCE = timedelta(days=7)
MAX_CHANGES = 1_000
OLD_AFTER = 3  # looks that have brought nothing


class TreeQuery(Query):
    """Which tree, and what of it."""

    cluster: fields.FilledLabel | None = Field(None, description="default: the only one that there is")
    at: fields.Moment | None = Field(None, description="how it was configured then; default: how it is now")
    project: fields.Label | None = Field(None, description="whose forecasts; default: of all that may use the cluster")
    partition: fields.FilledLabel = Field(DEFAULT, description="the node label; default = without one")


@route("GET", "/v1/tree", READ, Answers(TreeAnswer, refuses=(400, 404)))
def show_tree(services: Services, query: TreeQuery) -> TreeAnswer:
    """Show the queues of a YARN cluster, each after its parent: what it has, uses, wants, and what is to be expected of it.

    `queuecast collect` reads it. With `at` it is told how the queues were configured then, without what they used.
    """
    return tree_answer(services, query, datetime.now(UTC))


def tree_answer(services: Services, query: TreeQuery, now: datetime) -> TreeAnswer:
    """The tree as things stand at `now`.

    Raises:
        ClusterNotFound: the caller may see none of this name. SeveralClusters: no name is given, and there are several.
        TreeNotFound: nothing was read of it yet, or nobody had looked at that moment. InvalidRequest: no such partition.
    """
    connection = chosen_cluster(services, query.cluster)
    kept = _kept(services, connection.cluster, query.at, now)
    tree, partitions = kept.tree, tuple(map(partition_name, kept.tree.partitions))
    if query.partition not in partitions:
        raise InvalidRequest(f"found {query.partition!r}, accepted are {listed(partitions)}", field="partition")
    age = int((now - kept.at).total_seconds())
    is_old = query.at is None and age > OLD_AFTER * connection.interval_seconds
    changes = services.store.changes.of(connection.cluster, since=now - CHANGES_SINCE, limit=MAX_CHANGES)
    return TreeAnswer(
        cluster=connection.cluster,
        scheduler=tree.scheduler,
        at=query.at,
        read_at=kept.at,
        age_seconds=max(0, age),
        is_old=is_old,
        interval_seconds=connection.interval_seconds,
        partition=query.partition,
        partitions=partitions,
        totals=totals_of(tree),
        queues=tuple(_queues(services, kept, query, now)),
        configuration_changes=told_changes(changes),
        notes=tuple(_notes(query, is_old=is_old)),
    )


def _kept(services: Services, cluster: str, at: datetime | None, now: datetime) -> KeptTree:
    if at is None:
        if (newest := services.store.trees.newest(cluster)) is None:
            raise TreeNotFound("`queuecast collect` reads it; `queuecast doctor` says what is in its way", cluster=cluster)
        return newest
    if at > now:
        raise InvalidRequest(f"{at.isoformat()} is ahead; accepted are moments until now", field="at")
    if (configured := services.store.trees.at(cluster, at)) is None:
        raise TreeNotFound(f"nobody had looked at it by {at.isoformat()}, or that is kept no longer", cluster=cluster)
    return configured


def _queues(services: Services, kept: KeptTree, query: TreeQuery, now: datetime) -> Iterator[QueueInTree]:
    label = "" if query.partition == DEFAULT else query.partition
    rows, total = list(_rows(kept.tree, label)), total_of(kept.tree, label)
    is_now = query.at is None
    ask = partial(outlooks_of, services, kept.cluster, query.partition, rows, now, project=query.project)
    outlooks, of_vcores = (ask(metrics=metrics) if is_now else {} for metrics in (METRICS, OF_VCORES))
    reason = NO_FORECAST.format(cluster=kept.cluster) if is_now else "how it was configured is all that is kept of then"
    for queue, share in rows:
        ahead, vcores = outlooks.get(queue.path), of_vcores.get(queue.path)
        yield QueueInTree.of(queue, share, total, ahead=ahead, of_vcores=vcores, reason=reason)


def _rows(tree: QueueTree, label: str) -> Iterator[tuple[Queue, Share]]:
    """Each queue that has a share of the partition after its parent, and after its children what is dynamic of them together."""
    sums = {parent.path: together for parent, together in dynamic_sums(tree)}

    def below(queue: Queue) -> Iterator[tuple[Queue, Share]]:
        if (share := queue.share(label)) is None:
            return
        yield queue, share
        for child in tree.children(queue.path):
            yield from below(child)
        together = sums.get(queue.path)
        if together is not None and (whole := together.share(label)) is not None:
            yield together, whole

    return below(tree.root)


def _notes(query: TreeQuery, *, is_old: bool) -> Iterator[str]:
    if query.at is not None:
        yield "as it was configured then: what was used then is not told, and guarantees in MB are those of that change's nodes"
    if is_old:
        yield "nothing newer could be read: use and demand are those of then"
