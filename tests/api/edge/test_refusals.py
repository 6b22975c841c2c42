"""What is refused is refused cheaply and briefly, whatever was sent; `python -m tests.bench.refusals` prints what it costs."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from flask.testing import FlaskClient

from shared.config.settings import Settings
from tests.api.bodies import a_body
from tests.api.hostile import JOBS, VALIDATE, Attack, attacks, sent
from tests.api.scene import MakeApp
from tests.architecture.house import fail_on

MAX_BYTES, MAX_PROBLEMS = 64_000, 100
GENEROUS_SECONDS = 20.0  # of CPU: 44 s were spent once; the bench says how few milliseconds it is


@pytest.fixture
def roomy(run_state: object, settings: Settings, make_app: MakeApp) -> FlaskClient:
    """A caller of a service that takes bodies as large as it does by default."""
    return make_app(settings).test_client()


def test_whatever_is_sent_the_refusal_is_short_and_cheap(roomy: FlaskClient) -> None:
    fail_on(f"{attack.name} ({attack.path[:30]}): {wrong}" for attack in attacks() for wrong in _wrong(roomy, attack))


def _wrong(client: FlaskClient, attack: Attack) -> list[str]:
    started = time.process_time()
    answer = sent(client, attack)
    spent, told = time.process_time() - started, answer.json or {}
    problems = told.get("errors", told.get("problems", []))
    is_accepted = answer.status_code in _ACCEPTED.get(attack.name, ()) or told.get("valid") is False
    found = []
    if not 400 <= answer.status_code < 500 and not is_accepted:
        found.append(f"status {answer.status_code}")
    if len(answer.data) > MAX_BYTES:
        found.append(f"{len(answer.data)} bytes")
    if len(problems) > MAX_PROBLEMS or len({json.dumps(problem) for problem in problems}) < len(problems):
        found.append(f"{len(problems)} problems, or one twice")
    if spent > GENEROUS_SECONDS:
        found.append(f"{spent:.1f} s of CPU")
    return found


_ACCEPTED: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(("form of a long token", "form of ampersands"), (303,)),
    "a grid beyond counting": (202,),
    "a grid beyond counting, asked": (503,),  # there is no worker to ask
}


def test_of_many_problems_the_first_are_told_and_how_many_more_there_are(roomy: FlaskClient) -> None:
    body = a_body("queues", [1] * 1_000)
    told = roomy.post(JOBS, json=body).json
    assert len(told["errors"]) == MAX_PROBLEMS
    assert told["errors"][98]["loc"] == ["queues", 98]
    assert told["errors"][99] == {"loc": [], "msg": "and 901 more problems"}
    assert told["detail"] == "queues.0: accepted is a text (and 999 more)"
    asked = roomy.post(VALIDATE, json=body).json
    assert [problem["msg"] for problem in asked["problems"]] == [problem["msg"] for problem in told["errors"]]


def test_a_hundred_problems_are_told_whole(roomy: FlaskClient) -> None:
    told = roomy.post(JOBS, json=a_body("queues", [1] * 100)).json
    assert [problem["loc"] for problem in told["errors"]] == [["queues", number] for number in range(100)]


@pytest.mark.parametrize(
    ("field", "value", "found"),
    [
        ("queues", [1] * 1_001, "found 1001, accepted are 1 to 1000"),
        ("columns", [1] * 101, "found 101, accepted are 0 to 100"),
        ("model", [1] * 51, "found 51, accepted are 1 to 50"),
        ("bounds", [1] * 3, "found 3, accepted are 0 to 2"),
        ("data.source", [1] * 6, "found 6, accepted are 1 to 5"),
        ("data.source", [], "found 0, accepted are 1 to 5"),
        ("hyperparameters", {f"m{n}": 1 for n in range(51)}, "found 51, accepted are 0 to 50"),
        ("queues", [], "found 0, accepted are 1 to 1000"),
        ("model", [], "found 0, accepted are 1 to 50"),
        (
            "hyperparameters",
            {"m": {f"h{n}": ["x"] * 99 for n in range(11)}},
            "found 1089 values in all, accepted are at most 1000",
        ),
    ],
)
def test_a_list_is_counted_before_its_items_are_looked_at(roomy: FlaskClient, field: str, value: Any, found: str) -> None:
    told = roomy.post(JOBS, json=a_body(field, value)).json["errors"]
    assert told == [{"loc": field.split("."), "msg": found}]


def test_known_fields_are_told_once_for_each_place(roomy: FlaskClient) -> None:
    body = a_body("data.source", {"name": "files", "x": 1, "y": 1}) | {"a": 1, "b": 1}
    told = [problem["msg"] for problem in roomy.post(JOBS, json=body).json["errors"]]
    assert [message.partition(";")[0] for message in told] == ["no field has this name"] * 4
    assert sum("known are name, collection" in message for message in told) == 1
    assert sum("known are" in message and "job_name" in message for message in told) == 1


def test_a_field_at_the_wrong_place_is_told_the_right_one(roomy: FlaskClient) -> None:
    told = roomy.post(JOBS, json=a_body("data.source", {"name": "files", "where": {"partition": "gpu"}})).json["errors"]
    assert told == [
        {"loc": ["data", "source", "where"], "msg": "no field of this place; `where` stands in the request itself, beside `data`"}
    ]


def test_a_body_of_more_values_than_any_request_needs_is_not_read(roomy: FlaskClient) -> None:
    told = roomy.post(JOBS, json=a_body("queues", ["a"] * 30_000))
    assert told.status_code == 422
    assert "accepted are 20000" in told.json["detail"]


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("queues", "root.*", 'queues: accepted is a list, as in "queues": ["root.*"]'),
        (
            "hyperparameters",
            [],
            'hyperparameters: accepted is an object: names and their values, as in "hyperp',
        ),
        ("hyperparameters", {"ets": {"trend": 1}}, "hyperparameters.ets.trend: accepted is a list, as in"),
        ("interval", "0.9", "interval: accepted is a number"),
        ("interval", 2, "interval: accepted is 0.99 or less"),
        ("max_candidates", 1.5, "max_candidates: accepted is a whole number"),
        ("aggregation", "mode", "aggregation: accepted: 'mean', "),
        ("data", None, "data: accepted is an object: names and their values"),
        ("deadline", "0h", "deadline: '0h' is not a duration; accepted is a whole number, at least 1, and a unit"),
    ],
)
def test_what_is_accepted_is_said_in_our_words(roomy: FlaskClient, field: str, value: object, told: str) -> None:
    assert roomy.post(JOBS, json=a_body(field, value)).json["detail"].startswith(told)


def test_a_body_that_is_null_is_called_so(roomy: FlaskClient) -> None:
    assert "the body is null" in roomy.post(JOBS, data=b"null", content_type="application/json").json["detail"]


def test_a_name_that_is_no_text_is_refused_as_text(roomy: FlaskClient) -> None:
    told = roomy.post(JOBS, data=b'{"\\ud800": 1}', content_type="application/json")
    assert told.status_code == 422
    assert "accepted is a text" in told.json["detail"]


EDGES = [
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-12:00",
    "1899-12-31T23:59:59Z",
]


@pytest.mark.parametrize("moment", EDGES)
def test_a_time_at_the_edge_of_the_calendar_is_refused_wherever_one_is_accepted(roomy: FlaskClient, moment: str) -> None:
    series = [(f"/v1/queues/q/series?{name}", name) for name in ("from", "to", "issued_at")]
    accuracy = [(f"/v1/queues/q/accuracy?{name}", name) for name in ("from", "to")]
    for path, name in series + accuracy:
        answer = roomy.get(f"{path}={moment.replace('+', '%2B')}")
        assert (answer.status_code, answer.json["errors"][0]["loc"]) == (422, [name])
    for path in (JOBS, VALIDATE):
        answer = roomy.post(path, json=a_body("as_of", moment))
        told = answer.json.get("errors", answer.json.get("problems"))
        assert [problem["loc"] for problem in told] == [["as_of"]]
        assert "from 1900 to 2099" in told[0]["msg"]


@pytest.mark.parametrize("field", ["data_ingestion_time_period", "future_prediction_time_period"])
@pytest.mark.parametrize("length", ["1201mo", "99999mo", "5400w", "99999w", "99999d"])
def test_nobody_looks_back_or_ahead_for_more_than_a_hundred_years(roomy: FlaskClient, field: str, length: str) -> None:
    body = a_body(field, length) | {"aggregation_time_period": "1w"}
    told = roomy.post(JOBS, json=body).json["errors"]
    assert [(problem["loc"], "100 years" in problem["msg"]) for problem in told] == [([field], True)]
