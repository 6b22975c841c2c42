"""What a ResourceManager says of itself, `/ws/v1/cluster/info`, which a standby answers too; and its nodes, `…/nodes`."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.capacities import Resources
from shared.domain.identifiers import listed
from shared.domain.queue_tree import DEFAULT_PARTITION
from shared.errors import YarnUnreadable
from shared.yarn.fields import Fields, decoded

ACTIVE = "ACTIVE"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterInfo:
    """One ResourceManager.

    Args:
        cluster_id: when it was started, as YARN numbers a cluster's applications.
        ha_state: ACTIVE, STANDBY, INITIALIZING …; None = not told, as there is no other.
    """

    cluster_id: str
    version: str
    ha_state: str | None = None

    @property
    def is_active(self) -> bool:
        """Whether it schedules."""
        return self.ha_state in (None, ACTIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A NodeManager. total: what it offers to containers, nothing when it is lost; None = not told."""

    node_id: str
    state: str  # RUNNING, LOST, UNHEALTHY, DECOMMISSIONED …
    partition: str = DEFAULT_PARTITION
    total: Resources | None = None
    used: Resources | None = None


def read_info(answer: bytes) -> ClusterInfo:
    """Raises YarnUnreadable."""
    document = decoded(answer)
    fields = Fields(document, "the answer").inside("clusterInfo")
    if not fields.has("id"):
        raise YarnUnreadable(f"it has no clusterInfo with an id; it has {listed(list(document))}")
    return ClusterInfo(
        cluster_id=fields.text("id") or "",
        version=fields.text("resourceManagerVersion", "hadoopVersion") or "",
        ha_state=fields.text("haState"),
    )


def read_nodes(answer: bytes) -> tuple[Node, ...]:
    """Every node, as the answer has them; raises YarnUnreadable."""
    document = decoded(answer)
    if "nodes" not in document:
        raise YarnUnreadable(f"it has no nodes; it has {listed(list(document))}")
    nodes = Fields(document, "the answer").inside("nodes")
    return tuple(map(_node, nodes.every("node")))


def _node(fields: Fields) -> Node:
    memory = fields.whole("usedMemoryMB"), fields.whole("availMemoryMB")
    vcores = fields.whole("usedVirtualCores"), fields.whole("availableVirtualCores")
    used = total = None
    if None not in (*memory, *vcores):
        used = Resources(memory_mb=memory[0] or 0, vcores=vcores[0] or 0)
        total = used + Resources(memory_mb=memory[1] or 0, vcores=vcores[1] or 0)
    return Node(
        node_id=fields.text("id") or "",
        state=fields.text("state") or "",
        partition=_label(fields),
        total=fields.resources("totalResource") or total,
        used=used,
    )


def _label(fields: Fields) -> str:
    """A node has one partition; XML and JSON of one entry say it without a list."""
    told = fields.values.get("nodeLabels")
    first = told[0] if isinstance(told, list) and told else told
    return first if isinstance(first, str) else DEFAULT_PARTITION
