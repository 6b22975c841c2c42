"""What a refresh refuses is told in sentences; what real schedulers run with is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shared.domain.capacities import Capacity, Mode
from shared.domain.queue_tree import QueueTree, Scheduler
from shared.yarn.configuration import tree_of
from shared.yarn.constraints import violations
from tests.shared.yarn.trees import mb, prefixed, trees

LABEL = "accessible-node-labels.gpu"
DOMINANT = {"resource-calculator": "org.apache.hadoop.yarn.util.resource.DominantResourceCalculator"}
MANAGED = {"root.a.auto-create-child-queue.enabled": "true"}


def configured(**changes: str) -> dict[str, str]:
    """Queues a and b, and below a the queues x and y, which go together; `a_x_max="50"` is the maximum of root.a.x."""
    names = {"root.queues": "a,b", "root.a.queues": "x,y"}
    for key, text in ({"a": "60", "b": "40", "a_x": "50", "a_y": "50"} | changes).items():
        name = "maximum-capacity" if key.endswith("_max") else "capacity"
        names[f"root.{key.removesuffix('_max').replace('_', '.')}.{name}"] = text
    return names


def told(names: dict[str, str]) -> list[str]:
    return [str(violation) for violation in violations(tree_of(prefixed(names)))]


@settings(max_examples=40)
@given(trees())
def test_trees_that_go_together_break_nothing_and_their_percentages_are_100(tree: QueueTree) -> None:
    assert violations(tree) == ()
    for parent in tree.parents():
        for share in parent.shares:
            children = [each.capacity for child in tree.children(parent.path) if (each := child.share(share.partition))]
            hundredths = [round((each.percent or 0.0) * 100) for each in children if each.mode is Mode.PERCENTAGE]
            assert sum(hundredths) in (0, 10_000)


@settings(max_examples=40)
@given(trees(), st.data())
def test_one_capacity_that_does_not_go_with_the_others_is_told(tree: QueueTree, data: st.DataObject) -> None:
    places = [(queue, share) for queue in tree.queues[1:] for share in queue.shares if share.mode is Mode.PERCENTAGE]
    assume(places)
    queue, share = data.draw(st.sampled_from(places))
    other = replace(share, capacity=Capacity.of_percent(((share.capacity.percent or 0.0) + 30.0) % 100.0))
    changed = replace(queue, shares=tuple(other if each is share else each for each in queue.shares))
    broken = replace(tree, queues=tuple(changed if each is queue else each for each in tree.queues))
    assert (queue.parent, share.partition) in {(each.queue, each.partition) for each in violations(broken)}


@pytest.mark.parametrize(
    "names",
    [
        configured(a_x="33.33", a_y="66.67"),
        configured(a_x="33.33", a_y="66.65"),  # YARN adds up in single precision, and so leaves 0.05
        configured(a="0", b="100", a_x="0", a_y="0"),
        configured(a_x="0", a_y="0") | {"root.a.allow-zero-capacity-sum": "true"},
        configured(a="2w", b="1.5w"),
        configured(a="2w", b="1.5w", a_x="0", a_y="0"),
        configured(a_x="1w", a_y="1w"),
        configured(a="[memory=9,vcores=4]", b="[memory=7,vcores=9]", a_x="[memory=9,vcores=4]", a_y="[memory=0,vcores=0]"),
        configured(a="[memory=9,vcores=4]", b="0", a_x="[memory=9,vcores=9]", a_y="[memory=0,vcores=0]"),
        configured(a="[memory=9,vcores=4]", b="100", a_x="[memory=9,vcores=4]", a_y="[memory=0,vcores=0]"),
        configured() | {f"root.{LABEL}.capacity": "100", f"root.a.{LABEL}.capacity": "100"}
        | {f"root.a.x.{LABEL}.capacity": "100"},
        configured(a="[memory=1w,vcores=4]", b="75", a_x="12.5", a_y="1w") | {"legacy-queue-mode.enabled": "false"},
        {"root.queues": "a", "root.a.capacity": "100", "root.a.leaf-queue-template.capacity": "50"} | MANAGED,
    ],
)  # fmt: skip
def test_what_schedulers_run_with_breaks_nothing(names: dict[str, str]) -> None:
    assert told(names) == []


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (configured(b="41"), "root: its children add up to 101 %; accepted are 100 %"),
        (configured(a_x="50", a_y="49"), "root.a: its children add up to 99 %"),
        (configured(a_x="0", a_y="0"), "root.a: its children add up to 0 %, although it has 60 %"),
        (configured(a="0", b="100"), "root.a: its children add up to 100 %, although it has nothing itself"),
        (configured(a_x="150", a_y="-50"), "root.a.x: its capacity is 150 %; accepted are 0 to 100 %"),
        (configured(a_max="59.9"), "root.a: its capacity 60 % is more than its maximum 59.9 %"),
        (configured(a_max="101"), "root.a: its maximum is 101 %; accepted are 0 to 100 %"),
        (configured(a="10001w", b="1w"), "root.a: its weight is 10001; accepted are 0 to 10000"),
        (configured(a="3w", b="1w", a_max="70"), "by its weight a gets 75 % of it, more than its maximum 70 %"),
        (configured(a="60", b="1w"), "its children have capacities of several modes (percentage, weight)"),
        (configured(a_x="[memory=1]", a_y="[memory=1]"), "root.a: its children have capacities in resources"),
        (configured(a="[memory=9]", b="[memory=9]"), "it has its capacity in resources, so its children cannot have perc"),
        (configured(a="[memory=9]", b="[memory=9]", a_x="1w", a_y="1w"), "so its children cannot have weights"),
        (configured(a="[memory=9]", b="[memory=9]", a_x="[memory=5]", a_y="[memory=5]"), "root.a: its children add up to 10 MB"),
        (configured(a="[memory=9]", b="0", a_x="0", a_y="0", a_max="[memory=8]"), "9 MB and 0 vcores is more than its maximum 8"),
        (
            configured(a="[memory=9]", b="0", a_x="[memory=9]", a_y="0", a_max="[memory=9]", a_x_max="[memory=10]"),
            "root.a.x: its maximum 10 MB and 0 vcores is more than its parent's 9 MB",
        ),
        (
            configured(a="[memory=9,vcores=4]", b="0", a_x="[memory=9,vcores=5]", a_y="0") | DOMINANT,
            "root.a: its children add up to 9 MB and 5 vcores, more than its own 9 MB and 4 vcores",
        ),
        (
            configured() | {f"root.a.{LABEL}.capacity": "90", f"root.{LABEL}.capacity": "100"},
            "root, partition gpu: its children add up to 90 %",
        ),
        (
            configured(a="60", b="60") | {"legacy-queue-mode.enabled": "false"},
            "root: its children add up to 120 %; accepted are 100 % at most",
        ),
        ({"root.queues": "a", "root.a.capacity": "100"} | MANAGED, "automatically, and there is no leaf-queue"),
        (configured() | MANAGED, "automatically, so it cannot have x configured"),
    ],
)  # fmt: skip
def test_what_a_refresh_refuses_is_told_with_the_queue(names: dict[str, str], sentence: str) -> None:
    assert [each for each in told(names) if sentence in each], told(names)


def test_of_what_an_answer_does_not_tell_nothing_is_said() -> None:
    tree = tree_of(prefixed(configured(a_x="0", a_y="0")))
    untold = replace(tree, queues=tuple(replace(queue, allows_zero_sum=None) for queue in tree.queues), is_legacy=None)
    assert (len(violations(tree)), violations(untold)) == (1, ())


def test_the_root_is_all_of_the_cluster() -> None:
    tree = tree_of(prefixed({"root.queues": "a", "root.a.capacity": "100"}))
    smaller = replace(tree.root, shares=(replace(tree.root.share(), capacity=Capacity.of_percent(42.0)),))
    found = violations(replace(tree, queues=(smaller, *tree.queues[1:])))
    assert [str(each) for each in found] == ["root: the root's capacity is 42 %; it is always 100 %."]


def test_a_file_that_yarns_own_validator_refuses_is_refused() -> None:
    names = {"root.queues": "default", "root.default.capacity": "100.000", "maximum-am-resource-percent": "-1.0"}
    names |= {"root.auto-create-child-queue.enabled": "true", "root.default.auto-create-child-queue.enabled": "true"}
    assert "root: its children are created automatically, so it cannot have default configured." in told(names)


def test_the_fair_scheduler_has_none_of_these_rules() -> None:
    tree = tree_of(prefixed({"root.queues": "a", "root.a.capacity": "[memory=9]", "root.a.maximum-capacity": "[memory=1]"}))
    assert violations(replace(tree, scheduler=Scheduler.FAIR)) == ()
    assert tree.by_path["root.a"].share().capacity.resources == mb(9)
