"""Owners: who decides on which queues, by the policies of all that is above them."""

from __future__ import annotations

from dataclasses import replace

from shared.domain.owners import may_change, owned_by_others, owners_of, with_owners
from shared.domain.policies import Policy, QueueRule, check_policy
from tests.polling import without_waiting

ETL, BI = "root.etl", "root.bi"
POLICY = Policy(cluster="prod", parent="root")
BELOW = Policy(cluster="prod", parent=ETL)
DAILY = f"{ETL}.daily"


def of(*rules: QueueRule) -> Policy:
    return replace(POLICY, queues=rules)


def test_where_nobody_is_named_whoever_has_the_scope_decides() -> None:
    assert owners_of([BELOW, POLICY], DAILY) == frozenset()
    assert owned_by_others([BELOW, POLICY], "t1", [DAILY]) == ()


def test_owners_decide_on_what_is_theirs_and_on_what_is_below_that() -> None:
    policy = of(QueueRule(queue=ETL, owners=("t2",)))
    assert owned_by_others([policy], "t2", [ETL, BI]) == ()  # on the other one whoever has the scope does
    assert owned_by_others([policy], "t3", [ETL, BI]) == (ETL,)
    assert owners_of([BELOW, policy], DAILY) == {"t2"}
    assert owned_by_others([BELOW, policy], "t3", [DAILY]) == (DAILY,)
    assert owners_of([policy], "root.etl2") == frozenset()


def test_owners_of_a_policy_decide_on_all_beside_those_of_queues() -> None:
    policy = replace(of(QueueRule(queue=ETL, owners=("t2",))), owners=("t1",))
    assert owners_of([policy], ETL) == {"t1", "t2"}
    assert owned_by_others([policy], "t2", [ETL, BI]) == (BI,)
    assert owned_by_others([BELOW, policy], "t1", [DAILY]) == ()


def test_who_owns_nothing_above_does_not_say_what_holds_below() -> None:
    above = [of(QueueRule(queue=ETL, owners=("t2",)))]
    assert not may_change(BELOW, replace(BELOW, max_changes=1), "t3", above)
    assert may_change(BELOW, replace(BELOW, max_changes=1), "t2", above)
    assert not may_change(replace(BELOW, owners=("t4",)), BELOW, "t3", above)


def test_first_owners_do_not_name_themselves_and_later_ones_change_what_is_theirs() -> None:
    with_owner = of(QueueRule(queue=ETL, owners=("t2",)))
    assert may_change(POLICY, replace(POLICY, max_changes=1), "t2")
    assert not may_change(POLICY, with_owner, "t2")
    assert may_change(with_owner, of(QueueRule(queue=ETL, owners=("t2", "t3"), floor=1.0)), "t2")
    assert not may_change(with_owner, replace(with_owner, max_changes=1), "t2")
    assert not may_change(with_owner, of(*with_owner.queues, QueueRule(queue=BI)), "t2")
    assert not may_change(with_owner, POLICY, "t3")
    assert may_change(replace(POLICY, owners=("t1",)), POLICY, "t1")


def test_queues_are_told_with_the_names_of_their_owners() -> None:
    policy = of(QueueRule(queue=ETL, owners=("t1", "t2")), QueueRule(queue=BI, owners=("t1",)))
    assert with_owners([policy], [ETL, BI], {"t1": "anna"}) == "root.etl (anna, t2), root.bi (anna)"


def test_many_rules_are_compared_and_checked_in_no_time() -> None:
    rules = tuple(QueueRule(queue=f"root.q{number}", owners=(f"t{number}",)) for number in range(5_000))
    lower = tuple(replace(rule, floor=0.0) for rule in rules)
    with without_waiting(1):
        assert not may_change(of(*rules), of(*lower), "t1")
        check_policy(of(*rules), [rule.queue for rule in rules])
