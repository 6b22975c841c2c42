"""What Flower remembers: failed candidates stay while thousands succeed after them, and little of those."""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterator
from itertools import count

import flower.options  # noqa: F401 - which the state's metrics look up
import pytest

from worker.flower.state import KEPT, SILENT_SECONDS, RememberedState


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> RememberedState:
    monkeypatch.setattr(RememberedState, "kept_well", 20)
    return RememberedState(max_tasks_in_memory=KEPT)


clocks: Iterator[int] = count(1)


def tell(state: RememberedState, uuid: str, *kinds: str, **about: str) -> None:
    """Events of one task, in this order."""
    for kind in kinds:
        now = {"hostname": "worker@here", "timestamp": time.time(), "local_received": time.time(), "clock": next(clocks)}
        state.event({"type": f"task-{kind}", "uuid": uuid, "name": "queuecast.score", **now, **about})


def test_a_failed_candidate_is_found_after_thousands_that_went_well(state: RememberedState) -> None:
    tell(state, "failed", "received", "failed", args="root.etl prophet", kwargs="job-1")
    tell(state, "running", "received", "started", args="root.adhoc theta", kwargs="job-1")
    for number in range(2_000):
        tell(state, f"well-{number}", "received", "started", "succeeded", kwargs="job-1", parent_id=f"well-{number - 1}")
    assert len(state.tasks) == 22
    assert state.search_engine.search(state.tasks, "prophet", state="FAILURE").task_ids == ["failed"]
    assert state.search_engine.search(state.tasks, "job-1").filtered_count == 22
    assert "well-1999" in state.tasks
    assert len(state._tasks_to_resolve) == 0


def online(state: RememberedState, pid: int, processed: int = 0, kind: str = "online", host: str = "worker@here") -> None:
    now = {"timestamp": time.time(), "local_received": time.time(), "clock": next(clocks)}
    state.event({"type": f"worker-{kind}", "hostname": host, "pid": pid, "processed": processed, "freq": 2.0, **now})


def test_a_task_that_the_reaper_sends_again_has_failed(state: RememberedState) -> None:
    tell(state, "lost", "received", "started", args="root.etl theta")
    tell(state, "unseen by its worker", "sent")
    tell(state, "well", "received", "started", "succeeded")
    heartbeats = len(state.workers["worker@here"].heartbeats)
    for uuid in ("lost", "unseen by its worker", "well", "never seen"):
        tell(state, uuid, "lost", hostname="reaper@here", exception="lost, most likely with its worker")
    task = state.tasks["lost"]
    assert (task.state, task.exception, task.worker.hostname) == ("FAILURE", "lost, most likely with its worker", "worker@here")
    assert state.tasks["unseen by its worker"].state == "FAILURE"
    assert (state.tasks["well"].state, "never seen" in state.tasks) == ("SUCCESS", False)
    assert list(state.workers) == ["worker@here"]
    assert len(state.workers["worker@here"].heartbeats) == heartbeats  # nobody has heard of it
    assert "lost" in state.search_engine.search(state.tasks, "theta", state="FAILURE").task_ids
    tell(state, "lost", "succeeded")  # it was only slow
    assert task.state == "SUCCESS"


@pytest.mark.parametrize(
    ("pid", "processed", "then"),
    [(2, 0, "FAILURE"), (1, 0, "FAILURE"), (1, 7, "STARTED")],
    ids=["another process", "another in its container", "it was only away"],
)
def test_what_a_killed_worker_had_has_failed_when_its_successor_begins(
    state: RememberedState, pid: int, processed: int, then: str
) -> None:
    online(state, 1)
    online(state, 1, 7, "heartbeat")
    online(state, 3, host="other@here")
    tell(state, "held", "received", "started")
    tell(state, "of another", "received", "started", hostname="other@here")
    online(state, pid, processed)
    assert (state.tasks["held"].state, state.tasks["of another"].state) == (then, "STARTED")


def test_what_a_worker_had_that_says_nothing_any_more_has_failed(state: RememberedState, monkeypatch: pytest.MonkeyPatch) -> None:
    online(state, 1)
    tell(state, "held", "received", "started")
    later = time.time() + SILENT_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: later)
    online(state, 3, host="other@here")
    assert state.tasks["held"].state == "FAILURE"


def test_what_is_remembered_outlives_a_restart(state: RememberedState, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(30):
        tell(state, f"well-{number}", "received", "succeeded")
    tell(state, "failed", "received", "failed")
    kept = pickle.dumps(state)
    monkeypatch.setattr(RememberedState, "kept_well", 5)
    again = pickle.loads(kept)  # noqa: S301 - our own
    assert sorted(again.tasks) == ["failed", *(f"well-{number}" for number in range(25, 30))]
    tell(again, "well-30", "received", "succeeded")
    assert "well-25" not in again.tasks


def test_a_task_that_has_begun_again_is_not_forgotten(state: RememberedState) -> None:
    tell(state, "twice", "received", "succeeded")
    tell(state, "twice", "retried")
    for number in range(30):
        tell(state, f"well-{number}", "received", "succeeded")
    assert "twice" in state.tasks
