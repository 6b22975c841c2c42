"""The queue tree of a cluster: each queue under its parent, with what it has, uses and wants, and what is to be expected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import quote, urlencode

from flask import render_template

from api.dashboard.addresses import query_of
from api.dashboard.tree_rows import MAX_OPEN, TreePageQuery, counts_of, nodes_of
from api.edge.context import Services
from api.edge.policy import PAGE
from api.edge.routing import route
from api.v1.clusters import visible_clusters
from api.v1.tree import tree_answer
from api.v1.tree_answers import QueueInTree, TreeAnswer
from api.v1.tree_outlooks import projects_of
from shared.domain.dynamic_queues import PART_OF_WHICH
from shared.domain.outgoing import in_path
from shared.errors import TreeNotFound

CHANGES_SHOWN = 50
BEFORE = timedelta(seconds=1)


@route("GET", "/tree", PAGE, endpoint="tree")
def show(services: Services) -> str:
    """The page; where there is nothing to show yet it says how to begin."""
    query, now = query_of(TreePageQuery, blank={"project"}), datetime.now(UTC)
    clusters = list(visible_clusters(services))
    if query.cluster is None and len(clusters) != 1:
        return render_template("tree_begin.html", clusters=clusters, unread=None)
    try:
        told = tree_answer(services, query, now)
    except TreeNotFound as error:
        if query.at is not None:
            raise
        return render_template("tree_begin.html", clusters=clusters, unread=error.ids["cluster"])
    projects = projects_of(services, told.cluster)
    return render_template("tree.html", **_page(told, query), clusters=clusters, projects=projects)


def _page(told: TreeAnswer, query: TreePageQuery) -> dict[str, object]:
    nodes = nodes_of(told.queues, query)
    return {
        "told": told,
        "query": query,
        "nodes": nodes,
        "found": sum(node.count for node in nodes),
        "known": sum(not queue.queue.endswith(PART_OF_WHICH) for queue in told.queues),
        "has_closed": len(told.queues) > MAX_OPEN,
        "counts": counts_of(told.queues),
        "reasons": Counter(queue.outlook.reason for queue in told.queues if queue.outlook and queue.outlook.reason).most_common(
            3
        ),
        "has_projects": len({queue.outlook.project for queue in told.queues if queue.outlook}) > 1,
        "has_forecasts": any(queue.outlook for queue in told.queues),
        "changes": told.configuration_changes[:CHANGES_SHOWN],
        "more_changes": max(0, len(told.configuration_changes) - CHANGES_SHOWN),
        "page_with": partial(_page_with, query),
        "before": lambda change: _page_with(query, at=(change.changed_at - BEFORE).isoformat()),
        "address": partial(_address, told.cluster),
    }


def _page_with(query: TreePageQuery, **changes: str | None) -> str:
    """This page with something changed; None takes a value away."""
    given = query.model_dump(mode="json", exclude_defaults=True) | changes
    return f"/tree?{urlencode({name: value for name, value in given.items() if value is not None}, quote_via=quote)}"


def _address(cluster: str, queue: QueueInTree) -> str:
    """The page of the queue's forecast."""
    ahead = queue.outlook
    of_it: Mapping[str, str] = {} if ahead is None else {"project": ahead.project, "target": ahead.metric, "job": ahead.job}
    return f"/queues/{in_path(queue.queue)}?{urlencode({'cluster': cluster, **of_it}, quote_via=quote)}"
