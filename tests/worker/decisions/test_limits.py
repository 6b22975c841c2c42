"""What holds a queue back that waits: each sign, their order, and what is not told."""

from __future__ import annotations

from dataclasses import fields, replace
from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.collected import ClusterSample, QueueSample
from shared.domain.evidence import evidence_of
from shared.domain.waiting import ADVICE, PROPERTIES, TITLES, Cause, Verdict
from tests.factories import MONDAY
from worker.decisions.limits import is_waiting, verdict
from worker.decisions.surroundings import Around

GB = 1_024
WHOSE = {"cluster": "prod", "queue": "root.etl", "partition": "default", "timestamp": MONDAY}


def a_sample(**changes: object) -> QueueSample:
    """Half of its guarantee of 80 GB is used, of a maximum of 160 GB; 8 GB in two containers wait, 100 GB are free above."""
    told = {
        "used_memory_mb": 40 * GB,
        "guaranteed_memory_mb": 80 * GB,
        "maximum_memory_mb": 160 * GB,
        "free_memory_mb": 100 * GB,
        "pending_memory_mb": 8 * GB,
        "pending_containers": 2,
        "apps_active": 5,
        "apps_pending": 1,
    }
    return QueueSample(**WHOSE | told | changes)


PARENT = a_sample(used_memory_mb=200 * GB, queue="root", apps_active=9)
CLUSTER = ClusterSample(cluster="prod", timestamp=MONDAY, largest_free_memory_mb=2 * GB)
AROUND = Around(parent=PARENT, cluster=CLUSTER)
SIGNS = {
    Cause.MASTERS: {"am_used_memory_mb": 96, "am_limit_memory_mb": 100},
    Cause.PARALLEL_APPS: {"max_parallel_apps": 5},
    Cause.USER_LIMIT: {"used_memory_mb": 80 * GB, "users_active": 1, "user_limit_factor": 1.0},
    Cause.FRAGMENTATION: {"reserved_memory_mb": 4 * GB},
    Cause.CEILING: {"used_memory_mb": 158 * GB},
    Cause.LABEL: {"partition": "gpu"},
    Cause.PARENT: {"free_memory_mb": 3 * GB},
    Cause.UNEXPLAINED: {},
}


@pytest.mark.parametrize("cause", Cause)
def test_each_sign_is_found_and_told_with_its_numbers(cause: Cause) -> None:
    other = a_sample(pending_memory_mb=0, pending_containers=0, apps_pending=0) if cause is Cause.LABEL else None
    found = verdict(a_sample(**SIGNS[cause]), replace(AROUND, unlabelled=other))
    assert found is not None
    assert found.cause is cause
    assert (evidence_of(found) == "") == (cause is Cause.UNEXPLAINED)
    assert found.properties == PROPERTIES[cause]


@pytest.mark.parametrize(
    ("cause", "changes", "words"),
    [
        (Cause.MASTERS, {}, "Application masters had 0.1 GB of the 0.1 GB that they may have, while the queue used 40 GB of its"),
        (Cause.PARALLEL_APPS, {}, "5 applications ran of at most 5."),
        (Cause.USER_LIMIT, {}, "One user had 80 GB; one may have 80 GB (1 times the guarantee), however much is free."),
        (
            Cause.FRAGMENTATION,
            {},
            "4 GB were reserved on nodes without room, and no node had more than 2 GB free; it asked for 8 GB",
        ),
        (Cause.CEILING, {}, "It used 158 GB of its maximum of 160 GB, while 100 GB were free above it."),
        (Cause.PARENT, {}, "No more than 3 GB were left for it; it asked for 8 GB in containers of 4 GB."),
    ],
)
def test_people_read_the_numbers(cause: Cause, changes: dict[str, object], words: str) -> None:
    found = verdict(a_sample(**SIGNS[cause] | changes), AROUND)
    assert found is not None
    assert evidence_of(found).startswith(words)


@pytest.mark.parametrize(
    ("cause", "changes"),
    [
        (Cause.MASTERS, {"apps_pending": 0}),
        (Cause.MASTERS, {"am_used_memory_mb": 94}),
        (Cause.MASTERS, {"used_memory_mb": 81 * GB}),
        (Cause.PARALLEL_APPS, {"apps_active": 4}),
        (Cause.USER_LIMIT, {"users_active": 3}),
        (Cause.USER_LIMIT, {"users_active": 2, "max_user_share": 0.5}),
        (Cause.USER_LIMIT, {"user_limit_factor": None}),
        (Cause.USER_LIMIT, {"free_memory_mb": 1}),
        (Cause.FRAGMENTATION, {"pending_containers": 8}),
        (Cause.FRAGMENTATION, {"used_memory_mb": 90 * GB}),
        (Cause.FRAGMENTATION, {"maximum_memory_mb": 44 * GB}),
        (Cause.FRAGMENTATION, {"partition": "gpu"}),
        (Cause.CEILING, {"used_memory_mb": 150 * GB}),
        (Cause.CEILING, {"free_memory_mb": 1 * GB}),
        (Cause.PARENT, {"free_memory_mb": None}),
    ],
)
def test_half_a_sign_is_none(cause: Cause, changes: dict[str, object]) -> None:
    found = verdict(a_sample(**SIGNS[cause] | changes), AROUND)
    assert found is not None
    assert found.cause is not cause


