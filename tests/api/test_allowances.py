"""What a project may have at a time, as those who ask for more are told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shared.config.settings import Settings
from shared.domain.jobs import JobState
from shared.fleet.runstate import RunState
from tests.api.bodies import a_body
from tests.api.scene import MakeApp
from tests.factories import MONDAY

LIMITS = {"most_open_jobs": 2, "most_candidates": 50_000, "most_schedules": 1}


@pytest.fixture
def app(settings: Settings, run_state: RunState, make_app: MakeApp) -> Flask:
    return make_app(settings.model_copy(update=LIMITS))


def submit(client: FlaskClient, **headers: str) -> Any:
    return client.post("/v1/jobs", json=a_body(), headers=headers)


def test_four_clients_at_once_get_what_there_is_and_the_others_are_told_what_to_do(app: Flask) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: submit(app.test_client()), range(8)))
    assert sorted(answer.status_code for answer in answers) == [202] * 2 + [429] * 6
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json["title"] == "The project's allowance is used up"
    assert refused.json["type"] == "urn:queuecast:allowance-used-up"
    assert "open jobs of all without a project or a token: 2 of 2 are used; wait until one ends" in refused.json["detail"]
    assert refused.headers["Retry-After"]


def test_an_accepted_job_is_given_again_and_a_retry_counts(app: Flask) -> None:
    client = app.test_client()
    key = {"Idempotency-Key": "once"}
    job_id = submit(client, **key).json["job_id"]
    ended = submit(client).json["job_id"]
    assert submit(client, **key).json["job_id"] == job_id
    store = app.extensions["queuecast"].store
    assert client.post(f"/v1/jobs/{ended}/cancel", json={}).status_code == 202
    assert submit(client).status_code == 202
    assert client.post(f"/v1/jobs/{ended}/retry", json={}).status_code == 429
    assert store.jobs.get(ended).state is JobState.CANCELLED
    assert store.jobs.move(job_id, {JobState.QUEUED}, JobState.FAILED, "no data", MONDAY)
    assert client.post(f"/v1/jobs/{ended}/retry", json={}).status_code == 202


def test_one_schedule_too_many_is_refused(app: Flask) -> None:
    client = app.test_client()
    body = {"name": "daily", "cron": "0 6 * * *", "request": a_body()}
    assert client.post("/v1/schedules", json=body).status_code == 201
    refused = client.post("/v1/schedules", json=body)
    assert refused.status_code == 429
    assert "1 of 1 are used; remove one first" in refused.json["detail"]
