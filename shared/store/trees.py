"""Trees of queues: of each cluster the newest, as it was read, and how it was configured since each change of that.

A tree is kept as its document, compressed: of 500 queues 0.6 MB become 0.1 MB, within 7 ms.
"""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import cast

from shared.domain.codec import from_json, to_json
from shared.domain.configuration_change import ConfigChange, as_configured
from shared.domain.queue_tree import QueueTree
from shared.store.records import Between, Condition, Is, Records, given
from shared.store.tables import Column, Kept, Kind, Table

QUICK = 1  # of zlib's levels: six times as quick as the smallest, for a quarter more
LEAST = timedelta(microseconds=1)  # between two moments, as they are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTree:
    """The queues of a cluster at one moment."""

    cluster: str
    at: datetime
    tree: QueueTree


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedTree:
    """The same as it is kept: body = the tree's document, compressed, in base 64."""

    cluster: str
    at: datetime
    body: str


_COLUMNS = (Column("cluster"), Column("at", Kind.CLOCK))
_KEPT = Kept(by="at", setting="keep_forecasts")
NEWEST = Table(
    name="queue_trees",
    value=PackedTree,
    columns=_COLUMNS,
    key=("cluster",),
    indexes=(("at",),),
    kept=_KEPT,
)
CONFIGURED = Table(
    name="configured_trees",
    value=PackedTree,
    columns=_COLUMNS,
    key=("cluster", "at"),
    indexes=(("at",),),
    kept=_KEPT,
)
CHANGES = Table(
    name="configuration_changes",
    value=ConfigChange,
    columns=(Column("cluster"), Column("queue"), Column("partition"), Column("changed_at", Kind.CLOCK)),
    key=("cluster", "queue", "partition", "changed_at"),
    indexes=(("changed_at",), ("cluster", "changed_at")),
    kept=Kept(by="changed_at", setting="keep_forecasts"),
)
NEWEST_FIRST = (("changed_at", False), ("cluster", False), ("queue", False), ("partition", False))


@dataclass(frozen=True, slots=True)
class Trees:
    """Trees by cluster."""

    records: Records

    def put(self, cluster: str, tree: QueueTree, at: datetime, *, is_changed: bool = False) -> None:
        """Keep the tree as the newest, unless a newer one is there; with `is_changed` also as it is configured since then."""
        if is_changed:
            self.records.put_many(CONFIGURED, [_packed(cluster, as_configured(tree), at)])
        new = _packed(cluster, tree, at)
        if not self.records.add(NEWEST, new):
            self.records.update_if(NEWEST, [cluster], lambda old: new if old.at <= new.at else None)

    def newest(self, cluster: str) -> KeptTree | None:
        """The tree as it was read last; None = none was yet."""
        return _unpacked(self.records.first(NEWEST, given(cluster=cluster)))

    def at(self, cluster: str, moment: datetime) -> KeptTree | None:
        """How the tree was configured then, with the moment since when it was; None = nobody has looked before."""
        where: list[Condition] = [Is("cluster", cluster), Between("at", None, moment + LEAST)]
        return _unpacked(self.records.first(CONFIGURED, where, order=(("at", False),)))

    def since(self, cluster: str) -> datetime | None:
        """When the first tree was read that is kept; None = none was yet."""
        first = self.records.first(CONFIGURED, given(cluster=cluster), order=(("at", True),))
        return None if first is None else first.at

    def clusters(self) -> list[str]:
        """Those of which a tree is kept, by name."""
        return [cast("str", cluster) for (cluster,) in self.records.distinct(NEWEST, ("cluster",))]


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes of the configuration by cluster, queue, partition and moment."""

    records: Records

    def save(self, rows: Sequence[ConfigChange]) -> None:
        """Keep them; the same again replaces the earlier one."""
        if rows:
            self.records.put_many(CHANGES, rows)

    def of(
        self,
        cluster: str,
        queue: str | None = None,
        partition: str | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> list[ConfigChange]:
        """Those in [since, until), newest first, at most `limit`; queue, partition: None = of all, "default" is a partition."""
        where = [*given(cluster=cluster, queue=queue, partition=partition), Between("changed_at", since, until)]
        return self.records.find(CHANGES, where, order=NEWEST_FIRST, limit=limit)


def _packed(cluster: str, tree: QueueTree, at: datetime) -> PackedTree:
    body = b64encode(zlib.compress(to_json(tree).encode(), QUICK)).decode()
    return PackedTree(cluster=cluster, at=at, body=body)


def _unpacked(packed: PackedTree | None) -> KeptTree | None:
    return None if packed is None else KeptTree(cluster=packed.cluster, at=packed.at, tree=_tree(packed.body))


@lru_cache(maxsize=4)  # whoever shows a page of several parts asks for the same tree; nobody changes one
def _tree(body: str) -> QueueTree:
    return from_json(QueueTree, zlib.decompress(b64decode(body)))
