"""Reports of queues, held with every database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from shared.domain.usage import CauseHours, QueueUsage, UnderUse, Waits
from shared.domain.waiting import Cause
from shared.store import Store
from tests.factories import MONDAY

DAY = timedelta(days=1)
CAUSE = CauseHours(cause=Cause.MASTERS, hours=2.5, numbers={"am_used_memory_mb": 9.5})
UNDER_USE = UnderUse(
    days=28.0,
    guaranteed_memory_mb=100.0,
    guaranteed_vcores=10.0,
    needed_memory_mb=60.0,
    needed_vcores=7.0,
    peak_memory_mb=95.0,
    peak_memory_at=MONDAY,
    peak_vcores=9.0,
    peak_vcores_at=MONDAY,
)
REPORT = QueueUsage(
    cluster="prod",
    queue="root.etl",
    partition="default",
    made_at=MONDAY,
    waits=Waits(start_at=MONDAY - 7 * DAY, end_at=MONDAY, known_hours=160.0, hours=2.5, saturated_hours=4.0, causes=(CAUSE,)),
    under_use=UNDER_USE,
)


def test_reports_come_back_as_they_were_made_and_the_newest_replaces_the_one_before(store: Store) -> None:
    other = replace(REPORT, queue="root.adhoc", under_use=None, reason="its guarantee is not known")
    store.usages.save([REPORT, other, replace(REPORT, cluster="test")])
    store.usages.save([REPORT, replace(other, made_at=MONDAY + DAY)])
    store.usages.save([])
    assert store.usages.find(["prod"]) == [replace(other, made_at=MONDAY + DAY), REPORT]
    assert [report.cluster for report in store.usages.find(["prod", "test"], "root.etl")] == ["prod", "test"]
    assert store.usages.find(["prod"], "root.etl", "gpu") == []
    assert store.usages.find([]) == []


def test_reports_of_queues_that_are_gone_go_with_the_next_ones_of_their_cluster(store: Store) -> None:
    assert store.usages.newest_at("prod") is None
    store.usages.save([REPORT, replace(REPORT, queue="root.new", made_at=MONDAY + DAY), replace(REPORT, cluster="test")])
    assert store.usages.newest_at("prod") == MONDAY + DAY
    store.usages.drop_older("prod", MONDAY + DAY)
    assert [(report.cluster, report.queue) for report in store.usages.find(["prod", "test"])] == [
        ("prod", "root.new"),
        ("test", "root.etl"),
    ]
