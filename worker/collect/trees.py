"""What people see of a cluster: its tree as it is now, how it was configured, and what of that has changed, in our own store.

The store may be away: then samples are kept all the same, and changes wait for it in memory. What a process takes with it when
it ends the next one finds in the sink.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from shared.domain.configuration_change import ConfigChange
from shared.domain.queue_tree import QueueTree
from shared.errors import QueuecastError
from shared.store import Store
from shared.telemetry.said_once import Outage

LEAST = timedelta(seconds=20)  # between two writes of a tree in which nothing was configured anew
REST = timedelta(seconds=60)  # after a store that was away, so that nobody waits for it at each look
CAUGHT_UP = timedelta(days=30)  # of changes that an earlier process may have kept in the sink alone
MAX_TREES = 8  # that wait
MAX_CHANGES = 5_000  # likewise
FIRST = datetime(1970, 1, 1, tzinfo=UTC)

log = structlog.get_logger(__name__)


class TreeKeeping:
    """Of one cluster; used by one thread. Nothing is raised: what is not kept now is kept with a later look."""

    def __init__(self, store: Store, cluster: str) -> None:
        self._store, self._cluster = store, cluster
        self._configured: deque[tuple[QueueTree, datetime]] = deque(maxlen=MAX_TREES)
        self._changes: deque[ConfigChange] = deque(maxlen=MAX_CHANGES)
        self._began_at = FIRST
        self._has_configured = False
        self._due_at = FIRST
        self._outage = Outage(log.bind(cluster=cluster), "the tree of a cluster is not kept", "trees are kept again")

    def catch_up(self, known: Sequence[ConfigChange], at: datetime) -> None:
        """Learn what the sink has: when the cluster was seen first, which is no change, and what came later."""
        self._began_at = min((row.changed_at for row in known), default=at)
        self.changed(row for row in known if row.changed_at >= at - CAUGHT_UP)

    def changed(self, rows: Iterable[ConfigChange]) -> None:
        """Changes of the configuration, to be kept with the next tree."""
        self._changes.extend(row for row in rows if row.before or row.changed_at > self._began_at)

    def keep(self, tree: QueueTree, at: datetime, *, is_changed: bool) -> None:
        """Keep the tree as the newest, and where it is configured otherwise than before also as that."""
        if is_changed:
            self._configured.append((tree, at))
        if at < self._due_at and not (is_changed and not self._outage.is_on):
            return
        try:
            self._write(tree, at)
        except QueuecastError as error:
            self._outage.met(error)
            self._due_at = at + REST
        else:
            self._outage.over()
            self._due_at = at + LEAST

    def _write(self, tree: QueueTree, at: datetime) -> None:
        if not self._has_configured and not self._configured and self._store.trees.at(self._cluster, at) is None:
            self._configured.append((tree, at))
        self._has_configured = True
        while self._configured:
            self._store.trees.put(self._cluster, *self._configured[0], is_changed=True)
            self._configured.popleft()
        self._store.changes.save([*self._changes])
        self._changes.clear()
        self._store.trees.put(self._cluster, tree, at)
