"""A real fleet as Prometheus sees it: the API of what waits, worker and reaper of what they have done."""

from __future__ import annotations

from urllib.request import urlopen

from flask.testing import FlaskClient

from api.edge.context import EXTENSION
from tests.api.bodies import a_body
from tests.api.scene import MakeApp
from tests.factories import MONDAY
from tests.integration.fleet import Fleet
from tests.polling import eventually
from tests.scraping import sample
from tests.servers import free_port
from worker.reaper.recovery import ActionKind

OUTCOME = {"model": "hour_mean", "outcome": "scored"}


def scrape(port: int) -> str:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        text: str = answer.read().decode()
    return text


def depth_of_plan(client: FlaskClient) -> float | None:
    return sample(client.get("/metrics").text, "queuecast_lane_depth", lane="plan")


def test_a_job_is_seen_waiting_lost_treated_scored_and_ended(fleet: Fleet, make_app: MakeApp) -> None:
    app = make_app(fleet.settings)
    services, client = app.extensions[EXTENSION], app.test_client()
    job_id = fleet.submit(model=("hour_mean",))
    assert depth_of_plan(client) == 1
    services.lanes._client.delete("plan")  # the message is lost
    assert depth_of_plan(client) == 0
    of_reaper, of_worker = free_port(), free_port()
    fleet.start("reap", "--metrics-port", str(of_reaper))
    eventually(lambda: depth_of_plan(client), what="the message that the reaper sends")
    assert (sample(scrape(of_reaper), "queuecast_reaps_total", what=ActionKind.SEND_PLAN.value) or 0) >= 1

    fleet.start("work", "--name", "seen", "--concurrency", "2", "--metrics-port", str(of_worker))
    fleet.ended(job_id)
    eventually(lambda: sample(scrape(of_worker), "queuecast_jobs_total", state="succeeded") == 1, what="the job's count")
    text = scrape(of_worker)
    assert sample(text, "queuecast_candidates_total", **OUTCOME) == 2
    assert sample(text, "queuecast_candidate_seconds_count", model="hour_mean") == 2
    assert sample(text, "queuecast_source_seconds_count", kind="files") == 1  # both queues of the job at once
    assert sample(text, "queuecast_sink_rows_total", kind="files") == 48
    of_queue = {"project": "capacity forecasting", "cluster": "files:", "queue": "root.etl", "metric": "used_capacity"}
    shown = sample(client.get("/metrics").text, "queuecast_queue_mape", **of_queue, job="Resource Forecasting")
    assert [shown] == [forecast.mape for forecast in fleet.store.forecasts.find("root.etl")]


def test_children_that_are_replaced_leave_what_they_counted_and_no_files(fleet: Fleet, make_app: MakeApp) -> None:
    port = free_port()
    worker = fleet.start("work", "--name", "renewed", "--concurrency", "1", "--metrics-port", str(port))
    job_id = fleet.submit(model=("hour_mean",))
    fleet.ended(job_id)
    files = {path.name for path in (fleet.settings.data_dir / "metrics" / "work-renewed").iterdir()}
    main, child = fleet.children(worker)
    child.kill()
    eventually(lambda: [new for new in main.children() if new.pid != child.pid], what="the next child")

    answer = (
        make_app(fleet.settings)
        .test_client()
        .post("/v1/jobs", json=a_body("model", ["hour_mean"]) | {"as_of": MONDAY.isoformat()})
    )
    fleet.ended(answer.json["job_id"])
    assert sample(scrape(port), "queuecast_candidates_total", **OUTCOME) == 4
    assert {path.name for path in (fleet.settings.data_dir / "metrics" / "work-renewed").iterdir()} == files
