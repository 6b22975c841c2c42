"""Plans of any tree keep YARN's rules and the policy, add up exactly, and can be undone byte for byte."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from shared.domain.capacities import Mode
from shared.domain.queue_tree import Queue, QueueTree
from shared.yarn.answers import properties_of
from shared.yarn.constraints import violations
from shared.yarn.patch import changes_between, inverse
from shared.yarn.patch_file import edited
from tests.worker.decisions.demands import Policies, demands, policies, resolved_trees
from worker.decisions.plan import plan
from worker.decisions.planned import ParentPlan, TreePlan

MANY = settings(
    phases=[Phase.generate],
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
NEAR = 1e-6


def as_file(values: dict[str, str]) -> bytes:
    entries = (
        f"  <property>\n    <name>{name}</name>\n    <value>{value}</value>\n  </property>" for name, value in values.items()
    )
    return "\n".join(["<configuration>", *entries, "</configuration>", ""]).encode()


@st.composite
def planned(draw: st.DrawFn) -> tuple[QueueTree, Policies, TreePlan]:
    tree = draw(resolved_trees())
    policy_of = draw(policies(tree))
    return tree, policy_of, plan(tree, draw(demands(tree)), policy_of)


def parts(tree: QueueTree, found: ParentPlan, children: list[Queue]) -> list[float]:
    """Of each child what it has of the parent, in percent, by memory where it is an amount."""
    shares = [child.share(found.partition) for child in children]
    capacities = [share.capacity for share in shares if share is not None]
    weights = sum(capacity.weight or 0.0 for capacity in capacities)
    return [
        100 * each.resources.memory_mb / found.whole.memory_mb
        if each.resources is not None
        else 100 * (each.weight or 0.0) / weights
        if each.mode is Mode.WEIGHT
        else each.percent or 0.0
        for each in capacities
    ]


@MANY
@given(planned())
def test_every_plan_keeps_the_rules_of_yarn_and_adds_up(made: tuple[QueueTree, Policies, TreePlan]) -> None:
    before, _, found = made
    assert violations(found.tree) == violations(before) == ()
    for each in (each for each in found.plans if not each.refused):
        children = [child for child in found.tree.children(each.parent) if child.share(each.partition)]
        capacities = [share.capacity for child in children if (share := child.share(each.partition))]
        if each.changes and each.mode is Mode.PERCENTAGE:
            assert sum(Decimal(repr(capacity.percent)) for capacity in capacities) == 100
        if each.changes and each.mode is Mode.WEIGHT:
            old = [share.capacity for child in before.children(each.parent) if (share := child.share(each.partition))]
            assert sum(Decimal(repr(c.weight)) for c in capacities) == sum(Decimal(repr(c.weight)) for c in old)


@MANY
@given(planned())
def test_every_plan_keeps_the_policy(made: tuple[QueueTree, Policies, TreePlan]) -> None:
    before, policy_of, found = made
    for each in (each for each in found.plans if not each.refused):
        policy, now = policy_of(each.parent, each.partition), before.children(each.parent)
        children = [child for child in now if child.share(each.partition)]
        olds = parts(before, each, children)
        news = parts(found.tree, each, [found.tree.by_path[child.path] for child in children])
        pairs = {child.path: (old, new) for child, old, new in zip(children, olds, news, strict=True)}
        changed = {change.queue for change in each.changes}
        assert len(changed) <= policy.max_changes
        assert sum(max(0.0, new - old) for old, new in pairs.values()) <= policy.budget_percent + NEAR
        for path, (old, new) in pairs.items():
            rule = policy.rule(path)
            assert path in changed or old == new
            assert path not in changed or not rule.is_protected
            if path in changed and each.mode is not Mode.ABSOLUTE:
                assert abs(new - old) >= policy.min_step_percent - NEAR
                assert (rule.floor or 0.0) - NEAR <= new <= (100.0 if rule.ceiling is None else rule.ceiling) + NEAR
                assert new >= old * (1 - policy.max_down_percent / 100) - NEAR or new <= (rule.ceiling or 0.0) + NEAR


@MANY
@given(planned())
def test_a_plan_and_then_its_inverse_leave_every_byte(made: tuple[QueueTree, Policies, TreePlan]) -> None:
    before, _, found = made
    values = properties_of(before)
    file = as_file(values)
    changes = changes_between(before, found.tree, values)
    assert {(each.queue, each.key, each.after) for each in changes} == {
        (each.queue, each.key, each.after) for each in found.patch
    }
    assert edited(edited(file, changes), inverse(changes)) == file


@MANY
@given(planned())
def test_nothing_is_dearer_than_it_was_unless_bounds_ask_for_it(made: tuple[QueueTree, Policies, TreePlan]) -> None:
    _, policy_of, found = made
    for each in (each for each in found.plans if not each.refused):
        rules = policy_of(each.parent, each.partition).queues
        if not any(rule.floor is not None or rule.ceiling is not None for rule in rules) and each.changes:
            assert each.memory.plan + each.memory.changing <= each.memory.keep * (1 + NEAR) or each.vcores is not None
