"""Schedules over HTTP: what is accepted, what is told, who sees them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from shared.store import Store
from tests.api.bodies import BODY
from tests.api.scene import Granting
from tests.factories import a_schedule

SCHEDULES = "/v1/schedules"


def a_schedule_body(**changes: Any) -> dict[str, Any]:
    return {"name": "daily", "cron": "0 6 * * 1-5", "timezone": "Europe/Berlin", "request": BODY} | changes


def test_a_schedule_is_made_shown_and_listed(client: FlaskClient, store: Store) -> None:
    made = client.post(SCHEDULES, json=a_schedule_body())
    assert (made.status_code, made.location) == (201, made.json["links"]["self"])
    due_at = datetime.fromisoformat(made.json["next_due_at"])
    assert (due_at.minute, due_at.weekday() < 5) == (0, True)
    assert client.get(made.location).json == made.json
    assert client.get(SCHEDULES).json == {"schedules": [made.json]}
    assert store.jobs.open() == []


def test_a_schedule_tells_of_each_of_its_cadences(client: FlaskClient, store: Store) -> None:
    live = {name: value for name, value in BODY.items() if name != "as_of"}
    body = a_schedule_body(refit_cron="0 6 * * *", actuals_cron=" 5  * * * *", request=live)
    made = client.post(SCHEDULES, json=body)
    assert made.status_code == 201, made.json
    assert [(each["run"], each["cron"]) for each in made.json["cadences"]] == [
        *(("search", "0 6 * * 1-5"), ("refit", "0 6 * * *"), ("actuals", "5 * * * *")),
    ]
    assert (made.json["refit_cron"], made.json["actuals_cron"]) == ("0 6 * * *", "5 * * * *")
    assert made.json["next_due_at"] == made.json["cadences"][0]["next_due_at"]
    kept = store.schedules.all()[0]
    assert kept.due_at == min(kept.next.values())
    paused = client.post(f"{made.location}/pause").json
    assert {each["next_due_at"] for each in paused["cadences"]} == {None}


@pytest.mark.parametrize(
    ("changes", "loc"),
    [
        ({"cron": "every morning"}, ["cron"]),
        ({"cron": "0 0 31 2 *"}, ["cron"]),
        ({"refit_cron": "every morning"}, ["refit_cron"]),
        ({"actuals_cron": "* * * * *"}, ["actuals_cron"]),
        ({"timezone": "Mars/Olympus"}, ["timezone"]),
        ({"colour": "red"}, ["colour"]),
        ({"request": {}}, ["request", "job_name"]),
        (
            {"request": BODY | {"data": {"source": {"name": "nowhere"}, "destination": {"name": "files"}}}},
            ["data", "source", "name"],
        ),
    ],
)
def test_what_is_not_accepted_is_refused_at_its_place(client: FlaskClient, changes: dict[str, Any], loc: list[str]) -> None:
    answer = client.post(SCHEDULES, json=a_schedule_body(**changes))
    assert answer.status_code == 422
    assert loc in [problem["loc"] for problem in answer.json["errors"]]
    assert client.get(SCHEDULES).json == {"schedules": []}


def test_a_schedule_rests_and_goes_on_from_now(client: FlaskClient, store: Store) -> None:
    store.schedules.add(a_schedule())
    assert client.post(f"{SCHEDULES}/s-1/pause").json["next_due_at"] is None
    resumed = client.post(f"{SCHEDULES}/s-1/resume").json
    assert datetime.fromisoformat(resumed["next_due_at"]) > datetime.fromisoformat(resumed["created_at"])


def test_a_removed_schedule_is_gone(client: FlaskClient, store: Store) -> None:
    store.schedules.add(a_schedule())
    removed = client.delete(f"{SCHEDULES}/s-1")
    assert (removed.status_code, removed.data) == (204, b"")
    for answer in (client.get(f"{SCHEDULES}/s-1"), client.delete(f"{SCHEDULES}/s-1"), client.post(f"{SCHEDULES}/s-1/pause")):
        assert answer.status_code == 404


def test_a_token_sees_the_schedules_of_its_projects_only(client: FlaskClient, store: Store, grant: Granting) -> None:
    store.schedules.add(a_schedule())
    assert client.get(f"{SCHEDULES}/s-1", headers=grant("write", "another")).status_code == 404
    assert client.delete(f"{SCHEDULES}/s-1", headers=grant("write", "another")).status_code == 404
    mine = grant("read", a_schedule().request.project)
    assert len(client.get(SCHEDULES, headers=mine).json["schedules"]) == 1
    assert client.delete(f"{SCHEDULES}/s-1", headers=mine).status_code == 403
