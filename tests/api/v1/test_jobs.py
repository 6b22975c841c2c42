"""Jobs over HTTP: submitted, listed page by page, looked at while they run and when they have ended."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from api.edge.context import Services
from api.v1.paging import cursor_after
from shared.domain.jobs import JobFilter, JobState, QueueState
from shared.domain.runs import Run
from shared.errors import BrokerAway
from shared.fleet.runstate import RunState
from shared.lifecycle import NOT_BEGUN
from shared.store import Store
from tests.api.bodies import SAMPLE, a_body
from tests.api.scene import CARDS, PROPHET, a_report, running, waiting_in_the_plan_lane
from tests.factories import MONDAY, a_forecast, a_job, a_request, a_schedule, a_work


def submit(client: FlaskClient, body: dict[str, Any], **headers: str) -> Any:
    return client.post("/v1/jobs", json=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


class TestSubmitting:
    def test_the_sample_payload_becomes_a_job_that_somebody_will_plan(
        self, client: FlaskClient, store: Store, run_state: RunState
    ) -> None:
        answer = submit(client, SAMPLE)
        assert answer.status_code == 202
        job_id = answer.json["job_id"]
        assert answer.json["state"] == "queued"
        assert answer.json["links"] == {"self": f"/v1/jobs/{job_id}"}
        assert answer.headers["Location"] == f"/v1/jobs/{job_id}"
        [warning] = answer.json["warnings"]
        assert "120 steps for 72 ahead" in warning
        job = store.jobs.get(job_id)
        assert (job.request.model, job.request.user_name) == (("prophet",), "Bob")
        assert run_state.active() == {job_id}
        [message] = waiting_in_the_plan_lane(run_state)
        assert message["headers"]["task"] == "queuecast.plan"

    def test_ids_sort_by_time_and_cannot_be_guessed(self, client: FlaskClient) -> None:
        first, second = (submit(client, a_body()).json["job_id"] for _ in range(2))
        assert first[:15] <= second[:15]
        assert first[16:] != second[16:]

    def test_the_request_is_shown_as_it_was_understood(self, client: FlaskClient) -> None:
        path = submit(client, SAMPLE, X_Request_ID="call-7").headers["Location"]
        shown = client.get(path).json
        assert shown["request"]["aggregation_time_period"] == "1h"
        assert shown["request"]["data"]["source"]["document"] == "document_name"
        assert (shown["request_id"], shown["state"], shown["queues"]) == ("call-7", "queued", [])

    @pytest.mark.parametrize(
        ("field", "value", "kind", "message"),
        [
            ("interval", 2, "invalid-request", "0.99 or less"),
            ("data.source.name", "postgres", "unknown-connection", "known are"),
            ("data.destination.path", "x", "invalid-request", "nothing but name"),
            ("as_of", "2098-01-01T00:00:00Z", "invalid-request", "in the future"),
            ("model", "oracle", "unknown-model", "known are seasonal_naive, prophet"),
            ("hyperparameters", {"prophet": {"depth": [1]}}, "unknown-hyperparameter", "known are growth"),
            ("hyperparameters", {"prophet": {"growth": ["cubic"]}}, "invalid-request", "accepted are flat, linear"),
            ("max_candidates", 1, "too-many-candidates", "3 candidates"),
        ],
    )
    def test_what_cannot_be_done_is_refused_with_its_place_and_nothing_is_kept(  # noqa: PLR0917 - a table's columns
        self, services: Services, client: FlaskClient, field: str, value: Any, kind: str, message: str
    ) -> None:
        services.run_state.members.publish(CARDS)
        answer = submit(client, {"model": "prophet"} | a_body(field, value))
        assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
        [problem] = answer.json["errors"]
        assert (answer.json["type"], ".".join(problem["loc"])) == (f"urn:queuecast:{kind}", field)
        assert message in problem["msg"]
        assert services.store.jobs.find(JobFilter(), 10) == []
        assert services.run_state.active() == set()

    def test_an_unknown_field_is_answered_with_the_known_ones(self, client: FlaskClient) -> None:
        body = a_body("data.source.colection", "x") | {"agregation": "mean"}
        messages = {".".join(problem["loc"]): problem["msg"] for problem in submit(client, body).json["errors"]}
        assert messages.keys() == {"agregation", "data.source.colection"}
        assert "aggregation_time_period" in messages["agregation"]
        assert "known are name, collection, database" in messages["data.source.colection"]

    def test_without_a_catalogue_any_model_is_taken_for_the_worker_to_judge(self, client: FlaskClient) -> None:
        assert submit(client, a_body("model", "oracle")).status_code == 202

    def test_the_same_key_and_request_give_the_same_job(self, client: FlaskClient, store: Store, run_state: RunState) -> None:
        first = submit(client, a_body(), Idempotency_Key="k-1")
        assert first.json["warnings"] == []
        again = submit(client, dict(reversed(a_body().items())), Idempotency_Key="k-1")
        assert (again.status_code, again.json["job_id"]) == (202, first.json["job_id"])
        assert len(store.jobs.find(JobFilter(), 10)) == len(waiting_in_the_plan_lane(run_state)) == 1

    @pytest.mark.parametrize("key", ["k-1", "two words"])
    def test_the_key_of_another_request_and_one_that_is_none_are_refused(self, client: FlaskClient, key: str) -> None:
        submit(client, a_body(), Idempotency_Key="k-1")
        answer = submit(client, a_body("interval", 0.8), Idempotency_Key=key)
        assert (answer.status_code, answer.json["errors"][0]["loc"]) == (422, ["Idempotency-Key"])

    def test_a_stored_job_is_accepted_even_when_nobody_could_be_told(
        self, client: FlaskClient, store: Store, run_state: RunState, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Services, "enqueue", refuse)
        answer = submit(client, a_body())
        assert answer.status_code == 202
        assert run_state.active() == {answer.json["job_id"]}
        assert store.jobs.get(answer.json["job_id"]).state is JobState.QUEUED

    def test_a_job_that_cannot_begin_has_failed_and_says_why(
        self, client: FlaskClient, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(RunState, "begin_job", refuse)
        assert submit(client, a_body(), Idempotency_Key="k").status_code == 503
        [job] = store.jobs.find(JobFilter(), 9)
        assert (job.state, job.reason, job.idempotency_key) == (JobState.FAILED, NOT_BEGUN, None)  # its key makes a new job


def refuse(*_: object) -> None:
    raise BrokerAway("as told")


class TestListing:
    @pytest.fixture
    def many(self, store: Store) -> list[str]:
        """Ids of 25 jobs, newest first; each second has two of them."""
        times = [MONDAY + timedelta(seconds=number // 2) for number in range(25)]
        owners = ["ui", "scheduler"]
        for number, at in enumerate(times):
            store.jobs.add(a_job(job_id=f"job-{number:02}", created_at=at, request=a_request(owner=owners[number % 2])))
        return [f"job-{number:02}" for number in reversed(range(25))]

    def test_pages_hold_every_job_once_newest_first(self, client: FlaskClient, many: list[str]) -> None:
        pages, path = [], "/v1/jobs?limit=10"
        while path:
            page = client.get(path)
            pages.append([job["job_id"] for job in page.json["jobs"]])
            path = f"/v1/jobs?limit=10&cursor={page.json['next_cursor']}" if page.json["next_cursor"] else ""
        assert "Link" not in page.headers
        assert [len(page) for page in pages] == [10, 10, 5]
        assert [job_id for page in pages for job_id in page] == many

    def test_a_job_that_comes_in_between_moves_no_page(self, client: FlaskClient, store: Store, many: list[str]) -> None:
        first = client.get("/v1/jobs?limit=10").json
        store.jobs.add(a_job(job_id="late", created_at=MONDAY + timedelta(days=1)))
        second = client.get(f"/v1/jobs?limit=10&cursor={first['next_cursor']}").json
        assert [job["job_id"] for job in second["jobs"]] == many[10:20]

    def test_the_next_page_is_linked_with_its_filters(self, client: FlaskClient, many: list[str]) -> None:
        first = client.get("/v1/jobs?limit=5&owner=ui")
        link = first.headers["Link"]
        assert link.endswith('; rel="next"')
        second = client.get("/v1/jobs" + link[1 : link.index(">")])
        assert [job["job_id"] for job in second.json["jobs"]] == [many[number] for number in (10, 12, 14, 16, 18)]

    def test_a_cursor_that_was_changed_or_comes_from_another_service_is_malformed(
        self, client: FlaskClient, many: list[str]
    ) -> None:
        cursor = client.get("/v1/jobs?limit=5").json["next_cursor"]
        others = cursor_after((MONDAY, "job-1"), "the key of another service")
        for wrong in ("x", "eyJ.a.b", "WyIyMDI2Il0.forged", cursor[1:], cursor[:-1], cursor.swapcase(), others):
            answer = client.get(f"/v1/jobs?cursor={wrong}")
            assert (answer.status_code, answer.json["type"]) == (400, "urn:queuecast:malformed-request"), wrong

    @pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "limit=1&limit=2", "state=done", "ownr=ui", "from=x"])
    def test_a_query_that_is_not_known_is_refused(self, client: FlaskClient, query: str) -> None:
        answer = client.get(f"/v1/jobs?{query}")
        assert (answer.status_code, answer.json["errors"][0]["loc"][0]) == (422, query.partition("=")[0])

    def test_filters_are_those_of_the_store(self, client: FlaskClient, store: Store) -> None:
        request = a_request(owner="o", project="p", user_name="u")
        store.jobs.add(a_job(job_id="wanted", request=request))
        store.jobs.add(a_job(job_id="other"))
        store.jobs.move("wanted", {JobState.QUEUED}, JobState.FAILED, "because", MONDAY)
        store.reports.save(a_report(job_id="wanted"))
        for query in ("owner=o", "project=p", "user_name=u", "state=failed", "queue=root.etl", "model=prophet"):
            jobs = client.get(f"/v1/jobs?{query}").json["jobs"]
            assert [(job["job_id"], job["reason"]) for job in jobs] == [("wanted", "because")], query


class TestLookingAtOne:
    def test_it_names_the_schedule_that_made_it_as_long_as_that_is_there(self, client: FlaskClient, store: Store) -> None:
        store.schedules.add(a_schedule(name="nightly"))
        store.jobs.add(a_job(schedule_id="s-1", run=Run.ACTUALS))
        made = client.get("/v1/jobs/job-1").json
        assert (made["schedule_id"], made["schedule_name"], made["links"]["schedule"]) == ("s-1", "nightly", "/v1/schedules/s-1")
        [link] = re.findall(r'href="(/schedules#[^"]+)"[^<]*<bdi[^>]*>nightly', client.get("/jobs/job-1").text)
        assert f'id="{link.partition("#")[2]}"' in client.get("/schedules").text
        store.schedules.remove("s-1")
        orphan = client.get("/v1/jobs/job-1").json
        assert (orphan["schedule_id"], orphan["schedule_name"], "schedule" in orphan["links"]) == ("s-1", None, False)
        page = client.get("/jobs/job-1").text
        assert re.search(r"gone</span><span class=\"sub\">s-1", page)
        assert "Candidates" not in page  # nothing is scored

    def test_a_running_job_shows_its_queues_as_they_are_now(self, client: FlaskClient, store: Store, run_state: RunState) -> None:
        running(store, run_state, "root.a", "root.b")
        assert client.get("/v1/jobs").json["jobs"][0]["progress"]["candidates"]["total"] == 4
        run_state.end_queue("job-1", "root.a", "no usable value")
        shown = client.get("/v1/jobs/job-1").json
        assert shown["state"] == "running"
        assert shown["progress"]["queues"] == {"total": 2, "done": 1, "failed": 1}
        assert client.get("/v1/jobs").json["jobs"][0]["progress"] == shown["progress"]
        waiting = client.get("/v1/jobs/job-1/queues/root.b").json
        assert (waiting["state"], waiting["leaderboard"], waiting["forecast"]) == ("waiting", [], None)
        states = [(queue["queue"], queue["state"], queue["reason"]) for queue in shown["queues"]]
        assert states == [("root.a", "failed", "no usable value"), ("root.b", "waiting", None)]

    def test_a_job_that_has_ended_shows_its_winners(self, client: FlaskClient, store: Store, run_state: RunState) -> None:
        store.jobs.add(a_job())
        store.reports.save(a_report())
        store.jobs.move("job-1", {JobState.QUEUED}, JobState.SUCCEEDED, None, MONDAY)
        [queue] = client.get("/v1/jobs/job-1").json["queues"]
        assert queue["winner"] == {"model": "prophet", "hyperparameters": {"growth": "flat"}}
        assert client.get(queue["links"]["self"]).json["queue"] == "root.etl"

    def test_a_job_that_has_ended_has_no_running_queue(self, client: FlaskClient, store: Store, run_state: RunState) -> None:
        store.jobs.add(a_job())
        store.reports.save(a_report(state=QueueState.RUNNING))
        store.jobs.move("job-1", {JobState.QUEUED}, JobState.FAILED, "run state lost", MONDAY)
        [queue] = client.get("/v1/jobs/job-1").json["queues"]
        assert (queue["state"], queue["reason"]) == ("failed", "run state lost")

    def test_a_queue_shows_leaderboard_and_forecast(self, client: FlaskClient, store: Store) -> None:
        store.jobs.add(a_job())
        store.reports.save(a_report())
        store.forecasts.save(a_forecast())
        shown = client.get("/v1/jobs/job-1/queues/root.etl").json
        assert [(row["rank"], row["model"], row["kind"]) for row in shown["leaderboard"]] == [
            (1, "prophet", "score"),
            (None, "var", "failure"),
        ]
        best, worst = shown["leaderboard"]
        assert best["windows"][0]["measures"]["mape"] == 7.5
        assert (worst["error"], worst["reason"], worst["measures"]) == ("UnstableFit", "it explodes", None)
        assert [step["prediction"] for step in shown["forecast"]["steps"]] == [50.0, 60.0, 55.0]
        assert shown["forecast"]["steps"][0] == {
            "step": 1,
            "timestamp": "2026-01-05T00:00:00Z",
            "prediction": 50.0,
            "lower_bound": 40.0,
            "upper_bound": 60.0,
        }

    @pytest.mark.parametrize("queue", ["root/etl", "a//b", "root.etl#1?", "wärme"])
    def test_any_name_of_a_queue_can_be_addressed(self, client: FlaskClient, store: Store, queue: str) -> None:
        store.jobs.add(a_job())
        store.reports.save(a_report(queue=queue))
        [shown] = client.get("/v1/jobs/job-1").json["queues"]
        assert client.get(shown["links"]["self"]).json["queue"] == queue

    def test_what_is_not_there_is_not_found(self, client: FlaskClient, store: Store) -> None:
        store.jobs.add(a_job())
        for path, kind in (
            ("nobody", "job-not-found"),
            ("nobody/queues/q", "job-not-found"),
            ("job-1/queues/q", "queue-not-found"),
        ):
            answer = client.get(f"/v1/jobs/{path}")
            assert (answer.status_code, answer.json["type"]) == (404, f"urn:queuecast:{kind}")

    def test_a_queue_that_is_being_worked_on_shows_its_data_quality(
        self, client: FlaskClient, store: Store, run_state: RunState
    ) -> None:
        running(store, run_state, "root.etl")
        run_state.keep_work("job-1", "root.etl", b"", a_work(PROPHET))
        store.reports.save(a_report(state=QueueState.RUNNING, outcomes=(), winner=None))
        shown = client.get("/v1/jobs/job-1/queues/root.etl").json
        assert (shown["state"], shown["winner"], shown["explanation"]) == ("running", None, "lowest MAPE")
