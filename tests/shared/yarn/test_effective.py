"""What capacities come to with the nodes that there are, told from what real schedulers answered."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.capacities import Resources
from shared.domain.queue_tree import QueueTree
from shared.yarn.configuration import tree_of
from shared.yarn.effective import Resolved, resolved
from tests.shared.yarn.trees import CLUSTER, mb, prefixed, properties, trees

EIGHTH = mb(4_096, 4)  # of 32 GB and 32 vcores, as in Hadoop's own tests of mixed modes


def guarantees(names: dict[str, str], total: Resources, **others: Resources) -> dict[str, Resources]:
    """Short path → guarantee."""
    tree = resolved(tree_of(prefixed(names)), {"": total} | others)
    return {queue.path.removeprefix("root."): queue.share().guaranteed for queue in tree.queues[1:]}


def two_levels(**capacities: str) -> dict[str, str]:
    names = {"legacy-queue-mode.enabled": "false", "root.queues": "default,t1,t2", "root.t1.queues": "x,y,z"}
    return names | {f"root.{path.replace('_', '.')}.capacity": text for path, text in capacities.items()}


def test_modes_that_are_mixed_come_to_what_a_scheduler_says() -> None:
    expected = {"default": EIGHTH, "t1": mb(16_384, 16), "t1.x": mb(2_048, 2), "t1.y": mb(2_048, 2), "t1.z": mb(12_288, 12)}
    expected["t2"] = mb(12_288, 12)
    for capacities in (
        two_levels(default="1w", t1="[memory=16384,vcores=16]", t2="75", t1_x="50", t1_y="1w", t1_z="[memory=12288,vcores=12]"),
        two_levels(default="1w", t1="50", t2="3w", t1_x="12.5", t1_y="12.5", t1_z="1w"),
        two_levels(
            default="[memory=1w,vcores=4]",
            t1="[memory=16384,vcores=100%]",
            t2="[memory=3w,vcores=12]",
            t1_x="[memory=1w,vcores=1w]",
            t1_y="[memory=50%,vcores=2]",
            t1_z="[memory=12288,vcores=86%]",
        ),
    ):
        assert guarantees(capacities, mb(32_768, 32)) == expected


def test_weights_come_to_what_a_scheduler_says() -> None:
    names = {"root.queues": "test2,test1,default,parent,auto", "root.parent.queues": "inner"}
    weights = {"test2": "10w", "test1": "5w", "default": "10w", "parent": "20w", "auto": "5w", "parent.inner": "1w"}
    found = guarantees(names | {f"root.{path}.capacity": text for path, text in weights.items()}, mb(1_228_800, 1_200))
    assert (found["test2"], found["test1"], found["parent.inner"]) == (mb(245_760, 240), mb(122_880, 120), mb(491_520, 480))


def test_lost_nodes_take_from_resources_in_proportion() -> None:
    names = {"root.queues": "a,b", "root.a.capacity": "[memory=6000,vcores=6]", "root.b.capacity": "[memory=2000,vcores=2]"}
    assert guarantees(names, mb(8_000, 80)) == {"a": mb(6_000, 6), "b": mb(2_000, 2)}
    assert guarantees(names, mb(4_000, 80)) == {"a": mb(3_000, 6), "b": mb(1_000, 2)}


def test_a_ceiling_is_a_part_of_the_parents_and_partitions_stand_apart() -> None:
    names = {
        "root.queues": "a,b",
        "root.a.queues": "x",
        "root.a.capacity": "40",
        "root.b.capacity": "60",
        "root.a.maximum-capacity": "50",
        "root.a.x.capacity": "100",
        "root.a.x.maximum-capacity": "50",
        "root.accessible-node-labels.gpu.capacity": "100",
        "root.a.accessible-node-labels.gpu.capacity": "100",
    }
    tree = resolved(tree_of(prefixed(names)), {"": mb(1_000, 100), "gpu": mb(64, 8)})
    assert tree.by_path["root.a.x"].share().ceiling == mb(250, 25)
    assert (tree.by_path["root.a"].share("gpu").guaranteed, tree.by_path["root.a"].share().absolute_capacity) == (mb(64, 8), 40.0)


def test_an_empty_cluster_guarantees_nothing() -> None:
    tree = resolved(tree_of(properties(a="100")), {"": mb(0, 0)})
    assert tree.by_path["root.a"].share().absolute_capacity == 0.0


@settings(max_examples=40)
@given(trees())
def test_children_never_have_more_than_their_parent_nor_more_than_their_ceiling(tree: QueueTree) -> None:
    totals = dict.fromkeys(tree.partitions, CLUSTER)
    found = resolved(tree, totals)
    assert resolved(found, totals) == found
    for parent in found.parents():
        for share in parent.shares:
            children = [each for child in found.children(parent.path) if (each := child.share(share.partition)) is not None]
            assert sum(child.guaranteed.memory_mb for child in children) <= share.guaranteed.memory_mb
            assert all(child.guaranteed.vcores <= child.ceiling.vcores <= share.ceiling.vcores for child in children)


@settings(max_examples=40)
@given(trees(), st.randoms(use_true_random=False))
def test_a_queue_by_itself_comes_to_what_it_does_in_its_tree(tree: QueueTree, dice: random.Random) -> None:
    totals = {partition: CLUSTER for partition in tree.partitions if dice.random() < 0.7}
    whole, each = resolved(tree, totals), Resolved(tree, totals)
    for queue in dice.sample(whole.queues, len(whole.queues)):
        assert Resolved(tree, totals).at(queue.path) == queue
        assert each.at(queue.path) == queue
    assert each.at("root.nobody.knows") is None
