"""The look at a source in the form: who may have one, and what the page says where there is none."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient

from shared.config.settings import Settings
from shared.domain.codec import from_json, to_json
from shared.domain.first_look import FirstLook, Guess
from shared.domain.jobs import JobRequest
from shared.domain.units import Unit
from shared.fleet.lanes import Lanes
from shared.fleet.runstate import RunState
from shared.fleet.runstate.values import LivingWorker
from shared.store import Store
from tests.api.scene import Granting
from tests.factories import a_schedule
from tests.polling import eventually

FORM = {"look": "1", "data.source.name": "files", "data.source.path": "day.csv", "data.destination.name": "files", "auto": "on"}
LOOK = FirstLook(
    columns=("day", "pool", "load"),
    rows=(("2025-01-01", "<b>etl</b>", "3"),),
    guess=Guess(time_field="day", queue_field="pool", target="load", unit=Unit.FRACTION, step_seconds=86_400),
    queues=("<b>etl</b>",),
    queue_count=1,
    start_at=datetime(2025, 1, 1, tzinfo=UTC),
    end_at=datetime(2025, 5, 1, tzinfo=UTC),
)


def answered(settings: Settings) -> JobRequest:
    """Take the message of the question and answer it, as a worker does."""
    lanes, questions = Lanes.open(settings), RunState.open(settings, is_patient=False).questions
    task_id = eventually(lambda: next(iter(lanes.look().waiting), None), what="the question's message")
    question_id = task_id.removesuffix(".look")
    questions.answer(question_id, to_json(LOOK))
    request: JobRequest = from_json(JobRequest, questions.question(question_id) or "")
    return request


def test_a_look_fills_the_fields_and_what_was_typed_stays(client: FlaskClient, settings: Settings, run_state: RunState) -> None:
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(answered, settings)
        page = client.get("/jobs/new", query_string=FORM | {"interval": "0.8", "user_name": 'An"n'}).text
        request = asked.result()
    assert (request.data.sources[0].path, request.interval) == ("day.csv", 0.8)
    for value in ('value="2025-05-02T00:00:00Z"', 'value="1d"', 'value="0.8"', 'value="An&#34;n"', "<option selected>fraction"):
        assert value in page
    assert "<b>etl" not in page
    assert client.get("/v1/jobs").json["jobs"] == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"data.source.name": "mongodb"}, "a source of kind mongodb needs collection"),
        ({"data.source.name": "postgres"}, "known are"),
        ({"data.source.path": "../x"}, "may leave the connection&#39;s folder"),
        ({"future_prediction_time_period": "soon"}, "is not a duration"),
        ({"where": "[" * 5_000}, "accepted is an object"),
    ],
)
def test_what_is_wrong_with_the_form_is_said_on_the_page(
    client: FlaskClient, run_state: RunState, given: dict[str, str], said: str
) -> None:
    answer = client.get("/jobs/new", query_string=FORM | given)
    assert (answer.status_code, said in answer.text) == (200, True), answer.text


def test_only_who_may_start_jobs_and_no_other_site_makes_a_worker_look(
    client: FlaskClient, settings: Settings, run_state: RunState, grant: Granting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.v1.worker_questions.ANSWER_SECONDS", 0.2)
    reader, writer, other = grant("read"), grant("write"), {"Sec-Fetch-Site": "cross-site"}
    assert "takes a token that may start jobs" in client.get("/jobs/new", query_string=FORM, headers=reader).text
    assert "Press the button" in client.get("/jobs/new", query_string=FORM, headers=writer | other).text
    assert not Lanes.open(settings).look().waiting
    run_state.members.announce(LivingWorker(worker_id="a", lanes=("check",), slots=1))
    busy = client.get("/jobs/new", query_string=FORM, headers=writer)
    assert (busy.status_code, "All workers are busy" in busy.text) == (200, True)


def test_the_request_is_shown_for_those_without_a_script(client: FlaskClient, run_state: RunState) -> None:
    form = {key: value for key, value in FORM.items() if key != "look"} | {"show": "request", "job_name": "<x>"}
    page = client.get("/jobs/new", query_string=form).text
    assert "&#34;job_name&#34;: &#34;&lt;x&gt;&#34;" in page
    assert client.get("/jobs/new", query_string={"look": "1"}).status_code == 200  # not sent by the form


def test_who_may_only_read_is_shown_no_way_to_change_a_schedule(client: FlaskClient, store: Store, grant: Granting) -> None:
    store.schedules.add(a_schedule())
    pages = {scope: client.get("/schedules", headers=grant(scope)).text for scope in ("read", "write")}
    assert {scope: ("Remove</button>" in page, "Add a schedule" in page) for scope, page in pages.items()} == {
        "read": (False, False),
        "write": (True, True),
    }
