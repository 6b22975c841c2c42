"""A whole job over a metric of a Prometheus, from the body of its request to its forecasts."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest

from api.schema.requests import JobBody
from shared.config.settings import Settings
from shared.domain.jobs import JobState
from shared.errors import UnreadableData
from shared.fleet.runstate import RunState
from tests.api.bodies import a_body
from tests.factories import MONDAY, a_job, a_load, let_in
from tests.metrics_server import MetricsServer, samples_of
from worker.job import steps
from worker.job.blocks import read_block
from worker.job.resources import Resources, use

LOADS = {queue: a_load(seed=seed) for seed, queue in enumerate(("root.adhoc", "root.etl"))}


def usage() -> pd.DataFrame:
    """Two queues of 14 days, and one that two exporters tell different things of."""
    frames = [pd.DataFrame({"queue": queue, "timestamp": load.index, "used": load.to_numpy()}) for queue, load in LOADS.items()]
    both = [frames[0].assign(queue="root.both", instance=f"rm{number}", used=frames[0].used * number) for number in (1, 2)]
    return pd.concat([*(frame.assign(instance="rm1") for frame in frames), *both], ignore_index=True)


def test_a_job_forecasts_the_queues_of_a_metric_and_says_which_it_cannot_read(
    settings: Settings, run_state: RunState, metrics_server: MetricsServer
) -> None:
    metric = metrics_server.store(samples_of(usage()), "queue_used_mb")
    body = a_body("data.source", {"name": "monitoring", "metric": metric}) | {
        "target": metric,
        "as_of": MONDAY.isoformat(),
        "model": "hour_mean",
    }
    request = JobBody.model_validate(body).to_request()
    connections = {"monitoring": metrics_server.connection(readable=["queue_*"])}
    with use(Resources(settings.model_copy(update={"connections": connections}))) as here:
        job = here.store.jobs.add(a_job(request=request, created_at=datetime.now(UTC)))
        run_state.begin_job(job.job_id, job.deadline_at)
        steps.plan(job.job_id)
        assert let_in(run_state, job.job_id) == ["root.adhoc", "root.both", "root.etl"]
        assert read_block(job.job_id, 0) == ["root.adhoc", "root.both", "root.etl"]
        with pytest.raises(UnreadableData, match=r"differ in 'instance' \(rm1, rm2\)") as error:
            steps.ingest(job.job_id, "root.both")
        here.lifecycle.fail_queue(job.job_id, "root.both", str(error.value))
        for queue in LOADS:
            work = steps.ingest(job.job_id, queue)
            assert work is not None
            steps.score(job.job_id, queue, range(len(work.candidates)))
            steps.select(job.job_id, queue, is_heavy=True)
        here.lifecycle.finish(job.job_id, datetime.now(UTC))
        assert here.store.jobs.get(job.job_id).state is JobState.PARTIAL
        for queue, load in LOADS.items():
            [forecast] = here.store.forecasts.newest_of_each(queue, metric=metric)
            assert (forecast.metric, len(forecast.prediction)) == (metric, 24)
            assert min(load) <= min(forecast.prediction) <= max(forecast.prediction) <= max(load)
        here.store.close()
