"""A ResourceManager of one tree that a test can change, and that counts what it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from shared.connections.yarn import YarnConnection
from shared.domain.capacities import Capacity
from shared.domain.queue_tree import Queue, QueueTree, Share, State, Totals
from shared.yarn.answers import metrics_answer, scheduler_answer
from tests.gateway import Answer, Gateway, gateway
from tests.shared.yarn.trees import as_bytes, mb

CLUSTER = mb(1_048_576, 512)
SHARE = Share(capacity=Capacity.of_percent(100.0), maximum=Capacity.of_percent(100.0))


def a_tree(used: int = 4_096, *, percent: float = 60.0) -> QueueTree:
    """Two queues, the first of which uses so much and wants 1,024 more; its guarantee is 8,192."""
    queues = {"root.etl": used, "root.adhoc": 512}
    leaves = (
        Queue(
            path=path,
            shares=(
                Share(
                    capacity=Capacity.of_percent(percent),
                    guaranteed=mb(8_192, 8),
                    ceiling=mb(16_384, 16),
                    used=mb(memory, 1),
                    reserved=mb(0),
                    pending=mb(1_024, 1),
                ),
            ),
            state=State.RUNNING,
        )
        for path, memory in queues.items()
    )
    return QueueTree(queues=(Queue(path="root", is_leaf=False, shares=(SHARE,)), *leaves), totals=Totals(total=CLUSTER))


@dataclass
class Cluster:
    """It is there, or answers 503."""

    tree: QueueTree
    is_away: bool = False

    def answer(self, _method: str, path: str, _body: bytes) -> Answer:
        """As the driver asks."""
        if self.is_away:
            return 503, {}, b"away"
        if path.endswith("/info"):
            return 200, {}, as_bytes({"clusterInfo": {"id": 1, "state": "STARTED", "haState": "ACTIVE"}})
        told = (
            scheduler_answer(self.tree)
            if path.endswith("/scheduler")
            else metrics_answer(self.tree.totals or Totals(total=CLUSTER))
        )
        return 200, {}, as_bytes(told)


@contextmanager
def a_cluster() -> Iterator[tuple[Cluster, Gateway]]:
    """One that listens until the block ends."""
    cluster = Cluster(tree=a_tree())
    with gateway(cluster.answer) as seen:
        yield cluster, seen


def leading_to(seen: Gateway, **changes: object) -> YarnConnection:
    """The connection to it."""
    return YarnConnection.model_validate({"kind": "yarn", "cluster": "prod", "addresses": [seen.url]} | changes)
