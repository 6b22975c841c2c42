"""Queues that are too new, on real workers: they wait for their parent, and are woken when it has its forecast."""

from __future__ import annotations

import json

from shared.domain.forecasts import FROM_PARENT
from shared.domain.jobs import JobState
from tests.factories import a_load
from tests.integration.fleet import Fleet


def test_new_queues_are_forecast_from_their_parent_and_nobody_takes_them_for_lost(fleet: Fleet) -> None:
    assert fleet.settings.files_dir is not None
    new = [f"root.etl.new{number}" for number in range(6)]
    for name in new:
        (a_load() / 5).iloc[-2:].rename_axis("timestamp").to_csv(fleet.settings.files_dir / f"{name}.csv")
    fleet.worker()
    fleet.start("reap")
    job = fleet.ended(fleet.submit(model=("prophet", "hour_mean")))
    assert (job.state, job.progress.queues.failed) == (JobState.SUCCEEDED, 0)
    models = {forecast.queue: forecast.model for forecast in fleet.store.forecasts.find()}
    assert {name: models[name] for name in new} == dict.fromkeys(new, FROM_PARENT)
    assert models["root.etl"] != FROM_PARENT
    lines = (fleet.settings.data_dir / "fleet.log").read_text().splitlines()
    events = [json.loads(line)["event"] for line in lines if line.startswith("{") and job.job_id in line]
    assert not [event for event in events if "lost" in event]