def test_the_parallel_limit_may_be_that_of_the_parent() -> None:
    found = verdict(a_sample(), replace(AROUND, parent=replace(PARENT, max_parallel_apps=9)))
    assert found is not None
    assert (found.cause, evidence_of(found)) == (
        Cause.PARALLEL_APPS,
        "9 applications ran below its parent of at most 9, 5 of them its own; 1 waited.",
    )


def test_a_node_that_is_not_known_or_has_room_is_no_fragmentation() -> None:
    sample = a_sample(**SIGNS[Cause.FRAGMENTATION])
    for free in (None, 4 * GB):
        found = verdict(sample, replace(AROUND, cluster=replace(CLUSTER, largest_free_memory_mb=free)))
        assert found is not None
        assert found.cause is Cause.UNEXPLAINED


def test_means_of_a_week_that_lack_a_number_are_told_without_it() -> None:
    parallel = Verdict(cause=Cause.PARALLEL_APPS, numbers={"apps_active": 3.0, "apps_pending": 2.0})
    label = Verdict(cause=Cause.LABEL, numbers={"pending_memory_mb": 8.0 * GB})
    assert evidence_of(parallel) == "2 applications waited, since as many of its parent ran as may."
    assert evidence_of(label) == "8 GB waited for its nodes, while as much was free on nodes without a label."


def test_processors_are_looked_at_where_the_scheduler_does() -> None:
    sample = a_sample(used_vcores=16, maximum_vcores=16, guaranteed_vcores=8, free_vcores=9)
    causes = [verdict(sample, replace(AROUND, counts_vcores=each)) for each in (False, True)]
    assert [each and each.cause for each in causes] == [Cause.UNEXPLAINED, Cause.CEILING]


def test_a_queue_of_which_nothing_waits_has_no_verdict() -> None:
    rests = a_sample(pending_memory_mb=0, pending_containers=0, apps_pending=0, max_parallel_apps=5)
    assert is_waiting(rests) is False
    assert verdict(rests, AROUND) is None
    assert is_waiting(QueueSample(**WHOSE)) is None
    assert verdict(QueueSample(**WHOSE), AROUND) is None


NUMBERS = {
    field.name: st.none() | (st.integers(0, 2**40) if str(field.type).startswith("int") else st.floats(0, 1e6))
    for field in fields(QueueSample)
    if field.name not in WHOSE
}
samples = st.builds(QueueSample, **{name: st.just(value) for name, value in WHOSE.items()}, **NUMBERS)


@given(samples, st.none() | samples, st.none() | samples, st.booleans())
def test_whatever_is_told_there_is_one_verdict_with_finite_numbers(
    sample: QueueSample, parent: QueueSample | None, other: QueueSample | None, counts: bool
) -> None:
    found = verdict(sample, Around(parent=parent, unlabelled=other, cluster=CLUSTER, counts_vcores=counts))
    assert (found is not None) == bool(is_waiting(sample))
    if found is not None:
        assert all(isfinite(number) for number in found.numbers.values())
        assert "nan" not in evidence_of(found)


@given(samples, st.sampled_from(list(Cause)[:2]))
def test_an_earlier_sign_goes_before_all_later_ones(sample: QueueSample, cause: Cause) -> None:
    """The first two hold whatever else there is, since they keep applications from starting at all."""
    below = {"used_memory_mb": 40 * GB, "guaranteed_memory_mb": 80 * GB, "apps_pending": 1, "apps_active": 5}
    causes = [verdict(replace(sample, **below | SIGNS[cause]), Around())]
    assert [each and each.cause in list(Cause)[: list(Cause).index(cause) + 1] for each in causes] == [True]


def test_every_cause_has_words_and_what_lacks_numbers_has_no_sentence() -> None:
    assert set(TITLES) == set(ADVICE) == set(PROPERTIES) == set(Cause)
    assert {evidence_of(Verdict(cause=cause, numbers={})) for cause in Cause} == {""}
