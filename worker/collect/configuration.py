"""What has changed in a cluster's configuration since it was last seen: a row for each queue and partition of which it has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from shared.domain.configuration_change import GONE, SEEN, ConfigChange
from shared.domain.queue_tree import Queue, QueueTree, Share
from shared.yarn.capacity_text import text_of
from worker.collect.sampler import partition_name

Key = tuple[str, str]  # queue and partition
Known = Mapping[Key, ConfigChange]


def changes(tree: QueueTree, known: Known, cluster: str, at: datetime) -> list[ConfigChange]:
    """Rows of what is unlike what was known, of new queues and of those that are gone; dynamic queues come and go without any.

    A parent is configured as before when a dynamic queue below it ends.
    """
    now = {
        (queue.path, partition_name(share.partition)): _row(queue, share, cluster, at)
        for queue in tree.queues
        if not queue.is_dynamic
        for share in queue.shares
    }
    rows = [_after(row, known.get(key)) for key, row in now.items() if _differs(row, known.get(key))]
    gone = (row for key, row in known.items() if key not in now and row.state != GONE)
    return [*rows, *(_gone(row, at) for row in gone)]


def newest(rows: Iterable[ConfigChange]) -> dict[Key, ConfigChange]:
    """Of each queue and partition what is known last."""
    return {(row.queue, row.partition): row for row in sorted(rows, key=lambda row: row.changed_at)}


def _row(queue: Queue, share: Share, cluster: str, at: datetime) -> ConfigChange:
    return ConfigChange(
        cluster=cluster,
        queue=queue.path,
        partition=partition_name(share.partition),
        changed_at=at,
        mode=share.mode.value,
        capacity=text_of(share.capacity),
        maximum="" if share.maximum is None else text_of(share.maximum),
        weight=share.capacity.weight,
        state="" if queue.state is None else queue.state.value,
        by=SEEN,
        before="",
    )


def _differs(row: ConfigChange, known: ConfigChange | None) -> bool:
    return known is None or (row.mode, row.said) != (known.mode, known.said)


def _after(row: ConfigChange, known: ConfigChange | None) -> ConfigChange:
    return row if known is None else replace(row, before=known.said)


def _gone(row: ConfigChange, at: datetime) -> ConfigChange:
    return replace(row, changed_at=at, state=GONE, by=SEEN, before=row.said)
