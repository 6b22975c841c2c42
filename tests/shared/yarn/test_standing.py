"""How far a cluster shows what a plan wants, by its configuration and by its tree."""

from __future__ import annotations

from dataclasses import replace

from shared.domain.property_change import PropertyChange
from shared.yarn.configuration import tree_of
from shared.yarn.standing import in_configuration, in_tree
from tests.shared.yarn.trees import prefixed, properties

ETL = PropertyChange(queue="root.etl", key="capacity", before="60", after="55.5")
MAXIMUM = PropertyChange(queue="root.etl", key="maximum-capacity", before="", after="90")
GPU = PropertyChange(
    queue="root.etl", key="accessible-node-labels.gpu.capacity", before="[memory=1,vcores=1]", after="[memory=2,vcores=1]"
)
BEFORE = properties(etl="60", bi="40")


def test_the_same_is_read_from_the_configuration_and_from_the_tree() -> None:
    for more, made, unmade in (
        ({}, False, True),
        ({"root.etl.capacity": "55.50", "root.etl.maximum-capacity": "90.0"}, True, False),
        ({"root.etl.capacity": "55.5", "root.etl.maximum-capacity": "100"}, False, False),
        ({"root.etl.capacity": "70"}, False, False),
    ):
        now = BEFORE | prefixed(more)
        for standing in (in_configuration([ETL, MAXIMUM], now), in_tree([ETL, MAXIMUM], tree_of(now))):
            assert (standing.is_made, standing.is_unmade) == (made, unmade), more


def test_what_is_missing_and_what_is_strange_is_told() -> None:
    standing = in_configuration([ETL, MAXIMUM], BEFORE | prefixed({"root.etl.capacity": "70"}))
    assert standing.missing == "root.etl has maximum-capacity none, not 90; root.etl has capacity 70, not 55.5"
    assert standing.strange == "root.etl has capacity 70"
    assert in_configuration([], BEFORE).missing == ""


def test_the_noise_of_single_precision_is_no_difference() -> None:
    tree = tree_of(BEFORE)
    share = tree.by_path["root.etl"].shares[0]
    noisy = replace(share, capacity=replace(share.capacity, percent=55.500004))
    queues = tuple(replace(each, shares=(noisy,)) if each.path == "root.etl" else each for each in tree.queues)
    assert in_tree([ETL], replace(tree, queues=queues)).is_made


def test_resources_are_compared_one_by_one_and_a_queue_that_is_gone_has_none() -> None:
    labels = {"root.accessible-node-labels": "gpu", "root.etl.accessible-node-labels": "gpu"}
    now = BEFORE | prefixed(labels | {"root.etl.accessible-node-labels.gpu.capacity": "[vcores=1,memory=2]"})
    assert in_configuration([GPU], now).is_made
    tree = tree_of(BEFORE)
    assert in_tree([ETL], replace(tree, queues=tree.queues[:1])).strange == "root.etl has capacity (gone)"
