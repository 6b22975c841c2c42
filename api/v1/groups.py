"""Which queues are meant that are decided on together, and which of them a caller may see."""

from __future__ import annotations

from difflib import get_close_matches

from api.edge.context import Services
from api.edge.identity import caller
from api.edge.projects import project_of_the_caller
from api.v1.clusters import chosen_cluster, visible_clusters
from shared.domain.collected import DEFAULT
from shared.domain.identifiers import listed, shown
from shared.domain.policies import Group, Sight
from shared.domain.queue_tree import DEFAULT_PARTITION, ROOT, QueueTree
from shared.errors import InvalidRequest, QueueNotFound, TreeNotFound

NO_TREE = "-"  # in an address where a parent stands: of queues without a tree there is none
MAX_ALIKE = 3


def sight(services: Services) -> Sight | None:
    """What the caller may see; None = all."""
    projects = caller().projects
    return None if projects is None else Sight(clusters=tuple(visible_clusters(services)), projects=projects)


def label_of(partition: str | None) -> str:
    """The partition as decisions keep it."""
    return DEFAULT_PARTITION if partition in {None, DEFAULT} else partition or DEFAULT_PARTITION


def meant_group(
    services: Services, parent: str | None, *, cluster: str | None, partition: str | None, project: str | None
) -> Group:
    """The queues that a request is about; what it does not name is found where there is one only.

    Args:
        parent: NO_TREE = queues of a project without a tree; None = all below the root of the cluster, if there is one.

    Raises:
        ClusterNotFound, SeveralClusters: as `chosen_cluster`. InvalidRequest: what is named does not go together.
        ProjectForbidden: the project is none of the caller's.
    """
    clusters = visible_clusters(services)
    has_tree = bool(clusters) and not project and (cluster is None or cluster in clusters)
    if parent == NO_TREE or (parent is None and not has_tree):
        if partition is not None:
            raise InvalidRequest("queues without a tree have no partitions; leave it out", field="partition")
        return Group(project_of_the_caller(project or ""), cluster or "", "")
    if project:
        why = f"a tree is its cluster's, whoever's forecasts there are; leave it out, or ask for the parent {NO_TREE}"
        raise InvalidRequest(why, field="project")
    return Group("", chosen_cluster(services, cluster).cluster, parent or ROOT, label_of(partition))


def children_of_group(services: Services, group: Group) -> tuple[str, ...] | None:
    """Names of the queues that are decided on; None = there is no tree that says it.

    Raises:
        TreeNotFound: of the cluster none was read yet. QueueNotFound: it has no such parent. InvalidRequest: no such partition.
    """
    if not group.parent:
        return None
    kept = services.store.trees.newest(group.cluster)
    if kept is None:
        raise TreeNotFound("`queuecast collect` reads it; `queuecast doctor` says what is in its way", cluster=group.cluster)
    if group.partition not in kept.tree.partitions:
        names = [each or DEFAULT for each in kept.tree.partitions]
        raise InvalidRequest(f"found {shown(group.partition)}, accepted are {listed(names)}", field="partition")
    children = tuple(queue.path for queue in kept.tree.children(group.parent) if queue.share(group.partition) is not None)
    if not children:
        raise QueueNotFound(_alike(kept.tree, group.parent), queue=shown(group.parent))
    return children


def _alike(tree: QueueTree, missing: str) -> str:
    if missing in tree.by_path:
        return "it has no queues below it, so that there is nothing to decide on; accepted is a parent"
    parents = sorted({queue.parent for queue in tree.queues if queue.parent})
    alike = get_close_matches(missing, parents, MAX_ALIKE)
    return f"the tree has {listed(alike)}" if alike else f"its parents are {listed(parents, MAX_ALIKE)}"
