"""Cancel and retry over HTTP, on a real run state and a real store; and what is left when a step of them does not come off."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs
from werkzeug.datastructures import MultiDict

from api.edge import identity
from api.edge.context import Services
from api.v1.job_removal import delete
from shared.config.settings import Settings
from shared.domain.jobs import JobState, Progress, QueueState, Tally
from shared.domain.states import OPEN_STATES
from shared.errors import BrokerAway, StateForbids, StoreAway
from shared.fleet.runstate import RunState
from shared.lifecycle import ON_REQUEST, Lifecycle
from shared.store import Store
from shared.store.jobs import Jobs
from shared.store.reports import Reports
from tests.api.bodies import a_body
from tests.api.scene import NEVER, Granting, a_report, running, waiting_in_the_plan_lane
from tests.factories import MONDAY, a_forecast, a_job, a_request
from tests.scraping import counted_here
from worker.job.resources import Resources, use

REPORTS = {"root.a": QueueState.SUCCEEDED, "root.b": QueueState.FAILED, "root.c": QueueState.RUNNING}
JOB_NAME = a_request().job_name
SAME_ORIGIN = {"Origin": "http://localhost"}
ALL_ENDED = Progress(queues=Tally(total=3, done=3, failed=1))
ENDS = [state for state in JobState if state.is_terminal]


def ended(store: Store, state: JobState, **changes: Any) -> None:
    """Job-1 has ended in this state, with one queue of each kind."""
    store.jobs.add(a_job(state=state, reason="as told", ended_at=MONDAY, started_at=MONDAY, issued_at=MONDAY, **changes))
    for queue, of_queue in REPORTS.items():
        store.reports.save(a_report(queue=queue, state=of_queue, winner=None))
    store.forecasts.save(a_forecast(queue="root.a"))


def post(client: FlaskClient, verb: str, **body: str) -> Any:
    return client.post(f"/v1/jobs/job-1/{verb}", **({"json": body} if body else {}))


def left(run_state: RunState) -> list[bytes]:
    """Keys of the job."""
    return [key for key in run_state.client.keys("*") if b"job-1" in key]


@contextmanager
def failing(owner: type, step: str, error: type[Exception]) -> Iterator[None]:
    """Inside, this step of a retry raises."""

    def fail(*_: Any, **__: Any) -> Any:
        raise error

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, step, fail)
        yield


class TestCancelling:
    def test_a_running_job_is_cancelled_with_all_that_is_known_of_it(
        self, client: FlaskClient, store: Store, run_state: RunState
    ) -> None:
        running(store, run_state, "root.a", "root.b")
        run_state.end_queue("job-1", "root.a", "no data")
        store.reports.save(a_report(queue="root.b", state=QueueState.RUNNING, winner=None))
        answer = post(client, "cancel")
        assert (answer.status_code, answer.headers["Location"]) == (202, "/v1/jobs/job-1")
        assert (answer.json["state"], answer.json["reason"]) == ("cancelled", ON_REQUEST)
        assert answer.json["progress"]["queues"] == {"total": 2, "done": 1, "failed": 1}
        [queue] = answer.json["queues"]
        assert (queue["queue"], queue["state"], queue["reason"]) == ("root.b", "failed", ON_REQUEST)
        assert answer.json["ended_at"] is not None
        assert left(run_state) == []
        assert client.get("/v1/jobs/job-1").json == answer.json

    def test_a_queued_job_is_cancelled(self, client: FlaskClient, store: Store, run_state: RunState) -> None:
        job_id = client.post("/v1/jobs", json=a_body()).json["job_id"]
        before = counted_here("queuecast_jobs_total", state="cancelled")
        assert client.post(f"/v1/jobs/{job_id}/cancel").json["state"] == "cancelled"
        assert run_state.active() == set()
        assert counted_here("queuecast_jobs_total", state="cancelled") == before + 1

    @pytest.mark.parametrize("state", ENDS)
    def test_what_has_ended_cannot_be_cancelled(self, client: FlaskClient, store: Store, state: JobState) -> None:
        ended(store, state)
        answer = post(client, "cancel")
        assert (answer.status_code, answer.json["type"]) == (409, "urn:queuecast:state-forbids")
        assert f"it is {state}; a job can be cancelled when it is queued or running" in answer.json["detail"]
        assert store.jobs.get("job-1").reason == "as told"

    def test_cancelling_twice_at_once_cancels_once(self, client: FlaskClient, store: Store, run_state: RunState) -> None:
        running(store, run_state, "root.a")
        assert statuses_of_two(lambda: post(client.application.test_client(), "cancel")) == [202, 409]

    def test_without_the_broker_a_job_is_cancelled_and_the_reaper_cleans_up(
        self, client: FlaskClient, services: Services, run_state: RunState, settings: Settings
    ) -> None:
        running(services.store, run_state, "root.a")
        vars(services)["run_state"] = RunState.open(Settings(broker_url="redis://127.0.0.1:1/0"), is_patient=False)
        answer = post(client, "cancel")
        assert (answer.status_code, answer.json["state"]) == (202, "cancelled")
        assert left(run_state)
        Lifecycle(services.store, run_state).let_go("job-1")
        assert left(run_state) == []


class TestTryingAgain:
    @pytest.mark.parametrize("state", [JobState.PARTIAL, JobState.FAILED, JobState.CANCELLED])
    def test_a_job_is_queued_again_for_its_queues_without_a_forecast(
        self, client: FlaskClient, store: Store, run_state: RunState, state: JobState
    ) -> None:
        ended(store, state, warnings=("root.b: of data that are mended",))
        began = datetime.now(UTC)
        answer = post(client, "retry")
        assert (answer.status_code, answer.headers["Location"]) == (202, "/v1/jobs/job-1")
        assert (answer.json["state"], answer.json["reason"], answer.json["warnings"]) == ("queued", None, [])
        assert (answer.json["started_at"], answer.json["ended_at"]) == (None, None)
        assert [(queue["queue"], queue["state"]) for queue in answer.json["queues"]] == [("root.a", "succeeded")]
        job, live = store.jobs.get("job-1"), run_state.running_job("job-1")
        assert job.queued_at is not None
        assert began <= job.queued_at <= datetime.now(UTC)
        assert live is not None
        assert live.deadline_at == job.deadline_at.replace(microsecond=0)
        assert job.issued_at == MONDAY
        [message] = waiting_in_the_plan_lane(run_state)
        assert message["headers"]["id"] == "job-1.plan"

    def test_all_queues_are_tried_again_on_request_and_their_forecasts_stay_meanwhile(
        self, client: FlaskClient, store: Store, run_state: RunState
    ) -> None:
        ended(store, JobState.SUCCEEDED)
        answer = post(client, "retry", queues="all")
        assert (answer.status_code, answer.json["state"], answer.json["queues"]) == (202, "queued", [])
        assert store.forecasts.find() == [a_forecast(queue="root.a")]

    @pytest.mark.parametrize(
        ("state", "queues"), [("queued", "failed"), ("running", "all"), ("succeeded", "failed"), ("queued", "all")]
    )
    def test_what_has_nothing_to_try_again_is_left_alone(
        self, client: FlaskClient, store: Store, run_state: RunState, state: str, queues: str
    ) -> None:
        ended(store, JobState(state))
        run_state.begin_job("job-1", NEVER)
        before = store.jobs.get("job-1"), store.reports.of_job("job-1")
        answer = post(client, "retry", queues=queues)
        assert answer.status_code == 409
        assert f"it is {state}; a job can be tried again (queues: {queues}) when it is " in answer.json["detail"]
        assert (store.jobs.get("job-1"), store.reports.of_job("job-1")) == before
        if state != "succeeded":
            assert run_state.active() == {"job-1"}

    def test_one_queue_is_tried_again_by_name_and_the_others_stay(
        self, client: FlaskClient, store: Store, run_state: RunState
    ) -> None:
        ended(store, JobState.PARTIAL, progress=ALL_ENDED)
        refused = client.post("/v1/jobs/job-1/retry", json={"queues": ["root.a", "root.x"]})
        assert (refused.status_code, "the job has no queue 'root.x'; did you mean" in refused.json["detail"]) == (422, True)
        assert client.post("/v1/jobs/job-1/retry", json={"queues": []}).status_code == 422
        assert client.post("/v1/jobs/job-1/retry", json={"queues": "root.a"}).status_code == 422
        answer = client.post("/v1/jobs/job-1/retry", json={"queues": ["root.a"]})
        assert (answer.status_code, answer.json["state"]) == (202, "queued")
        assert [queue["queue"] for queue in answer.json["queues"]] == ["root.b", "root.c"]
        assert store.jobs.get("job-1").only == ("root.a",)
        again = client.post("/v1/jobs/job-1/retry", json={"queues": ["root.a"]})
        assert (again.status_code, "it is queued; a job can be tried again" in again.json["detail"]) == (409, True)
        assert len(waiting_in_the_plan_lane(run_state)) == 1

    @pytest.mark.parametrize(
        ("state", "done", "why"),
        [
            (JobState.CANCELLED, 3, "it is cancelled; a job can be tried again"),
            (JobState.RUNNING, 3, "it is running; a job can be tried again"),
            (JobState.FAILED, 2, "it ended before each of its queues had"),
        ],
    )
    def test_a_job_whose_queues_have_not_all_ended_is_not_tried_again_by_name(
        self, client: FlaskClient, store: Store, state: JobState, done: int, why: str
    ) -> None:
        ended(store, state, progress=Progress(queues=Tally(total=3, done=done)))
        answer = client.post("/v1/jobs/job-1/retry", json={"queues": ["root.b"]})
        assert (answer.status_code, why in answer.json["detail"]) == (409, True), answer.json

    def test_of_two_retries_at_once_one_is_told_that_it_is_too_late(
        self, client: FlaskClient, store: Store, run_state: RunState
    ) -> None:
        ended(store, JobState.FAILED)
        assert statuses_of_two(lambda: post(client.application.test_client(), "retry")) == [202, 409]
        assert run_state.active() == {"job-1"}
        assert len(waiting_in_the_plan_lane(run_state)) == 1

    def test_run_state_that_was_left_over_is_none_of_the_new_run(
        self, client: FlaskClient, store: Store, run_state: RunState
    ) -> None:
        running(store, run_state, "root.a")
        run_state.end_queue("job-1", "root.a", "no data")
        store.jobs.move("job-1", OPEN_STATES, JobState.FAILED, "no data", MONDAY)
        assert post(client, "retry").status_code == 202
        live = run_state.running_job("job-1")
        assert live is not None
        assert (live.is_planned, live.done) == (False, 0)

    def test_what_the_request_was_warned_of_is_said_again(self, client: FlaskClient, store: Store) -> None:
        accepted = client.post("/v1/jobs", json=a_body("data_ingestion_time_period", "2d")).json
        path = f"/v1/jobs/{accepted['job_id']}"
        store.jobs.update(accepted["job_id"], warnings=["root.b: of the data"])
        client.post(f"{path}/cancel")
        assert client.post(f"{path}/retry").json["warnings"] == accepted["warnings"] != []


class TestDeleting:
    def test_an_ended_job_goes_with_its_reports_and_its_forecasts_stay(self, client: FlaskClient, store: Store) -> None:
        ended(store, JobState.PARTIAL, client="k-alice")
        assert client.delete("/v1/jobs/job-1").status_code == 204
        assert [client.get(f"/v1/jobs/job-1{part}").status_code for part in ("", "/queues/root.a")] == [404, 404]
        assert client.delete("/v1/jobs/job-1").status_code == 404
        assert store.reports.of_job("job-1") == []
        assert store.forecasts.find() == [a_forecast(queue="root.a")]
        assert client.get("/v1/queues/root.a/series").status_code == 200
        assert client.get("/queues/root.a").status_code == 200
        [row] = store.audits.of("job-1")
        assert (row.what, row.who, row.reason, row.before) == ("job deleted", "local", f"{JOB_NAME}, partial", "k-alice")

    @pytest.mark.parametrize("state", sorted(OPEN_STATES))
    def test_a_job_that_has_not_ended_stays(self, client: FlaskClient, store: Store, state: JobState) -> None:
        ended(store, state)
        answer = client.delete("/v1/jobs/job-1")
        assert (answer.status_code, f"it is {state}; a job can be deleted when it is" in answer.json["detail"]) == (409, True)
        assert (len(store.reports.of_job("job-1")), store.audits.of("job-1")) == (3, [])

    def test_a_job_that_is_tried_again_meanwhile_stays(self, client: FlaskClient, services: Services, store: Store) -> None:
        ended(store, JobState.FAILED)
        seen = store.jobs.get("job-1")
        store.jobs.reopen("job-1", [JobState.FAILED], MONDAY)
        with client.application.test_request_context():
            identity.let_in(identity.ANYBODY_HERE)
            with pytest.raises(StateForbids, match="it is queued"):
                delete(services, seen)
        assert len(store.reports.of_job("job-1")) == 3

    def test_a_project_deletes_none_of_anothers(self, client: FlaskClient, store: Store, grant: Granting) -> None:
        ended(store, JobState.FAILED, request=a_request(project="etl"))
        assert client.delete("/v1/jobs/job-1", headers=grant("write", "ml")).status_code == 404
        assert client.delete("/v1/jobs/job-1", headers=grant("read", "etl")).status_code == 403
        assert client.delete("/v1/jobs/job-1", headers=grant("write", "etl")).status_code == 204


class TestSeveralOfTheList:
    """By forms of pages, as a browser without scripts sends them."""

    PAGE = "/jobs/chosen"

    def test_what_is_chosen_is_shown_and_then_done_each_for_itself(
        self, client: FlaskClient, store: Store, run_state: RunState
    ) -> None:
        running(store, run_state, "root.a")
        store.jobs.add(a_job(job_id="job-2", state=JobState.SUCCEEDED, ended_at=MONDAY))
        both = [("what", "cancel"), ("job_id", "job-1"), ("job_id", "job-2"), ("next", "/jobs?state=running")]
        shown = client.get(f"{self.PAGE}?{urlencode(both)}")
        assert ("Cancel this job?" in shown.text, "1 more of those" in shown.text) == (True, True)
        assert store.jobs.get("job-1").state is JobState.RUNNING
        with capture_logs() as lines:
            answer = client.post(self.PAGE, data=MultiDict([*both, ("job_id", "job-9")]), headers=SAME_ORIGIN)
        assert answer.status_code == 200
        assert ("2 of 3 jobs were not cancelled" in answer.text, "it is succeeded" in answer.text) == (True, True)
        assert store.jobs.get("job-1").state is JobState.CANCELLED
        told = [(line["what"], line.get("job_id"), line["outcome"]) for line in lines if line["event"] == "audit"]
        each = [("cancel_job", "job-1", 200), ("cancel_job", "job-2", 409), ("cancel_job", "job-9", 404)]
        assert told == [*each, ("change_chosen_jobs", None, 200)]
        both[0] = ("what", "delete")
        gone = client.post(self.PAGE, data=MultiDict(both), headers=SAME_ORIGIN)
        assert (gone.status_code, gone.headers["Location"]) == (303, "/jobs?state=running")
        assert store.jobs.of_ids(["job-1", "job-2"]) == []

    @pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example"])
    def test_nobody_is_led_elsewhere_afterwards(self, client: FlaskClient, address: str) -> None:
        answer = client.post(self.PAGE, data={"what": "cancel", "next": address}, headers=SAME_ORIGIN)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")

    def test_too_many_and_unknown_deeds_are_refused(self, client: FlaskClient) -> None:
        many = MultiDict([("job_id", f"job-{number}") for number in range(101)])
        assert client.post(self.PAGE, data=many, headers=SAME_ORIGIN).status_code == 422
        assert client.get(f"{self.PAGE}?what=burn").status_code == 422

    def test_a_session_sends_the_token_of_its_own_form(self, client: FlaskClient, store: Store, grant: Granting) -> None:
        ended(store, JobState.FAILED)
        tokens = []
        for browser in (client, client.application.test_client()):
            browser.post("/login", data={"token": grant("write")["Authorization"].removeprefix("Bearer ")})
            page = browser.get(f"{self.PAGE}?what=delete&job_id=job-1")
            assert page.headers["Referrer-Policy"] == "same-origin"  # else browsers send `Origin: null`
            tokens.append(re.findall(r'name="form_token" value="([^"]+)"', page.text)[0])
        data = {"what": "delete", "job_id": "job-1"}
        for token in ("", "x.y", tokens[1], tokens[0][:-1]):
            answer = client.post(self.PAGE, data=data | {"form_token": token}, headers=SAME_ORIGIN)
            assert answer.status_code == 403, token
        elsewhere = client.post(self.PAGE, data=data | {"form_token": tokens[0]}, headers={"Origin": "https://evil.example"})
        assert elsewhere.status_code == 403
        assert store.jobs.get("job-1").state is JobState.FAILED
        assert client.post(self.PAGE, data=data | {"form_token": tokens[0]}, headers=SAME_ORIGIN).status_code == 303


class TestStepsThatDoNotComeOff:
    """A retry is: let go of the old run, reopen the row, forget old reports, begin the new run, tell somebody."""

    @pytest.fixture(autouse=True)
    def _failed(self, services: Services, run_state: RunState) -> Iterator[None]:
        ended(services.store, JobState.FAILED)
        with use(Resources(services.settings)):
            yield

    def test_without_the_broker_nothing_is_written(self, client: FlaskClient, services: Services) -> None:
        vars(services)["run_state"] = RunState.open(Settings(broker_url="redis://127.0.0.1:1/0"), is_patient=False)
        before = services.store.jobs.get("job-1"), services.store.reports.of_job("job-1")
        answer = post(client, "retry")
        assert (answer.status_code, answer.json["type"]) == (503, "urn:queuecast:broker-away")
        assert (services.store.jobs.get("job-1"), services.store.reports.of_job("job-1")) == before

    def test_a_row_that_could_not_be_written_leaves_the_job_as_it_was(self, client: FlaskClient, services: Services) -> None:
        before = services.store.jobs.get("job-1"), services.store.reports.of_job("job-1")
        with failing(Jobs, "reopen", StoreAway):
            assert post(client, "retry").status_code == 503
        assert (services.store.jobs.get("job-1"), services.store.reports.of_job("job-1")) == before

    @pytest.mark.parametrize(
        ("owner", "step", "error", "status"),
        [
            (Reports, "forget", StoreAway, 503),
            (RunState, "begin_job", BrokerAway, 202),
            (RunState, "begin_job", ZeroDivisionError, 500),  # as good as a crash
        ],
    )
    def test_a_later_step_that_fails_leaves_a_job_that_the_reaper_plans(  # noqa: PLR0917 - a table's columns
        self, client: FlaskClient, services: Services, owner: type, step: str, error: type[Exception], status: int
    ) -> None:
        with failing(owner, step, error):
            assert post(client, "retry").status_code == status
        assert services.store.jobs.get("job-1").state is JobState.QUEUED
        assert services.run_state.active() == set()
        services.lifecycle.replan("job-1", datetime.now(UTC), services.enqueue)  # what the reaper does
        assert services.run_state.active() == {"job-1"}

    def test_nobody_could_be_told_and_the_job_is_queued_all_the_same(
        self, client: FlaskClient, services: Services, run_state: RunState
    ) -> None:
        with failing(Services, "enqueue", BrokerAway):
            assert post(client, "retry").status_code == 202
        live = run_state.running_job("job-1")
        assert live is not None
        assert not live.is_planned  # the reaper sends `plan`
        assert waiting_in_the_plan_lane(run_state) == []


def statuses_of_two(call: Callable[[], Any]) -> list[int]:
    """What two callers at once are answered."""
    with ThreadPoolExecutor(2) as pool:
        return sorted(future.result().status_code for future in [pool.submit(call), pool.submit(call)])
