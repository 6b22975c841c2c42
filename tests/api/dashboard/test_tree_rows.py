"""What the page of the tree draws: bars, and the queues that are asked for with their parents."""

from __future__ import annotations

from typing import Any

import pytest

from api.dashboard.tree_rows import MAX_OPEN, Bar, Node, TreePageQuery, counts_of, nodes_of
from api.v1.tree_answers import QueueInTree
from shared.domain.capacities import Capacity
from shared.domain.queue_tree import Queue, Share
from tests.shared.yarn.trees import mb


def a_queue(
    path: str = "root.etl", *, used: int | None = 0, pending: int = 0, is_leaf: bool = True, **changes: Any
) -> QueueInTree:
    """It is guaranteed 100 MB and may reach 400."""
    limits = {"guaranteed": mb(100, 1), "ceiling": mb(400, 4)} | changes
    use = {} if used is None else {"used": mb(used), "reserved": mb(0), "pending": mb(pending)}
    share = Share(capacity=Capacity.of_percent(10.0), **use, **limits)
    return QueueInTree.of(Queue(path=path, is_leaf=is_leaf), share, mb(1_000), ahead=None, of_vcores=None, reason="none")


ROOT = a_queue("root", is_leaf=False, guaranteed=mb(1_000), ceiling=mb(1_000))


@pytest.mark.parametrize(
    ("queue", "bar"),
    [
        (a_queue(used=50), Bar(guaranteed=133, ceiling=None, used=67, demand=67)),
        (a_queue(used=200, pending=200), Bar(guaranteed=50, ceiling=200, used=100, demand=200)),
        (a_queue(used=50, ceiling=mb(100)), Bar(guaranteed=200, ceiling=200, used=100, demand=100)),
        (a_queue(used=100, guaranteed=None), Bar(guaranteed=None, ceiling=None, used=182, demand=182)),
        (a_queue(used=500, ceiling=None), Bar(guaranteed=36, ceiling=None, used=182, demand=182)),
        (a_queue(used=None), Bar(guaranteed=133, ceiling=None, used=0, demand=0)),
        (a_queue(used=0, guaranteed=mb(0)), None),
    ],
)
def test_a_bar_shows_guarantee_and_demand_and_the_ceiling_where_that_is_near(queue: QueueInTree, bar: Bar | None) -> None:
    (root,) = nodes_of([ROOT, queue], TreePageQuery())
    assert root.children[0].bar == bar


def names(nodes: tuple[Node, ...]) -> list[str]:
    return [name for node in nodes for name in (node.name, *names(node.children))]


def test_queues_that_are_asked_for_stand_below_their_parents() -> None:
    users = a_queue("root.users", is_leaf=False, used=300)
    queues = [ROOT, users, a_queue("root.users.ada", used=300), a_queue("root.users.bob"), a_queue("root.etl", pending=5)]
    assert names(nodes_of(queues, TreePageQuery())) == ["root", "users", "ada", "bob", "etl"]
    assert names(nodes_of(queues, TreePageQuery(q=" BOB "))) == ["root", "users", "bob"]
    assert names(nodes_of(queues, TreePageQuery(show="borrowing"))) == ["root", "users", "ada"]
    assert names(nodes_of(queues, TreePageQuery(show="pending"))) == ["root", "etl"]
    assert nodes_of(queues, TreePageQuery(show="may_wait")) == ()
    assert counts_of(queues) == {"borrowing": 1, "pending": 1, "may_borrow": 0, "may_wait": 0}
    (root,) = nodes_of(queues, TreePageQuery())
    assert (root.size, root.children[0].size) == (4, 2)


def test_of_many_queues_the_first_level_is_open_alone_unless_some_are_asked_for() -> None:
    users = a_queue("root.users", is_leaf=False)
    queues = [ROOT, users, *(a_queue(f"root.users.u{n}") for n in range(MAX_OPEN))]
    for query, is_open in ((TreePageQuery(), False), (TreePageQuery(open="all"), True), (TreePageQuery(q="u7"), True)):
        (root,) = nodes_of(queues, query)
        assert (root.is_open, root.children[0].is_open) == (True, is_open)


def test_a_queue_that_lacks_vcores_alone_is_told_so() -> None:
    short = a_queue(guaranteed=mb(100, 1)).model_copy(
        update={"demand": ROOT.guaranteed and ROOT.guaranteed.model_copy(update={"vcores": 5})}
    )
    (root,) = nodes_of([ROOT, short, a_queue("root.b")], TreePageQuery())
    assert [child.is_short_of_vcores for child in root.children] == [True, False]
