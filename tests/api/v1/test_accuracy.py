"""Accuracy and issued forecasts over HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from shared.store import Store
from tests.api.scene import Granting
from tests.factories import MONDAY, SUMS, a_forecast, a_job, an_accuracy

ETL = "/v1/queues/root.etl"


@pytest.fixture
def known(store: Store) -> None:
    """A queue with two issued forecasts, of which one has been scored."""
    store.jobs.add(a_job())
    store.forecasts.save(a_forecast(issued_at=MONDAY - timedelta(days=1)))
    store.forecasts.save(a_forecast())
    store.accuracy.save([an_accuracy(), an_accuracy(first_step=7)])


def test_accuracy_is_told_by_lead_and_overall(client: FlaskClient, known: None) -> None:
    accuracy = client.get(f"{ETL}/accuracy?from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z").json
    assert [(lead["first_step"], lead["last_step"], lead["steps"], lead["wape"]) for lead in accuracy["leads"]] == [
        (1, 6, 6, 10.0),
        (7, 24, 6, 10.0),
    ]
    assert (accuracy["overall"]["steps"], accuracy["overall"]["forecasts"], accuracy["overall"]["bias"]) == (12, 1, 1.0)


def test_coverage_is_that_of_bounds_of_the_newest_level(client: FlaskClient, known: None, store: Store) -> None:
    narrow = {"interval": 0.5, "sums": replace(SUMS, covered_steps=0)}
    store.accuracy.save([an_accuracy(issued_at=MONDAY - timedelta(days=1), **narrow)])
    answer = client.get(f"{ETL}/accuracy?to=2026-01-06T00:00:00Z").json
    assert (answer["interval"], answer["overall"]["steps"]) == (0.9, 18)
    assert answer["overall"]["coverage"] == pytest.approx(500 / 6)


def test_nothing_that_was_scored_is_no_accuracy(client: FlaskClient, known: None) -> None:
    accuracy = client.get(f"{ETL}/accuracy?from=2025-01-01T00:00:00Z&to=2025-02-01T00:00:00Z").json
    assert (accuracy["overall"], accuracy["leads"]) == (None, [])


def test_forecasts_are_listed_as_they_were_issued(client: FlaskClient, known: None) -> None:
    [newest, older] = client.get(f"{ETL}/forecasts").json["forecasts"]
    assert (newest["issued_at"], older["issued_at"]) == ("2026-01-05T00:00:00Z", "2026-01-04T00:00:00Z")
    assert "prediction" not in newest
    assert len(client.get(f"{ETL}/forecasts?limit=1").json["forecasts"]) == 1


@pytest.mark.parametrize("path", ["accuracy?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z", "forecasts?limit=0"])
def test_what_is_not_accepted_is_refused(client: FlaskClient, known: None, path: str) -> None:
    assert client.get(f"{ETL}/{path}").status_code == 422


@pytest.mark.parametrize("path", ["accuracy", "forecasts"])
def test_an_unknown_queue_and_one_of_another_project_are_not_found(
    client: FlaskClient, known: None, grant: Granting, path: str
) -> None:
    assert client.get(f"/v1/queues/no.such/{path}").status_code == 404
    assert client.get(f"{ETL}/{path}", headers=grant("read", "another")).status_code == 404
    assert client.get(f"{ETL}/{path}", headers=grant("read", a_job().request.project)).status_code == 200
