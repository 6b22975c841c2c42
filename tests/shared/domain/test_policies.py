"""Policies: what holds for whom, who may approve, and what cannot be said."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.policies import Freeze, Policy, QueueClass, QueueRule, check_policy, may_change
from shared.errors import InvalidRequest
from tests.factories import MONDAY
from tests.polling import without_waiting

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


def test_where_nobody_is_named_whoever_has_the_scope_may_approve() -> None:
    assert POLICY.may_approve("t1", [ETL])


def test_owners_of_the_parent_approve_all_and_owners_of_queues_what_is_theirs() -> None:
    policy = replace(of(QueueRule(queue=ETL, owners=("t2",)), QueueRule(queue=BI, owners=("t3",))), owners=("t1",))
    assert policy.may_approve("t1", [ETL, BI])
    assert policy.may_approve("t2", [ETL])
    assert policy.may_approve("t2", [f"{ETL}.daily"])
    assert not policy.may_approve("t2", [ETL, BI])
    assert not policy.may_approve("t2", ["root.etl2"])
    assert not policy.may_approve("t2", [])
    assert not policy.may_approve("stranger", [ETL])


def test_first_owners_do_not_name_themselves_and_later_ones_change_what_is_theirs() -> None:
    with_owner = of(QueueRule(queue=ETL, owners=("t2",)))
    assert may_change(POLICY, replace(POLICY, max_changes=1), "t2")
    assert not may_change(POLICY, with_owner, "t2")
    assert may_change(with_owner, of(QueueRule(queue=ETL, owners=("t2", "t3"), floor=1.0)), "t2")
    assert not may_change(with_owner, replace(with_owner, max_changes=1), "t2")
    assert not may_change(with_owner, of(*with_owner.queues, QueueRule(queue=BI)), "t2")
    assert not may_change(with_owner, POLICY, "t3")
    assert may_change(replace(POLICY, owners=("t1",)), POLICY, "t1")


def test_many_rules_are_compared_and_checked_in_no_time() -> None:
    rules = tuple(QueueRule(queue=f"root.q{number}", owners=(f"t{number}",)) for number in range(5_000))
    lower = tuple(replace(rule, floor=0.0) for rule in rules)
    with without_waiting(1):
        assert not may_change(of(*rules), of(*lower), "t1")
        check_policy(of(*rules), [rule.queue for rule in rules])


def test_an_owner_of_one_queue_leaves_nobody_else_the_others() -> None:
    assert not of(QueueRule(queue=ETL, owners=("t2",))).may_approve("t3", [BI])


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
