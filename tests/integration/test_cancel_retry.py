"""Cancel and retry as a caller sees them, with real workers behind the real service."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from shared.domain.jobs import JobState
from shared.fleet.lanes import Lanes
from shared.fleet.runstate import RunState
from tests.api.bodies import a_body
from tests.api.scene import MakeApp
from tests.factories import MONDAY, a_load
from tests.integration.fleet import Fleet
from tests.polling import eventually

QUEUES = {"root.adhoc", "root.etl"}
SLOW = {"model": "prophet", "hyperparameters": {"prophet": {"changepoint_prior_scale": [step / 100 for step in range(1, 31)]}}}
QUICK = {"model": "hour_mean"}


@pytest.fixture
def caller(fleet: Fleet, make_app: MakeApp) -> FlaskClient:
    """Somebody who speaks to the service."""
    return make_app(fleet.settings).test_client()


def submit(caller: FlaskClient, **changes: Any) -> str:
    """Start a job over the fleet's files; returns its path."""
    answer = caller.post("/v1/jobs", json=a_body() | {"as_of": MONDAY.isoformat()} | changes)
    assert answer.status_code == 202, answer.json
    return str(answer.headers["Location"])


def ended(caller: FlaskClient, path: str) -> Any:
    """The job, when it has ended."""

    def look() -> Any:
        job = caller.get(path).json
        return job if JobState(job["state"]).is_terminal else None

    return eventually(look, within=200, what=f"the end of {path}")


def computed_at(fleet: Fleet) -> dict[str, datetime]:
    """Queue → when its forecast was computed; each queue has one."""
    forecasts = fleet.store.forecasts.find()
    found = {forecast.queue: forecast.created_at for forecast in forecasts}
    assert len(found) == len(forecasts)
    return found


def keys_of(job_id: str, run_state: RunState) -> list[bytes]:
    return [key for key in run_state.client.keys("*") if job_id.encode() in key]


def is_quiet(fleet: Fleet) -> bool:
    """Whether no message waits and none is being worked on."""
    view = Lanes.open(fleet.settings).look()
    return not view.waiting and not view.held


def test_a_job_that_is_cancelled_stops_and_leaves_nothing_and_can_be_tried_again(
    fleet: Fleet, caller: FlaskClient, run_state: RunState
) -> None:
    fleet.worker()
    path = submit(caller, **SLOW)
    job_id = path.rpartition("/")[2]
    eventually(lambda: caller.get(path).json["progress"]["candidates"]["done"] >= 2, what="candidates with an outcome")
    answer = caller.post(f"{path}/cancel")
    assert (answer.status_code, answer.json["state"], answer.json["reason"]) == (202, "cancelled", "cancelled on request")
    done = answer.json["progress"]["candidates"]
    assert 2 <= done["done"] < done["total"]
    assert {(queue["state"], queue["reason"]) for queue in answer.json["queues"]} == {("failed", "cancelled on request")}
    eventually(lambda: is_quiet(fleet), what="empty lanes")
    eventually(lambda: not keys_of(job_id, run_state), what="the end of its run state")
    assert fleet.store.forecasts.find() == []
    assert caller.get(path).json["state"] == "cancelled"
    assert caller.get(path).json["progress"]["candidates"] == done  # no score began, none is counted
    assert caller.post(f"{path}/retry").status_code == 202
    eventually(lambda: run_state.running_queues(job_id), what="the next run")
    assert caller.post(f"{path}/cancel").status_code == 202
    eventually(lambda: is_quiet(fleet), what="empty lanes")
    eventually(lambda: not keys_of(job_id, run_state), what="the end of its run state")


def test_a_cancelled_job_succeeds_when_it_is_tried_again_at_once(fleet: Fleet, caller: FlaskClient, run_state: RunState) -> None:
    fleet.worker()
    path = submit(caller, model="prophet")
    job_id = path.rpartition("/")[2]
    eventually(lambda: run_state.running_queues(job_id), what="queues that run")
    assert caller.post(f"{path}/cancel").status_code == 202
    assert caller.post(f"{path}/retry").status_code == 202  # its tasks are still at work
    job = ended(caller, path)
    assert (job["state"], job["reason"]) == ("succeeded", None)
    assert computed_at(fleet).keys() == QUEUES
    eventually(lambda: not keys_of(job_id, run_state), what="the end of its run state")


def test_a_retry_of_a_partial_job_computes_what_is_missing_and_nothing_else(
    fleet: Fleet, caller: FlaskClient, run_state: RunState
) -> None:
    assert fleet.settings.files_dir is not None
    broken = fleet.settings.files_dir / "root.late.csv"
    broken.write_text("timestamp,used_capacity\nyesterday,1\n")
    fleet.worker()
    path = submit(caller, **QUICK)
    first = ended(caller, path)
    assert (first["state"], "root.late" in first["reason"]) == ("partial", True)
    before = computed_at(fleet)
    a_load(seed=9).rename_axis("timestamp").to_csv(broken)
    answer = caller.post(f"{path}/retry")
    assert (answer.status_code, answer.json["state"], answer.json["reason"]) == (202, "queued", None)
    job = ended(caller, path)
    assert (job["state"], job["reason"], job["issued_at"]) == ("succeeded", None, first["issued_at"])
    after = computed_at(fleet)
    assert after.keys() == QUEUES | {"root.late"}
    assert {queue: after[queue] for queue in QUEUES} == before
    assert job["progress"]["queues"] == {"total": 3, "done": 3, "failed": 0}
    assert caller.post(f"{path}/retry", json={"queues": ["root.late"]}).status_code == 202
    job = ended(caller, path)
    assert (job["state"], job["progress"]["queues"]) == ("succeeded", {"total": 3, "done": 3, "failed": 0})
    again = computed_at(fleet)
    assert [queue for queue in again if again[queue] > after[queue]] == ["root.late"]
    eventually(lambda: not keys_of(job["job_id"], run_state), what="the end of its run state")


def test_a_retry_of_all_computes_every_queue_again_under_the_same_issue_time(fleet: Fleet, caller: FlaskClient) -> None:
    fleet.worker()
    path = submit(caller, **QUICK)
    first = ended(caller, path)
    assert caller.post(f"{path}/retry").status_code == 409
    before = computed_at(fleet)
    assert caller.post(f"{path}/retry", json={"queues": "all"}).status_code == 202
    job = ended(caller, path)
    assert (job["state"], job["issued_at"]) == ("succeeded", first["issued_at"])
    assert job["deadline_at"] > first["deadline_at"]
    after = computed_at(fleet)
    assert after.keys() == before.keys() == QUEUES
    assert all(after[queue] > before[queue] for queue in QUEUES)
