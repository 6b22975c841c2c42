from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.domain.codec import from_document, from_json, to_json
from shared.domain.forecasts import Candidate, Failure, Forecast, Measures, Outcome, Score, WindowForecast
from shared.domain.jobs import Job, JobRequest
from shared.domain.occasions import Event, Excluded
from tests.factories import MONDAY, a_forecast, a_job, a_request

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
HYPERPARAMETERS = st.dictionaries(st.text(), st.text() | st.integers(-(2**63), 2**63) | NUMBERS | st.booleans())
MEASURES = Measures(mape=None, wape=7.0, smape=None, mase=0.8, rmse=3.25, skill=-0.2, steps=3, skipped_steps=1)


@given(HYPERPARAMETERS, st.tuples(NUMBERS, NUMBERS))
def test_a_value_comes_back_from_its_document_to_the_bit_and_the_type(given_: dict[str, Any], numbers: tuple[float, ...]) -> None:
    forecast = a_forecast(hyperparameters=given_, prediction=numbers, lower_bound=numbers, upper_bound=numbers)
    for twin in (from_json(Forecast, to_json(forecast)), from_document(Forecast, json.loads(to_json(forecast)))):
        assert twin == forecast
        assert {name: type(value) for name, value in twin.hyperparameters.items()} == {
            name: type(value) for name, value in given_.items()
        }


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"holidays": "DE"},
        {"holidays": (date(2026, 1, 1), "DE-BY", date(2026, 12, 25))},
        {"exclude": (Excluded(name="outage", start=MONDAY, end=MONDAY + timedelta(hours=3)),)},
        {"events": (Event(name="release", start=MONDAY, end=MONDAY + timedelta(hours=3), kind="x"),)},
        {"model": ("prophet", "var"), "hyperparameters": {"prophet": {"scale": (0.5, 1.0), "order": (3,), "growth": ("flat",)}}},
        {"bounds": (None, 100.0), "columns": ("a", "b"), "queues": ("root.*",), "job_description": 'ä "quoted"\n\u2028line'},
    ],
    ids=["default", "country", "days", "excluded", "events", "grids", "texts"],
)
def test_requests_come_back_as_they_were(changes: dict[str, Any]) -> None:
    request = a_request(**changes)
    assert from_json(JobRequest, to_json(request)) == request
    assert from_json(Job, to_json(a_job(request=request))) == a_job(request=request)


@pytest.mark.parametrize(
    "outcome",
    [
        Failure(candidate=Candidate(model="var"), error="NeedsMoreHistory", reason="found 3 steps"),
        Score(
            candidate=Candidate(model="prophet"),
            measures=MEASURES,
            windows=(WindowForecast(origin_at=MONDAY, actual=(1.0, None), prediction=(1.0, 2.0), measures=MEASURES),),
            seconds=0.1,
        ),
    ],
    ids=["failure", "score"],
)
def test_of_a_union_the_right_kind_comes_back(outcome: Outcome) -> None:
    assert from_json(Outcome, to_json(outcome, Outcome)) == outcome
    assert from_json(list[Outcome], to_json([outcome, outcome], list[Outcome])) == [outcome, outcome]


def test_times_are_iso_texts_and_durations_theirs() -> None:
    document = json.loads(to_json(a_job(created_at=datetime(2026, 1, 5, 9, tzinfo=timezone(timedelta(hours=9))))))
    assert datetime.fromisoformat(document["created_at"]).astimezone(UTC) == MONDAY
    assert document["request"]["deadline"] == "1h"
    assert document["state"] == "queued"


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("where", ["prediction", "mape", "hyperparameters"])
def test_a_number_that_is_not_finite_has_no_document(number: float, where: str) -> None:
    value = {"prediction": (1.0, 2.0, number), "mape": number, "hyperparameters": {"scale": number}}[where]
    with pytest.raises(ValueError, match="a Forecast with a number that is not finite has no document"):
        to_json(a_forecast(**{where: value}))


def test_words_that_stand_for_such_numbers_are_texts_like_any_other() -> None:
    job = a_job(request=a_request(job_description="to -Infinity, NaN"))
    assert from_json(Job, to_json(job)) == job


def test_json_is_compact_and_keeps_its_letters() -> None:
    text = to_json({"größe": [1, 2.5, None, True]}, dict[str, Any])
    assert text == '{"größe":[1,2.5,null,true]}'
    assert json.loads(text) == {"größe": [1, 2.5, None, True]}


def test_a_document_of_another_kind_is_refused() -> None:
    with pytest.raises(ValidationError, match="job_name"):
        from_document(JobRequest, json.loads(to_json(a_request())) | {"job_name": 5})
    with pytest.raises(ValidationError, match="Field required"):
        from_json(JobRequest, "{}")
