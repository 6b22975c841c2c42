"""Reports of two queues of a cluster, for tests of whoever shows them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from shared.domain.usage import CauseHours, QueueUsage, UnderUse, Waits
from shared.domain.waiting import Cause
from tests.api.a_cluster import DAY, NOW

GB = 1_024.0
MASTERS = {
    "am_used_memory_mb": 9.5 * GB,
    "am_limit_memory_mb": 10 * GB,
    "used_memory_mb": 40 * GB,
    "guaranteed_memory_mb": 80 * GB,
}
WAITS = Waits(
    start_at=NOW - 7 * DAY,
    end_at=NOW,
    known_hours=160.0,
    hours=12.0,
    saturated_hours=20.0,
    causes=(
        CauseHours(cause=Cause.MASTERS, hours=9.0, numbers=MASTERS),
        CauseHours(cause=Cause.UNEXPLAINED, hours=3.0, numbers={}),
    ),
    delay_seconds=42.0,
    preempted_containers=3,
)
UNDER_USE = UnderUse(
    days=28.0,
    guaranteed_memory_mb=80 * GB,
    guaranteed_vcores=40.0,
    needed_memory_mb=60 * GB,
    needed_vcores=40.0,
    peak_memory_mb=79 * GB,
    peak_memory_at=NOW - timedelta(days=3),
    peak_vcores=40.0,
    peak_vcores_at=NOW,
)
REPORT = QueueUsage(
    cluster="prod", queue="root.etl", partition="default", made_at=NOW - timedelta(hours=2), waits=WAITS, under_use=UNDER_USE
)
RESTS = replace(
    REPORT,
    queue="root.adhoc",
    waits=replace(WAITS, hours=0.0, causes=(), delay_seconds=None),
    under_use=None,
    reason="its guarantee is not known",
)
