"""The report of a queue from its five minutes: hours by cause, what was not needed, and why that is not told."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from datetime import timedelta
from math import ceil, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.collected import Series
from shared.domain.evidence import evidence_of
from shared.domain.usage import QueueUsage
from shared.domain.usage_words import could_give, sentence_of
from shared.domain.waiting import Cause
from tests.factories import MONDAY
from worker.decisions.usage import OF_DEMAND, OF_WAITING, usage_of

GB = 1_024
WEEK = 7 * 288
STEP = timedelta(minutes=5)


def a_series(columns: Sequence[str], length: int, **told: Sequence[float]) -> Series:
    """Ends at MONDAY; of what is not told there is nothing."""
    start = int((MONDAY - length * STEP).timestamp())
    at = array("q", [start + 300 * place for place in range(length)])
    filled = {name: array("d", told.get(name, [nan] * length)) for name in columns}
    return Series(queue="root.etl", partition="default", at=at, columns=filled)


def a_month(demand: Sequence[float], guaranteed: float = 100.0 * GB) -> Series:
    told = {f"demand_{kind}_{part}": demand for kind in ("memory_mb", "vcores") for part in ("p95", "max")}
    guarantees = {f"guaranteed_{kind}": [guaranteed] * len(demand) for kind in ("memory_mb", "vcores")}
    return a_series(OF_DEMAND, len(demand), **told, **guarantees)


def report(week: Series | None = None, month: Series | None = None) -> QueueUsage:
    return usage_of(week or a_series(OF_WAITING, 3), month or a_month([1.0] * WEEK), "prod", MONDAY)


def test_hours_are_told_by_cause_the_longest_first_with_what_was_seen_meanwhile() -> None:
    week = a_series(
        OF_WAITING,
        12,
        waiting=[1.0] * 6 + [0.5] * 2 + [0.0] * 4,
        saturated=[1.0] * 8 + [0.0] * 4,
        waiting_masters=[0.0] * 4 + [1.0] * 2 + [0.0] * 6,
        waiting_ceiling=[1.0] * 4 + [0.0] * 2 + [0.5] * 2 + [0.0] * 4,
        used_memory_mb=[160.0 * GB] * 4 + [40.0 * GB] * 8,
        maximum_memory_mb=[160.0 * GB] * 12,
        free_memory_mb=[nan] * 2 + [100.0 * GB] * 10,
        waiting_seconds=[nan] * 10 + [4.0, 8.0],
        preempted_containers=[0.0, 3.0] + [nan] * 10,
    )
    waits = report(week).waits
    assert (waits.known_hours, round(waits.hours, 6), round(waits.saturated_hours, 6)) == (1.0, 0.583333, 0.666667)
    assert [(each.cause, round(each.hours, 6)) for each in waits.causes] == [(Cause.CEILING, 0.416667), (Cause.MASTERS, 0.166667)]
    assert sum(each.hours for each in waits.causes) == pytest.approx(waits.hours)
    assert waits.causes[0].numbers == {
        "used_memory_mb": 136.0 * GB,
        "maximum_memory_mb": 160.0 * GB,
        "free_memory_mb": 100.0 * GB,
    }
    assert evidence_of(waits.causes[0].verdict) == "It used 136 GB of its maximum of 160 GB, while 100 GB were free above it."
    assert evidence_of(waits.causes[1].verdict) == ""
    assert (waits.delay_seconds, waits.preempted_containers) == (6.0, 3)
    assert sentence_of(waits) == "It waited 0.6 of 1.0 hours (58 %)."


def test_what_is_not_told_is_not_called_no_waiting() -> None:
    waits = report().waits
    assert (waits.known_hours, waits.hours, waits.share, waits.delay_seconds, waits.preempted_containers) == (0, 0, 0, None, None)
    assert sentence_of(waits) == "Whether it waited is not known."


def test_what_is_not_needed_99_of_100_times_could_be_given_back() -> None:
    demand = [30.0 * GB] * WEEK
    demand[:20] = [60.0 * GB] * 20  # less than a hundredth of the time
    demand[700] = 95.0 * GB
    found = report(month=a_month(demand)).under_use
    assert found is not None
    assert (found.days, found.needed_memory_mb, found.reclaimable_memory_mb) == (pytest.approx(7.0), 60.0 * GB, 40.0 * GB)
    assert (found.peak_memory_mb, found.peak_memory_at) == (95.0 * GB, MONDAY - (WEEK - 700) * STEP)
    assert found.gb_hours_a_month == 40.0 * 720
    assert could_give(found).startswith("Could give back 40 GB and 40,960 vcores, 28,800 GB·h a month: 60 GB and")


def test_a_queue_that_needs_what_it_has_gives_nothing_back() -> None:
    found = report(month=a_month([99.5 * GB] * WEEK)).under_use
    assert found is not None
    assert (found.reclaimable_memory_mb, found.gb_hours_a_month) == (0.0, 0.0)
    assert could_give(found).startswith("Could give nothing back: 100 GB and")


@pytest.mark.parametrize(
    ("month", "reason"),
    [
        (a_month([1.0] * (WEEK - 1)), "its demand is known of 7.0 days of the last 28; at least 7 are needed"),
        (a_month([nan] * WEEK), "its demand is known of 0.0 days of the last 28; at least 7 are needed"),
        (a_month([1.0] * WEEK, guaranteed=nan), "its guarantee is not known"),
    ],
)
def test_too_little_is_told_with_the_reason(month: Series, reason: str) -> None:
    found = report(month=month)
    assert (found.under_use, found.reason) == (None, reason)


@given(st.lists(st.integers(0, 200 * GB), min_size=1, max_size=40), st.integers(0, 300 * GB))
def test_what_could_be_given_back_is_never_what_is_needed(values: list[int], guaranteed: int) -> None:
    demand = [float(values[place % len(values)]) for place in range(WEEK)]
    found = report(month=a_month(demand, float(guaranteed))).under_use
    assert found is not None
    left = found.guaranteed_memory_mb - found.reclaimable_memory_mb
    assert 0 <= found.reclaimable_memory_mb <= guaranteed
    assert sum(value > left for value in demand) <= WEEK - ceil(0.99 * WEEK) or not found.reclaimable_memory_mb
    assert max(demand) == found.peak_memory_mb
