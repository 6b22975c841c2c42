"""What tests of the API set up and look at: published models, a job at work, its report, and answers in time."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.app import create_app
from api.edge.context import EXTENSION, Services
from shared.config.settings import Settings
from shared.domain.forecasts import Candidate, Failure, Lane, Measures, Score, WindowForecast
from shared.domain.jobs import Job, JobState
from shared.domain.model_cards import HyperparameterCard, ModelCard
from shared.domain.reports import QueueReport
from shared.domain.tokens import Scope, make_token
from shared.drivers.redis_server import PATIENCE_SECONDS
from shared.fleet.runstate import RunState
from shared.store import Store
from tests import factories
from tests.factories import MONDAY, a_job, let_in
from tests.polling import without_waiting

CARDS = (
    ModelCard(
        name="seasonal_naive",
        summary="The last days repeat",
        lane=Lane.SCORE,
        cost=1,
        is_baseline=True,
        hyperparameters=(HyperparameterCard(name="days", type="int", default=1, grid=(1,), minimum=1),),
    ),
    ModelCard(
        name="prophet",
        summary="Trend and seasons",
        lane=Lane.SCORE,
        cost=20,
        is_baseline=False,
        hyperparameters=(
            HyperparameterCard(name="growth", type="str", default="linear", grid=("flat", "linear"), choices=("flat", "linear")),
        ),
    ),
)


QUEUECAST = (sys.executable, "-c", "from shared.command.root import main; main()")
Headers = dict[str, str]
Granting = Callable[..., Headers]
MakeApp = Callable[[Settings], Flask]
OwnBroker = tuple[Settings, subprocess.Popen[bytes]]
SCORED = Measures(mape=7.5, wape=7.0, smape=7.1, mase=0.8, rmse=3.0, skill=0.2, steps=3, skipped_steps=0)
PROPHET = Candidate(model="prophet", hyperparameters={"growth": "flat"})
NEVER = datetime(2999, 1, 1, tzinfo=UTC)  # keys of a passed deadline expire at once


def in_time(client: FlaskClient, method: str, path: str, body: Any) -> TestResponse:
    """The answer, which came without the patience that workers have."""
    with without_waiting(PATIENCE_SECONDS):
        return client.open(path, method=method, json=body) if body else client.open(path, method=method)


def expect_away(answer: TestResponse) -> None:
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert answer.headers["Retry-After"] == "5"


@pytest.fixture
def make_app() -> Iterator[MakeApp]:
    """Makes applications, and closes afterwards what they opened."""
    made: list[Services] = []

    def make(settings: Settings) -> Flask:
        app = create_app(settings)
        made.append(app.extensions[EXTENSION])
        return app

    yield make
    for services in made:
        for name in vars(services).keys() & {"store", "run_state", "_app"}:
            getattr(services, name).close()


def token_for(app: Flask, scope: Scope | str = Scope.ADMIN, *projects: str, expires_at: datetime | None = None) -> Headers:
    """The header that brings a new token of this service, which is then open to nobody without one."""
    services: Services = app.extensions[EXTENSION]
    token, secret = make_token(
        name="ci", scope=Scope(scope), created_at=datetime.now(UTC), projects=projects, expires_at=expires_at
    )
    services.store.tokens.add(token)
    vars(services).pop("known_tokens", None)  # it would know of the token in a moment
    return {"Authorization": f"Bearer {secret}"}


def a_report(**changes: Any) -> QueueReport:
    """Of a queue that prophet has won, and for which another model exploded."""
    window = WindowForecast(origin_at=MONDAY, actual=(50.0,), prediction=(51.0,), measures=SCORED)
    outcomes = (
        Score(candidate=PROPHET, measures=SCORED, windows=(window,), seconds=1.5),
        Failure(candidate=Candidate(model="var"), error="UnstableFit", reason="it explodes"),
    )
    return factories.a_report(**({"quality": None, "outcomes": outcomes, "winner": PROPHET} | changes))


def running(store: Store, run_state: RunState, *queues: str) -> Job:
    """A job with the id job-1 whose first queue has been let in."""
    job = store.jobs.add(a_job())
    run_state.begin_job(job.job_id, NEVER)
    run_state.name_queues(job.job_id, queues, MONDAY, planned=2)
    let_in(run_state, job.job_id, 1)
    store.jobs.move(job.job_id, {JobState.QUEUED}, JobState.RUNNING, None, MONDAY)
    return job


def waiting_in_the_plan_lane(run_state: RunState) -> list[dict[str, Any]]:
    """Messages in database 0, where Celery keeps its lanes."""
    client = run_state.client
    client.select(0)
    try:
        return [json.loads(message) for message in client.lrange(Lane.PLAN.value, 0, -1)]
    finally:
        client.select(2)
