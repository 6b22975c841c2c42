"""A tree at one moment as rows, and what of a configuration has changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.capacities import Capacity
from shared.domain.collected import QueueSample
from shared.domain.queue_tree import Calculator, Creation, Queue, QueueTree, Share, State, Totals
from tests.factories import MONDAY
from tests.shared.yarn.trees import mb
from worker.collect.configuration import GONE, SEEN, changes, newest
from worker.collect.sampler import cluster_sample, queue_samples
from worker.collect.tables import ConfigChange

USED = Share(
    capacity=Capacity.of_percent(40.0),
    guaranteed=mb(4_096, 4),
    ceiling=mb(8_192, 8),
    used=mb(6_144, 5),
    reserved=mb(1_024, 1),
    pending=mb(2_048, 2),
)


def a_tree(*queues: Queue, totals: Totals | None = None) -> QueueTree:
    return QueueTree(queues=(Queue(path="root", is_leaf=False), *queues), totals=totals)


def sampled(*queues: Queue) -> dict[tuple[str, str], QueueSample]:
    rows = queue_samples(a_tree(*queues), "prod", MONDAY)
    assert {row.cluster for row in rows} == {"prod"}
    assert {row.timestamp for row in rows} == {MONDAY}
    return {(row.queue, row.partition): row for row in rows}


def test_demand_is_what_runs_and_what_waits_without_what_is_reserved() -> None:
    row = sampled(Queue(path="root.etl", shares=(USED,), apps_pending=3, state=State.RUNNING))["root.etl", "default"]
    assert (row.used_memory_mb, row.used_vcores, row.reserved_memory_mb, row.pending_memory_mb) == (5_120, 4, 1_024, 2_048)
    assert (row.demand_memory_mb, row.demand_vcores) == (7_168, 6)
    assert (row.guaranteed_memory_mb, row.maximum_vcores, row.apps_pending, row.is_running) == (4_096, 8, 3, 1)


def test_a_partition_has_rows_of_its_own_and_counts_stand_in_one_of_them() -> None:
    rows = sampled(Queue(path="root.etl", shares=(USED, replace(USED, partition="gpu", used=mb(512, 1))), apps_active=7))
    assert (rows["root.etl", "default"].apps_active, rows["root.etl", "gpu"].apps_active) == (7, None)
    assert rows["root.etl", "gpu"].reserved_memory_mb == 1_024


def test_a_stopped_queue_is_a_gap_and_no_zero() -> None:
    row = sampled(Queue(path="root.old", shares=(replace(USED, used=mb(0)),), state=State.STOPPED, apps_active=0))[
        "root.old", "default"
    ]
    assert (row.is_running, row.guaranteed_memory_mb) == (0, 4_096)
    assert {row.demand_memory_mb, row.used_memory_mb, row.pending_vcores, row.apps_active, row.used_capacity} == {None}


def test_what_is_not_told_is_not_zero() -> None:
    row = sampled(Queue(path="root.etl", shares=(Share(used=mb(10, 1)),)))["root.etl", "default"]
    assert (row.demand_memory_mb, row.pending_memory_mb, row.is_running) == (10, None, None)


def test_dynamic_queues_are_one_series_of_their_parent_beside_their_own() -> None:
    parent = Queue(path="root.users", shares=(replace(USED, ceiling=mb(9_999, 9)),), is_leaf=False, creation=Creation.FLEXIBLE)
    ada, bob = (Queue(path=f"root.users.{name}", shares=(USED,), is_dynamic=True, apps_active=2) for name in ("ada", "bob"))
    inner = Queue(path="root.users.bob.x", shares=(USED,), is_dynamic=True)
    rows = sampled(parent, ada, replace(bob, is_leaf=False), inner, Queue(path="root.users.fixed", shares=(USED,)))
    together = rows["root.users/*", "default"]
    assert (together.demand_memory_mb, together.guaranteed_memory_mb, together.apps_active) == (2 * 7_168, 2 * 4_096, 4)
    assert together.maximum_memory_mb == 9_999
    assert rows["root.users.ada", "default"].demand_memory_mb == 7_168
    assert ("root.users.bob/*", "default") not in rows


@pytest.mark.parametrize(("creation", "demand"), [(Creation.LEGACY, 0), (Creation.FLEXIBLE, 0), (Creation.OFF, None)])
def test_dynamic_queues_that_could_be_and_are_not_use_nothing(creation: Creation, demand: int | None) -> None:
    rows = sampled(Queue(path="root.users", shares=(USED,), creation=creation))
    together = rows.get(("root.users/*", "default"))
    assert (together and together.demand_memory_mb) == demand
    assert together is None or together.guaranteed_memory_mb is None


def test_the_cluster_is_a_row_where_it_tells_what_it_has() -> None:
    told = cluster_sample(a_tree(totals=Totals(total=mb(100, 10), nodes_lost=1)), "prod", MONDAY)
    assert told is not None
    assert (told.total_memory_mb, told.total_vcores, told.nodes_lost, told.available_memory_mb) == (100, 10, 1, None)
    assert cluster_sample(a_tree(), "prod", MONDAY) is None


def changed(known: list[ConfigChange], *queues: Queue, hours: int = 1) -> list[ConfigChange]:
    return changes(a_tree(*queues), newest(known), "prod", MONDAY + timedelta(hours=hours))


def test_a_configuration_is_told_once_and_then_what_changes_of_it() -> None:
    etl, adhoc = (Queue(path=f"root.{name}", shares=(USED,), state=State.RUNNING) for name in ("etl", "adhoc"))
    first = changed([], etl, adhoc)
    assert {(row.queue, row.capacity, row.before, row.by) for row in first} >= {("root.etl", "40", "", SEEN)}
    assert changed(first, etl, adhoc, hours=2) == []
    raised = replace(USED, capacity=Capacity.of_percent(45.0), maximum=Capacity.of_percent(80.0))
    [row] = changed(first, replace(etl, shares=(raised,)), adhoc, hours=2)
    assert (row.queue, row.mode, row.capacity, row.maximum, row.before) == ("root.etl", "percentage", "45", "80", "40, RUNNING")


def test_a_queue_that_is_gone_is_told_once_and_a_dynamic_one_never() -> None:
    etl, ada = Queue(path="root.etl", shares=(USED,)), Queue(path="root.ada", shares=(USED,), is_dynamic=True)
    first = changed([], etl, ada)
    assert {row.queue for row in first} == {"root", "root.etl"}
    gone = changed(first, hours=2)
    assert [(row.queue, row.state, row.before) for row in gone] == [("root.etl", GONE, "40")]
    assert changed([*first, *gone], hours=3) == []
    [again] = changed([*first, *gone], etl, hours=4)
    assert (again.queue, again.state) == ("root.etl", "")


def a_chain(*, used: int, ceiling: int = 100, root_used: int = 0, pending: int = 0) -> dict[tuple[str, str], QueueSample]:
    """root of 1,000, root.etl whose ceiling is 200, and root.etl.daily."""
    whole = Share(ceiling=mb(1_000, 9), used=mb(root_used or used))
    daily = Share(ceiling=mb(ceiling, 9), used=mb(used), pending=mb(pending))
    etl = Queue(path="root.etl", shares=(Share(ceiling=mb(200, 9), used=mb(used)),), is_leaf=False)
    root = Queue(path="root", shares=(whole,), is_leaf=False)
    tree = QueueTree(queues=(root, etl, Queue(path="root.etl.daily", shares=(daily,), max_parallel_apps=3, user_limit=25.0)))
    return {(row.queue, row.partition): row for row in queue_samples(tree, "prod", MONDAY)}


def test_what_is_free_is_the_least_of_what_those_above_have_left() -> None:
    rows = a_chain(used=60, root_used=950)
    assert [row.free_memory_mb for row in rows.values()] == [50, 50, 50]
    assert [row.free_memory_mb for row in a_chain(used=60).values()] == [940, 940, 140]
    assert rows["root.etl.daily", "default"].max_parallel_apps == 3
    assert rows["root.etl.daily", "default"].user_limit == 25.0


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"used": 60}, 0),
        ({"used": 60, "pending": 1}, 1),
        ({"used": 98}, 1),
        ({"used": 97}, 0),
        ({"used": 60, "root_used": 999}, 1),
        ({"used": 0, "root_used": 1_000}, 0),
    ],
)
def test_a_queue_that_could_get_no_more_is_saturated(told: dict[str, int], expected: int) -> None:
    assert a_chain(**told)["root.etl.daily", "default"].is_saturated == expected


def test_processors_hold_a_queue_back_where_the_scheduler_looks_at_them() -> None:
    share = Share(ceiling=mb(100, 4), used=mb(10, 4))
    tree = a_tree(Queue(path="root.etl", shares=(share,)))
    flags = [queue_samples(replace(tree, calculator=each), "prod", MONDAY)[-1].is_saturated for each in (None, *Calculator)]
    assert flags == [0, 0, 1]


def test_a_stopped_queue_is_neither_held_back_nor_free_of_it() -> None:
    row = sampled(Queue(path="root.old", shares=(USED,), state=State.STOPPED))["root.old", "default"]
    assert row.is_saturated is None
