"""Queues over HTTP: which are known, and actual and predicted values on one time axis."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from shared.domain.basis import Basis
from shared.domain.components import Components
from shared.domain.reports import Point
from shared.domain.timegrid import TimeGrid
from shared.domain.units import Unit
from shared.store import Store
from tests.factories import MEMORY, MONDAY, a_forecast, a_series, with_distribution

HOUR = timedelta(hours=1)
NOW = TimeGrid(3_600).bucket_start(datetime.now(UTC)) + HOUR  # nothing of it is over while these tests run
SERIES = "/v1/queues/root.etl/series"


@pytest.fixture
def known(store: Store) -> None:
    """Two issues of a forecast, and what happened around the first steps; one hour is missing."""
    store.forecasts.save(a_forecast(issued_at=MONDAY - timedelta(days=1), prediction=(1.0, 2.0, 3.0), job_id="job-0"))
    store.forecasts.save(a_forecast())
    hours = (-3, -2, 0, 1)  # of Monday
    store.actuals.save(a_series(), [Point(timestamp=MONDAY + hour * HOUR, value=hour * 1.0) for hour in hours])


def rows(answer: Any) -> list[tuple[str, float | None, float | None]]:
    return [(point["timestamp"][11:16], point["actual"], point["prediction"]) for point in answer.json["points"]]


def test_every_queue_with_a_forecast_is_listed_with_its_peak(client: FlaskClient, known: None) -> None:
    [queue] = client.get("/v1/queues").json["queues"]
    assert (queue["queue"], queue["job_id"], queue["peak_at"]) == ("root.etl", "job-1", "2026-01-05T01:00:00Z")
    assert (queue["peak_lower_bound"], queue["peak"], queue["peak_upper_bound"]) == (45.0, 60.0, 75.0)
    assert (queue["above_100_at"], queue["likely_above_100"], queue["possible_above_100"]) == (None, 0, 0)


def test_a_series_tells_its_peaks_and_which_steps_still_ahead_exceed_what(client: FlaskClient, store: Store) -> None:
    high = {"prediction": (90.0, 120.0, 80.0), "lower_bound": (70.0, 95.0, 60.0), "upper_bound": (105.0, 140.0, 95.0)}
    store.forecasts.save(a_forecast(issued_at=NOW, maximum=140.0, **high))
    store.forecasts.save(a_forecast(issued_at=NOW, **MEMORY))
    told = client.get(f"{SERIES}?metric=used_capacity").json
    first, second, end = (f"{NOW + hours * HOUR:%Y-%m-%dT%H:%M:%SZ}" for hours in (0, 1, 3))
    peak = {"prediction": 120.0, "lower_bound": 95.0, "upper_bound": 140.0}
    assert told["peak"] == {"start_at": first, "end_at": end, "step": 2, "timestamp": second, "held": None, **peak}
    assert told["peaks"] == [told["peak"]]
    assert (told["unit"], told["guaranteed"], told["maximum"], told["limit"]) == ("percent", 100.0, 140.0, 140.0)
    assert told["above_100"] == told["beyond_share"] == {"level": 100.0, "likely": [second], "possible": [first]}
    assert told["over_limit"] == {"level": 140.0, "likely": [], "possible": [second]}
    unknown = client.get(f"{SERIES}?metric=used_memory_mb").json
    assert [unknown[name] for name in ("above_100", "over_limit", "beyond_share", "limit")] == [None] * 4


def test_actual_and_forecast_share_one_axis_and_a_gap_is_a_point(client: FlaskClient, known: None) -> None:
    answer = client.get(SERIES)
    assert (answer.json["issued_at"], answer.json["model"], answer.json["step_seconds"]) == (
        "2026-01-05T00:00:00Z",
        "seasonal_naive",
        3_600,
    )
    assert rows(answer) == [
        ("21:00", -3.0, None),
        ("22:00", -2.0, None),
        ("23:00", None, None),
        ("00:00", 0.0, 50.0),
        ("01:00", 1.0, 60.0),
        ("02:00", None, 55.0),
    ]


def test_a_part_is_cut_out_at_its_ends(client: FlaskClient, known: None) -> None:
    answer = client.get(f"{SERIES}?from=2026-01-04T22:00:00Z&to=2026-01-05T01:00:00%2B00:00")
    assert [at for at, _, _ in rows(answer)] == ["22:00", "23:00", "00:00"]


def test_an_earlier_issue_can_be_asked_for(client: FlaskClient, known: None) -> None:
    answer = client.get(f"{SERIES}?issued_at=2026-01-04T00:00:00Z")
    assert (answer.json["job_id"], [prediction for _, _, prediction in rows(answer)]) == ("job-0", [1.0, 2.0, 3.0])


def test_a_part_without_anything_is_empty(client: FlaskClient, known: None) -> None:
    assert client.get(f"{SERIES}?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z").json["points"] == []


def test_csv_has_the_same_rows_and_empty_cells_for_what_is_not_known(client: FlaskClient, known: None) -> None:
    answer = client.get(f"{SERIES}?format=csv&metric=used_capacity&job=Resource%20Forecasting")
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(lines) == 6
    assert lines[2] == {"timestamp": "2026-01-04T23:00:00Z", "actual": "", "prediction": "", "lower_bound": "", "upper_bound": ""}
    assert lines[3]["upper_bound"] == "60.0"


def test_a_distribution_is_told_with_the_steps_and_in_columns(client: FlaskClient, store: Store) -> None:
    store.forecasts.save(with_distribution(a_forecast(issued_at=NOW)))
    told = client.get(f"{SERIES}?level=75").json
    levels = {"q0.01": 20.6, "q0.5": 50.0, "q0.95": 77.0}
    assert told["points"][0]["quantiles"] | levels == pytest.approx(told["points"][0]["quantiles"])
    assert (told["peak"]["prediction"], told["peak"]["held"]) == (70.0, 94.0)
    assert told["peak_quantiles"]["values"][4] == [70.0]
    assert told["paths"] is None
    assert [(each["level"], each["likelihood"]) for each in told["breaches"]] == [(75.0, "25 %"), (100.0, "< 5 %")]
    assert len(client.get(f"{SERIES}?paths=true").json["paths"]) == 64
    (row, *_) = csv.DictReader(io.StringIO(client.get(f"{SERIES}?format=csv").text))
    assert (row["upper_bound"], row["q0.95"], row["q0.5"]) == ("77.0", "77.0", "50.0")


def test_each_step_ahead_tells_what_it_is_made_of_also_where_steps_are_left_out(client: FlaskClient, store: Store) -> None:
    hours = 150
    parts = Components(level=40.0, day=tuple(float(hour % 24) for hour in range(hours)), kinds=("release",))
    bands = dict.fromkeys(("prediction", "lower_bound", "upper_bound"), tuple(50.0 + hour for hour in range(hours)))
    store.forecasts.save(a_forecast(issued_at=NOW, components=parts, **bands))
    store.actuals.save(a_series(), [Point(timestamp=NOW - HOUR, value=1.0)])
    for query, count in (("", hours), ("?points=100", 50)):
        told = client.get(SERIES + query).json
        past, *ahead = told["points"]
        assert (past["components"], told["occasions"], len(ahead)) == (None, ["release"], count)
        assert all(sum(point["components"].values()) == pytest.approx(point["prediction"]) for point in ahead)
    assert ahead[0]["components"] == {"level": 40.0, "day": 2.0, "remainder": 10.0}
    store.forecasts.save(a_forecast(issued_at=NOW + HOUR))
    assert {point["components"] and "level" for point in client.get(SERIES).json["points"]} == {None}


@pytest.mark.parametrize(
    ("query", "loc"),
    [
        ("level=nan", "level"),
        ("paths=perhaps", "paths"),
        ("from=2026-01-05T00:00:00", "from"),
        ("from=yesterday", "from"),
        ("to=1767225600", "to"),
        ("from=2026-01-05T00:00:00Z&to=2026-01-05T00:00:00Z", "from"),
        ("from=1900-01-01T00:00:00Z", "from"),
        ("format=xml", "format"),
        ("until=now", "until"),
    ],
)
def test_a_query_that_is_not_accepted_is_refused(client: FlaskClient, known: None, query: str, loc: str) -> None:
    answer = client.get(f"{SERIES}?{query}")
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert answer.json["errors"][0]["loc"] == [loc]


@pytest.mark.parametrize("query", ["", "?metric=other", "?job=other", "?issued_at=2020-01-01T00:00:00Z", "?format=csv"])
def test_what_was_never_forecast_is_not_found(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/v1/queues/root.unknown/series{query}")
    assert (answer.status_code, answer.json["type"]) == (404, "urn:queuecast:queue-not-found")


@pytest.mark.parametrize("queue", ["root/etl", "a//b/series"])
def test_the_name_of_a_queue_may_hold_slashes(client: FlaskClient, store: Store, queue: str) -> None:
    store.forecasts.save(a_forecast(queue=queue))
    assert client.get(f"/v1/queues/{queue}/series").json["queue"] == queue


def test_a_thinned_series_keeps_peaks_gaps_and_the_first_step_of_the_forecast(client: FlaskClient, store: Store) -> None:
    values: list[float | None] = [1.0] * 1_000
    values[777], values[200:300] = 99.0, [None] * 100
    start = MONDAY - 1_000 * HOUR
    store.actuals.save(a_series(), [Point(timestamp=start + n * HOUR, value=v) for n, v in enumerate(values)])
    store.forecasts.save(a_forecast())
    answer = client.get(f"{SERIES}?from={start:%Y-%m-%dT%H:%M:%SZ}&points=100")
    points = answer.json["points"]
    assert len(points) <= 100
    assert max(point["actual"] or 0 for point in points) == 99.0
    assert sum(point["actual"] is None and point["prediction"] is None for point in points) >= 8
    assert next(point["timestamp"] for point in points if point["prediction"] is not None) == "2026-01-05T00:00:00Z"


def test_amounts_are_told_in_percent_of_the_guarantee_where_that_is_asked_for(client: FlaskClient, store: Store) -> None:
    amounts = {"metric": "demand_memory_mb", "unit": Unit.MEGABYTES, "guaranteed": 200.0, "issued_at": NOW}
    basis = Basis(p95_to_mean=1.25, saturated=0.5, at_least=0.25)
    forecast = a_forecast(**amounts, basis=basis)
    store.forecasts.save(forecast)
    store.actuals.save(forecast.series, [Point(timestamp=NOW - HOUR, value=150.0)])
    told = client.get(SERIES).json
    assert told["relative"] == {
        "guaranteed": 200.0,
        "factor": 0.5,
        "peak": 30.0,
        "peak_lower_bound": 22.5,
        "peak_upper_bound": 37.5,
    }
    assert told["basis"] == {"p95_to_mean": 1.25, "saturated": 0.5, "at_least": 0.25}
    percent = client.get(f"{SERIES}?unit=percent").json
    assert (percent["unit"], percent["guaranteed"], percent["relative"]) == ("percent", 100.0, None)
    assert [(point["actual"], point["prediction"]) for point in percent["points"]][:2] == [(75.0, None), (None, 25.0)]
    assert percent["peak"]["prediction"] == 30.0
    rows_of_csv = list(csv.DictReader(io.StringIO(client.get(f"{SERIES}?unit=percent&format=csv").text)))
    assert [row["prediction"] for row in rows_of_csv][1:] == ["25.0", "30.0", "27.5"]
    page = client.get("/queues/root.etl").text
    assert "30\u202f% of the 200\u202fMB guaranteed now" in page
    assert "At least: in 25\u202f% of the steps" in page
    assert "Each step is the mean of its samples, whose 95 % quantile was lately about 1.2 times that." in page


def test_percentages_of_an_unknown_guarantee_are_refused(client: FlaskClient, store: Store) -> None:
    store.forecasts.save(a_forecast(metric="demand_memory_mb", unit=Unit.MEGABYTES, guaranteed=None))
    answer = client.get(f"{SERIES}?unit=percent")
    assert answer.status_code == 422
    assert "accepted are forecasts of amounts of which it is known what the queue is guaranteed" in answer.text
