"""One job from its message to its forecasts, on real workers, with what may happen to them on the way."""

from __future__ import annotations

import json
from typing import Any

from shared.domain.jobs import JobState
from shared.fleet.lanes import Lanes
from shared.fleet.runstate import RunState
from tests.integration.fleet import Fleet
from tests.polling import eventually

QUEUES = {"root.adhoc", "root.etl"}


def delivered(fleet: Fleet) -> dict[str, int]:
    """Queue → number of forecast steps in the store."""
    return {forecast.queue: forecast.horizon_steps for forecast in fleet.store.forecasts.find()}


def test_a_job_with_light_and_heavy_models_succeeds_and_leaves_nothing_behind(fleet: Fleet, run_state: RunState) -> None:
    worker = fleet.worker()
    job = fleet.ended(fleet.submit(model=("prophet", "lstm", "seasonal_naive")))
    assert (job.state, job.reason) == (JobState.SUCCEEDED, None)
    assert delivered(fleet) == dict.fromkeys(QUEUES, 24)
    report = fleet.store.reports.get(job.job_id, "root.etl")
    assert {outcome.candidate.model for outcome in report.outcomes} >= {"prophet", "lstm", "seasonal_naive"}
    eventually(lambda: not run_state.client.keys(f"*{job.job_id}*"), what="the end of its run state")
    eventually(lambda: not Lanes.open(fleet.settings).look().waiting, what="empty lanes")
    processes = fleet.children(worker)
    worker.terminate()
    assert worker.wait(60) == 0
    eventually(lambda: not any(process.is_running() for process in processes), what="the end of the pool")


def test_every_line_about_a_job_names_it_and_the_request_that_began_it(fleet: Fleet) -> None:
    fleet.worker()
    job = fleet.ended(fleet.submit(model=("hour_mean",), queues=("root.etl", "root.none")))
    log = fleet.settings.data_dir / "fleet.log"

    def look() -> list[dict[str, Any]] | None:
        lines = [json.loads(line) for line in log.read_text().splitlines(keepends=True) if line[0] == "{" and line[-1] == "\n"]
        ours = [line for line in lines if job.job_id in json.dumps(line) and line["logger"].startswith(("worker.", "shared."))]
        return ours if {"job planned", "queue failed", "job ended"} <= {line["event"] for line in ours} else None

    ours = eventually(look, what="the lines of the job")
    assert {(line.get("job_id"), line.get("request_id")) for line in ours} == {(job.job_id, "request-7")}
