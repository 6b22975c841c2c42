"""Policies: what holds for whom, who may approve, and what cannot be said."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.policies import Freeze, Policy, QueueClass, QueueRule, check_policy
from shared.errors import InvalidRequest
from tests.factories import MONDAY

ETL, BI = "root.etl", "root.bi"
POLICY = Policy(cluster="prod", parent="root")


def of(*rules: QueueRule) -> Policy:
    return replace(POLICY, queues=rules)


def test_a_queue_of_which_nothing_is_said_is_a_normal_one() -> None:
    rule = of(QueueRule(queue=ETL, queue_class=QueueClass.CRITICAL)).rule(BI)
    assert (rule.queue, rule.weight, rule.floor, rule.is_protected) == (BI, 10.0, None, False)


@pytest.mark.parametrize(("queue_class", "weight"), [("critical", 20.0), ("normal", 10.0), ("best-effort", 4.0)])
def test_a_class_says_what_missing_capacity_weighs_and_a_queue_may_say_otherwise(queue_class: str, weight: float) -> None:
    rule = QueueRule(queue=ETL, queue_class=QueueClass(queue_class))
    assert rule.weight == weight
    assert replace(rule, kappa=7.0).weight == 7.0


def test_a_freeze_holds_until_its_end_and_the_longest_is_told() -> None:
    short = Freeze(start_at=MONDAY, end_at=MONDAY + timedelta(days=1), reason="month's end")
    policy = replace(POLICY, freezes=(short, replace(short, end_at=MONDAY + timedelta(days=2), reason="audit")))
    assert policy.frozen_at(MONDAY - timedelta(seconds=1)) is None
    assert policy.frozen_at(MONDAY) == policy.freezes[1]
    assert policy.frozen_at(MONDAY + timedelta(days=2)) is None


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        (replace(POLICY, budget_percent=101.0), "budget_percent"),
        (replace(POLICY, min_step_percent=-1.0), "min_step_percent"),
        (replace(POLICY, price_hours=float("nan")), "price_hours"),
        (of(QueueRule(queue=ETL), QueueRule(queue=ETL)), "queues"),
        (of(QueueRule(queue="root.etl.daily")), "queues"),
        (of(QueueRule(queue="root.gone")), "queues"),
        (of(QueueRule(queue=ETL, floor=60.0), QueueRule(queue=BI, floor=41.0)), "queues"),
        (of(QueueRule(queue=ETL, floor=60.0, ceiling=50.0)), "queues.0.floor"),
        (of(QueueRule(queue=BI), QueueRule(queue=ETL, ceiling=101.0)), "queues.1.ceiling"),
        (of(QueueRule(queue=ETL, kappa=-1.0)), "queues.0.kappa"),
        (replace(POLICY, freezes=(Freeze(start_at=MONDAY, end_at=MONDAY),)), "freezes.0"),
    ],
)
def test_what_cannot_be_kept_to_is_refused_by_its_field(policy: Policy, field: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        check_policy(policy, [ETL, BI])
    assert raised.value.ids["field"] == field


def test_amounts_of_queues_without_a_tree_have_no_upper_end() -> None:
    check_policy(Policy(cluster="", parent="", project="web", queues=(QueueRule(queue="orders", floor=5_000.0),)))


def test_a_policy_of_queues_that_are_there_is_taken() -> None:
    check_policy(of(QueueRule(queue=ETL, floor=60.0, ceiling=80.0), QueueRule(queue=BI, floor=40.0)), [ETL, BI])


@pytest.mark.parametrize(("children", "least"), [(0, 2.0), (1, 2.0), (5, 2.0), (50, 0.2)])
def test_where_siblings_are_many_small_changes_are_changes(children: int, least: float) -> None:
    assert POLICY.min_step(children) == pytest.approx(least)
    assert replace(POLICY, min_step_percent=1.5).min_step(children) == 1.5
