"""What a ResourceManager counts: read as it is written, and of queues alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import YarnUnreadable
from shared.yarn.jmx import BEANS, QueueMetrics, queue_metrics_answer, read_queue_metrics
from tests.shared.yarn.trees import as_bytes

counts = st.none() | st.integers(0, 2**30)
metrics = st.builds(
    QueueMetrics,
    first_containers=counts,
    first_container_ms=st.none() | st.integers(0, 2**20).map(float),
    containers_preempted=counts,
    am_used_mb=counts,
    am_limit_mb=counts,
)
paths = st.lists(st.from_regex(r"[a-z0-9_-]{1,8}", fullmatch=True), max_size=12).map(lambda names: ".".join(["root", *names]))


@given(st.dictionaries(paths, metrics, max_size=5))
def test_what_is_written_is_read(queues: dict[str, QueueMetrics]) -> None:
    assert read_queue_metrics(as_bytes(queue_metrics_answer(queues))) == queues


def test_users_other_beans_and_what_is_no_number_are_passed_over() -> None:
    names = [
        f"{BEANS},q0=root,q1=etl,user=ada",
        "Hadoop:service=ResourceManager,name=ClusterMetrics",
        "",
        f"{BEANS},q1=etl",
        BEANS,
    ]
    beans = [{"name": name, "AMResourceLimitMB": 1} for name in names]
    odd = {"name": f"{BEANS},q1=etl,q0=root", "AppAttemptFirstContainerAllocationDelayAvgTime": "NaN", "AMResourceLimitMB": -1}
    assert read_queue_metrics(as_bytes({"beans": [*beans, odd]})) == {"root.etl": QueueMetrics()}


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b'{"beans": 5}', b'{"beans": [5]}', b"<html>"])
def test_what_is_no_answer_is_refused(answer: bytes) -> None:
    with pytest.raises(YarnUnreadable):
        read_queue_metrics(answer)
