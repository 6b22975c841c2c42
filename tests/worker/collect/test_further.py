"""What a cluster is asked beside its queues: how often, what becomes of it, and what of a refusal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from deploy.fake_cluster import FakeCluster, simulated
from deploy.fake_rm import Fleet, running
from shared.domain.collected import ClusterSample, QueueSample
from shared.domain.queue_tree import Calculator, QueueTree
from shared.drivers.yarn import YarnCluster
from shared.yarn.configuration import PREFIX
from shared.yarn.jmx import QueueMetrics
from tests.factories import MONDAY
from tests.shared.yarn.trees import properties
from worker.collect.beside import Beside, Told, cluster_with, samples_with, since
from worker.collect.further import Further

HALF_A_MINUTE = timedelta(seconds=30)
DOMINANT = {f"{PREFIX}resource-calculator": "org.apache.hadoop.yarn.util.resource.DominantResourceCalculator"}
A_CLUSTER = ClusterSample(cluster="prod", timestamp=MONDAY)


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    with running(FakeCluster(simulated(12) | DOMINANT), [0, 0]) as fleet:
        yield fleet


def looks(further: Further, fleet: Fleet, count: int, *, start: int = 0) -> list[Beside]:
    return [further.ask(fleet.urls[0], MONDAY + each * HALF_A_MINUTE) for each in range(start, start + count)]


def test_a_look_asks_one_question_and_a_minute_two_at_most(fleet: Fleet) -> None:
    cluster = YarnCluster(fleet.urls)
    further = Further(cluster, "prod")
    so_far: Counter[str] = Counter()
    for each in range(2 * 60):  # an hour
        looks(further, fleet, 1, start=each)
        assert (cluster.asked - so_far).total() <= 1
        so_far = cluster.asked.copy()
    assert cluster.asked["scheduler-conf"] == 1
    assert cluster.asked["nodes"] == 6
    assert 54 <= cluster.asked["jmx"] <= 60


def test_the_configuration_tells_how_the_scheduler_computes(fleet: Fleet) -> None:
    cluster = YarnCluster(fleet.urls)
    further, tree = Further(cluster, "prod"), cluster.snapshot().tree
    assert further.with_rules(tree).calculator is None
    looks(further, fleet, 1)
    assert further.with_rules(tree).calculator is Calculator.DOMINANT
    assert further.with_rules(tree).is_legacy is True
    assert [queue.shares for queue in further.with_rules(tree).queues] == [queue.shares for queue in tree.queues]


def test_a_step_of_a_guarantee_asks_for_it_again_every_ten_minutes_at_most(fleet: Fleet) -> None:
    cluster = YarnCluster(fleet.urls)
    further = Further(cluster, "prod")
    for each in range(2 * 60):
        looks(further, fleet, 1, start=each)
        further.guarantees_have_changed()
    assert cluster.asked["scheduler-conf"] == 6


@pytest.mark.parametrize("how", ["admin", "file"])
def test_a_refusal_is_told_once_and_the_file_is_read_instead(fleet: Fleet, tmp_path: Path, how: str) -> None:
    fleet.put("admin", "yarn") if how == "admin" else fleet.put("store", "file")
    file, cluster = tmp_path / "capacity-scheduler.xml", YarnCluster(fleet.urls)
    with capture_logs() as lines:
        further = Further(cluster, "prod")
        for day in range(3):
            looks(further, fleet, 4, start=day * 2_880)
    assert [line["event"] for line in lines if line["log_level"] == "warning"] == ["the configuration of a cluster is not known"]
    assert cluster.asked["scheduler-conf"] == 3
    told = "".join(
        f"<property><name>{name}</name><value>{value}</value></property>" for name, value in (simulated(4) | DOMINANT).items()
    )
    file.write_text(f"<configuration>{told}</configuration>")
    further = Further(cluster, "prod", file)
    looks(further, fleet, 1)
    assert further.with_rules(cluster.snapshot().tree).calculator is Calculator.DOMINANT


def test_a_file_that_is_not_there_is_told_with_its_name(fleet: Fleet, tmp_path: Path) -> None:
    fleet.put("store", "file")
    with capture_logs() as lines:
        looks(Further(YarnCluster(fleet.urls), "prod", tmp_path / "none.xml"), fleet, 1)
    assert "none.xml: No such file" in lines[0]["reason"]


def test_nodes_are_known_until_they_are_asked_again_and_waiting_times_once(fleet: Fleet) -> None:
    further = Further(YarnCluster(fleet.urls), "prod")
    told = looks(further, fleet, 6)
    assert [each.largest_free is not None for each in told] == [False, True, True, True, True, True]
    assert [bool(each.queues) for each in told] == [False, False, True, False, True, False]
    fleet.started -= 3_600_000  # an hour of applications has come
    [again] = looks(further, fleet, 1, start=6)
    assert {each.waiting_seconds is not None for each in again.queues.values()} == {True}
    assert again.queues["root"].waiting_seconds >= 0.8
    assert cluster_with(A_CLUSTER, again).largest_free_memory_mb > 0


def test_a_resource_manager_that_takes_over_has_counted_otherwise(fleet: Fleet) -> None:
    further = Further(YarnCluster(fleet.urls), "prod")
    looks(further, fleet, 4)
    fleet.fail_over()
    told = further.ask(fleet.urls[1], MONDAY + 4 * HALF_A_MINUTE)
    assert {(each.waiting_seconds, each.preempted_containers) for each in told.queues.values()} == {(None, None)}


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (None, (9, 500.0, 4), (None, None)),
        ((9, 500.0, 4), (9, 500.0, 4), (None, 0)),
        ((9, 500.0, 4), (11, 2_500.0, 6), (2.5, 2)),
        ((9, 500.0, 4), (2, 1_500.0, 1), (1.5, 1)),
        ((9, 500.0, 4), (0, 0.0, 0), (None, 0)),
        ((None, None, None), (3, None, None), (None, None)),
    ],
)
def test_counters_tell_what_has_come_since_also_when_they_begin_anew(
    before: tuple | None, now: tuple, expected: tuple[float | None, int | None]
) -> None:
    earlier, later = (
        each and QueueMetrics(first_containers=each[0], first_container_ms=each[1], containers_preempted=each[2])
        for each in (before, now)
    )
    assert (since(earlier, later).waiting_seconds, since(earlier, later).preempted_containers) == expected


def test_what_is_told_stands_in_the_default_partition_and_fills_what_is_missing() -> None:
    told = Beside(queues={"root.etl": Told(waiting_seconds=2.5, preempted_containers=3, am_used_mb=10, am_limit_mb=20)})
    whose = {"cluster": "prod", "queue": "root.etl", "timestamp": MONDAY, "is_running": 1}
    samples = [QueueSample(partition=each, **whose) for each in ("default", "gpu")]
    known = QueueSample(partition="default", am_used_memory_mb=5, am_limit_memory_mb=6, **whose)
    rows = samples_with([*samples, known], told)
    assert [(row.waiting_seconds, row.am_limit_memory_mb) for row in rows] == [(2.5, 20), (None, None), (2.5, 6)]
    assert samples_with(samples, Beside()) == samples


def test_a_tree_that_tells_its_rules_keeps_them() -> None:
    from shared.yarn.configuration import rules_of, tree_of, with_rules

    told = properties(etl="60", adhoc="40")
    rules = rules_of(told | {f"{PREFIX}root.etl.max-parallel-apps": "7"})
    tree: QueueTree = tree_of(told | {f"{PREFIX}root.adhoc.max-parallel-apps": "9"})
    assert [queue.max_parallel_apps for queue in with_rules(tree, rules).queues] == [None, 7, 9]
