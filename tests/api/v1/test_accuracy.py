"""Accuracy and issued forecasts over HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from shared.domain.aliases import Alias
from shared.domain.calibration import Calibration, ClaimSums
from shared.domain.timegrid import TimeGrid
from shared.store import Store
from tests.api.scene import Granting
from tests.factories import MONDAY, SUMS, a_forecast, a_job, an_accuracy, an_outlook_score, with_distribution

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


def test_whether_chances_have_held_is_told_of_a_queue_and_pooled(
    client: FlaskClient, known: None, store: Store, grant: Granting
) -> None:
    own, peak = an_outlook_score(), an_outlook_score(about="peak", cell="peak:9", sums=ClaimSums(days=1))
    other = an_outlook_score(series_id="b", project="ml", sums=replace(own.sums, happened=0, squared=0.0625))
    store.calibrations.save([own, peak, other])
    week = "from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z"
    chances = client.get(f"{ETL}/accuracy?{week}").json["chances"]
    [level] = chances["levels"]
    assert (level["about"], level["days"], level["predicted_days"], level["happened_days"]) == ("limit", 1, 0.25, 1)
    assert (level["brier"], level["skill"], level["calibration_error"]) == (0.5625, None, 0.75)
    assert level["reliability"] == [{"lowest": 0.2, "highest": 0.4, "days": 1, "predicted": 0.25, "happened": 1.0}]
    assert chances["peak_pit"] == [0] * 9 + [1]
    pooled = client.get(f"/v1/accuracy?{week}").json
    assert (pooled["chances"]["levels"][0]["days"], pooled["calibration"]) == (2, None)
    assert pooled["chances"]["levels"][0]["skill"] == pytest.approx(1 - 0.3125 / 0.25)
    store.calibrations.tell(Calibration(checked_at=MONDAY, days=2, error=0.25))
    of_ml = client.get(f"/v1/accuracy?{week}", headers=grant("read", "ml")).json
    assert (of_ml["chances"]["levels"][0]["happened_days"], of_ml["calibration"]["error"]) == (0, 0.25)
    wrong = client.get("/v1/accuracy?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", headers=grant("read"))
    assert (wrong.status_code, wrong.json["errors"][0]["loc"]) == (422, ["from"])


def test_a_page_says_whether_chances_have_held_and_tells_words_where_not(client: FlaskClient, store: Store) -> None:
    now = TimeGrid(3_600).bucket_start(datetime.now(UTC)) + timedelta(hours=1)
    flat = (90.0,) * 24
    forecast = a_forecast(prediction=flat, lower_bound=flat, upper_bound=flat, issued_at=now)
    store.forecasts.save(with_distribution(forecast))
    day = now.replace(hour=0) - timedelta(days=3)
    store.calibrations.save([an_outlook_score(day=day), an_outlook_score(day=day, about="peak", cell="peak:9")])
    store.accuracy.save([an_accuracy(issued_at=day)])
    page = " ".join(client.get("/queues/root.etl").text.split(" "))
    said = " ".join(line.strip() for line in page.splitlines())
    assert "At its limit: of 1 day 25\u202f% were expected, 100\u202f% came; 0.5 hours expected, 2.0 came." in said
    assert "above what nine in ten should stay below on 1 of 1 days" in said
    assert "<strong>25\u202f%</strong>" in page
    store.calibrations.tell(Calibration(checked_at=now, days=200, error=0.2, lost_at=now))
    page = client.get("/queues/root.etl").text
    assert "chances are told in words" in page
    assert "<strong>possible</strong>" in page
    told = client.get(f"{ETL}/outlook").json["now"]["whole"]["borrowing"]
    assert (told["likelihood"], told["probability"]) == ("possible", None)


def test_chances_of_a_renamed_queue_go_on_from_those_under_its_former_name(
    client: FlaskClient, known: None, store: Store
) -> None:
    was = a_forecast(queue="root.was")
    own, before = an_outlook_score(), an_outlook_score(series_id=was.series_id, day=MONDAY + timedelta(days=1))
    store.calibrations.save([own, before])
    address = f"{ETL}/accuracy?from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z"
    assert client.get(address).json["chances"]["levels"][0]["days"] == 1
    said = {"old": "root.was", "new": "root.etl", "renamed_at": None, "stated_at": MONDAY, "stated_by": "ci"}
    store.aliases.add(Alias(cluster=was.cluster, **said))
    assert client.get(address).json["chances"]["levels"][0]["days"] == 2
