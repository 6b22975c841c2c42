"""One job from its message to its forecasts, on real workers, with what may happen to them on the way."""

from __future__ import annotations

import json
import signal
from contextlib import suppress
from typing import Any

import psutil

from shared.fleet.lanes import Lanes
from shared.fleet.runstate import RunState
from shared.jobs import JobState
from tests.integration.fleet import Fleet
from tests.polling import eventually

QUEUES = {"root.adhoc", "root.etl"}


def delivered(fleet: Fleet) -> dict[str, int]:
    """Queue → number of forecast steps in the store."""
    return {forecast.queue: forecast.horizon_steps for forecast in fleet.store.forecasts.find()}


def test_a_job_with_light_and_heavy_models_succeeds_and_leaves_nothing_behind(fleet: Fleet, run_state: RunState) -> None:
    fleet.worker()
    job = fleet.ended(fleet.submit(model=("prophet", "lstm", "seasonal_naive")))
    assert (job.state, job.reason) == (JobState.SUCCEEDED, None)
    assert delivered(fleet) == dict.fromkeys(QUEUES, 24)
    report = fleet.store.reports.get(job.job_id, "root.etl")
    assert {outcome.candidate.model for outcome in report.outcomes} >= {"prophet", "lstm", "seasonal_naive"}
    eventually(lambda: not run_state.client.keys(f"*{job.job_id}*"), within=10, what="the end of its run state")
    eventually(lambda: not Lanes.open(fleet.settings).look().waiting, within=10, what="empty lanes")


def test_every_line_about_a_job_names_it_and_the_request_that_began_it(fleet: Fleet) -> None:
    fleet.worker()
    job = fleet.ended(fleet.submit(model=("hour_mean",), queues=("root.etl", "root.none")))
    log = fleet.settings.data_dir / "fleet.log"

    def look() -> list[dict[str, Any]] | None:
        lines = [json.loads(line) for line in log.read_text().splitlines(keepends=True) if line[0] == "{" and line[-1] == "\n"]
        ours = [line for line in lines if job.job_id in json.dumps(line) and line["logger"].startswith(("worker.", "shared."))]
        return ours if {"job planned", "queue failed", "job ended"} <= {line["event"] for line in ours} else None

    ours = eventually(look, within=10, what="the lines of the job")
    assert {(line.get("job_id"), line.get("request_id")) for line in ours} == {(job.job_id, "request-7")}


def test_a_job_survives_the_death_of_children_and_of_a_whole_worker(fleet: Fleet) -> None:
    worker = fleet.worker("first")
    fleet.start("reap")
    job_id = fleet.submit(model=("prophet",))
    eventually(lambda: fleet.run_state.running_queues(job_id), within=30, what="queues that run")
    main, *pool = fleet.children(worker)
    pool[0].send_signal(signal.SIGKILL)
    eventually(lambda: Lanes.open(fleet.settings).look().held, within=30, what="work")
    for process in (main, *main.children()):
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    worker.wait(30)
    fleet.worker("second")
    assert fleet.ended(job_id, within=120).state is JobState.SUCCEEDED
    assert delivered(fleet) == dict.fromkeys(QUEUES, 24)


def test_a_message_that_is_lost_is_sent_again(fleet: Fleet) -> None:
    job_id = fleet.submit(model=("hour_mean",))
    Lanes.open(fleet.settings)  # nobody has taken the message yet
    assert fleet.run_state.client.execute_command("SELECT", "0")
    fleet.run_state.client.delete("plan")
    fleet.run_state.client.execute_command("SELECT", "2")
    fleet.start("reap")
    fleet.worker()
    assert fleet.ended(job_id).state is JobState.SUCCEEDED


def test_a_queue_without_data_fails_with_its_reason_and_the_other_goes_on(fleet: Fleet) -> None:
    assert fleet.settings.files_dir is not None
    (fleet.settings.files_dir / "root.empty.csv").write_text("timestamp,used_capacity\n")
    fleet.worker()
    job = fleet.ended(fleet.submit(model=("hour_mean",)))
    assert job.state is JobState.PARTIAL
    assert "root.empty" in (job.reason or "")
    assert set(delivered(fleet)) == QUEUES


def test_a_worker_told_to_stop_ends_without_leaving_a_process(fleet: Fleet) -> None:
    worker = fleet.worker()
    processes = fleet.children(worker)
    worker.terminate()
    assert worker.wait(60) == 0
    eventually(lambda: not any(process.is_running() for process in processes), within=10, what="the end of the pool")
