"""Fingerprints of how a part of a tree is configured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.capacities import Capacity
from shared.domain.queue_tree import Queue, QueueTree, Share, State
from shared.yarn.fingerprint import fingerprint


def a_queue(path: str, percent: float, **others: object) -> Queue:
    shares = (Share(capacity=Capacity.of_percent(percent)), Share(partition="gpu", capacity=Capacity.of_percent(50.0)))
    return replace(Queue(path=path, shares=shares, state=State.RUNNING), **others)  # type: ignore[arg-type] # as tests want


def a_tree(*changed: Queue) -> QueueTree:
    queues = [
        a_queue("root", 100.0),
        a_queue("root.etl", 40.0),
        a_queue("root.bi", 60.0),
        a_queue("root.etl.daily", 70.0),
        a_queue("root.bi.ad", 30.0),
    ]
    known = {queue.path: queue for queue in (*queues, *changed)}
    return QueueTree(queues=tuple(known.values()))


@pytest.mark.parametrize(
    ("changed", "differs"),
    [
        (a_queue("root.etl", 41.0), True),  # it itself, and so what it has to give
        (a_queue("root.etl.daily", 71.0), True),
        (a_queue("root.etl.daily", 70.0, state=State.STOPPED), True),
        (a_queue("root.etl.new", 0.0), True),
        (a_queue("root.etl.u1", 0.0, is_dynamic=True), False),
        (a_queue("root.bi", 61.0), False),
        (a_queue("root.bi.ad", 31.0), False),
        (a_queue("root.etl.daily", 70.0, apps_active=3), False),
    ],
)
def test_it_differs_with_what_a_plan_is_made_from_and_with_nothing_else(changed: Queue, differs: bool) -> None:
    assert (fingerprint(a_tree(changed), "root.etl", "") != fingerprint(a_tree(), "root.etl", "")) is differs


def test_partitions_and_the_order_of_queues_are_apart() -> None:
    tree = a_tree(a_queue("root.etl.daily", 71.0))
    assert fingerprint(tree, "root.etl", "gpu") == fingerprint(a_tree(), "root.etl", "gpu")
    assert fingerprint(replace(tree, queues=tree.queues[::-1]), "root.etl", "") == fingerprint(tree, "root.etl", "")
    assert fingerprint(tree, "root.gone", "") == fingerprint(tree, "root.gone", "")
