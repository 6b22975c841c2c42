"""The configuration as a tree, from an answer or a file, and a tree as a configuration."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from shared.domain.capacities import Capacity, Mode
from shared.domain.queue_tree import Calculator, Creation, QueueTree, State
from shared.errors import YarnUnreadable
from shared.yarn.answers import configuration_answer, properties_of, scheduler_answer
from shared.yarn.configuration import tree_of, with_configuration
from shared.yarn.reading import read_tree
from shared.yarn.scheduler_conf import read_configuration
from tests.shared.yarn.trees import as_bytes, mb, prefixed, properties, trees


@settings(max_examples=40)
@given(trees())
def test_a_tree_comes_back_from_its_configuration(tree: QueueTree) -> None:
    found = tree_of(read_configuration(as_bytes(configuration_answer(properties_of(tree)))))
    assert [(queue.path, queue.is_leaf) for queue in found.queues] == [(queue.path, queue.is_leaf) for queue in tree.queues]
    for queue, other in zip(found.queues, tree.queues, strict=True):
        for share in other.shares:
            twin = queue.share(share.partition)
            assert (twin.capacity, twin.maximum) == (share.capacity, share.maximum)


def test_what_a_configuration_says_of_a_queue_is_read() -> None:
    names = {
        "root.queues": "etl, bi ,",
        "root.etl.queues": "daily",
        "root.etl.capacity": "60",
        "root.etl.disable_preemption": "true",
        "root.etl.state": "stopped",
        "root.etl.daily.capacity": "100",
        "root.etl.daily.maximum-capacity": "-1",
        "root.etl.daily.max-parallel-apps": "7",
        "root.etl.daily.user-limit-factor": "-1",
        "root.etl.daily.accessible-node-labels.gpu.capacity": "25",
        "root.bi.capacity": "40",
        "root.bi.auto-create-child-queue.enabled": "true",
        "root.bi.leaf-queue-template.capacity": "10",
        "max-parallel-apps": "90",
        "resource-calculator": "org.apache.hadoop.yarn.util.resource.DominantResourceCalculator",
    }
    tree = tree_of(prefixed(names))
    etl, daily, bi = tree.queues[1:]
    assert (etl.state, etl.preemption_disabled, etl.max_parallel_apps) == (State.STOPPED, True, 90)
    assert (daily.preemption_disabled, daily.max_parallel_apps, daily.user_limit_factor) == (True, 7, None)
    assert (daily.share().maximum, daily.share("gpu").capacity) == (Capacity.of_percent(100.0), Capacity.of_percent(25.0))
    assert (bi.creation, bi.leaf_template, bi.is_leaf) == (Creation.LEGACY, "10", False)
    assert (tree.is_legacy, tree.calculator, tree.root.share().capacity.percent) == (True, Calculator.DOMINANT, 100.0)


def test_what_runs_is_told_with_what_is_configured_to_the_last_digit() -> None:
    configured = properties(etl="33.33333333", bi="66.66666667") | prefixed({"root.etl.allow-zero-capacity-sum": "true"})
    tree = read_tree(as_bytes(scheduler_answer(tree_of(properties(etl="33.33333", bi="66.66667")))))
    found = with_configuration(tree, configured)
    assert [queue.share().capacity.percent for queue in found.queues] == [100.0, 33.33333333, 66.66666667]
    assert (found.by_path["root.etl"].allows_zero_sum, found.is_legacy, found.calculator) == (True, True, Calculator.MEMORY)
    other_mode = with_configuration(tree, properties(etl="1w", bi="2w"))  # which a refresh has not taken up yet
    assert [queue.share().mode for queue in other_mode.queues] == [Mode.PERCENTAGE] * 3


def test_the_answer_is_read_in_json_and_xml_with_its_root_and_without() -> None:
    inner = configuration_answer(properties(etl="[memory=1024,vcores=1]"))
    entries = "".join(
        f"<property><name>{each['name']}</name><value>{each['value']}</value></property>" for each in inner["property"]
    )
    answers = [as_bytes(inner), as_bytes({"configuration": inner}), f"<configuration>{entries}</configuration>".encode()]
    found = [tree_of(read_configuration(answer)) for answer in answers]
    assert [tree.by_path["root.etl"].share().capacity for tree in found] == [Capacity.of_resources(mb(1_024, 1))] * 3


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ({}, "no queue below root"),
        ({"root.queues": "a,a"}, "root.a is named twice"),
        ({"root.queues": "a", "root.a.capacity": "much"}, r"root\.a\.capacity: much is no capacity"),
        ({"root.queues": "a", "root.a.accessible-node-labels.x.capacity": "1 %"}, "-labels.x.*1 % is no capacity"),
        ({"root.queues": "a", "root.a.user-limit-factor": "inf"}, "user-limit-factor.* is inf; accepted are numbers"),
        ({"root.queues": "a.b"}, "lies below root"),
        ({"root.queues": "a\x00"}, "control character"),
        ({f"root{'.a' * level}.queues": "a" for level in range(70)}, "50 levels"),
    ],
)
def test_a_configuration_that_cannot_be_read_is_refused(names: dict[str, str], found: str) -> None:
    with pytest.raises(YarnUnreadable, match=found):
        tree_of(prefixed(names))


def test_an_answer_without_properties_is_refused() -> None:
    with pytest.raises(YarnUnreadable, match="it has RemoteException"):
        read_configuration(b'{"RemoteException": {"message": "User is not an admin"}}')
