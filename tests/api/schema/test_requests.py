"""What the form of a request accepts and refuses; nothing is ignored, nothing converted silently."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from api.edge.refusals import field_problems
from api.schema.forms import Form
from api.schema.queries import SeriesQuery
from api.schema.requests import EXAMPLE, JobBody
from shared.domain.choice import Metric, SelectionRule
from shared.domain.codec import from_json, to_json
from shared.domain.durations import Duration
from shared.domain.jobs import DataPlaces, JobRequest, Place
from shared.domain.occasions import Event, EventFile, Excluded
from shared.domain.samples import Aggregation, Fill, FillMethod
from tests.api.bodies import SAMPLE, a_body


def request_of(body: dict[str, Any]) -> JobRequest:
    return JobBody.model_validate(body).to_request()


def test_the_sample_payload_is_accepted_to_the_letter() -> None:
    assert request_of(SAMPLE) == JobRequest(
        job_name="Resource Forecasting",
        job_description="Get predictions for next 'k' days/hours/months",
        user_name="Bob",
        project="capacity forecasting",
        owner="ui-service",
        data=DataPlaces(
            source=Place(name="mongodb", document="document_name", collection="collection_name"),
            destination=Place(name="influxdb", database="db_name", measurement="measurement_name"),
        ),
        aggregation_time_period=Duration(1, "h"),
        data_ingestion_time_period=Duration(5, "d"),
        future_prediction_time_period=Duration(3, "d"),
        model=("prophet",),
    )


def test_the_example_of_the_documentation_is_accepted() -> None:
    assert request_of(EXAMPLE).data.source.path == "*.csv"


def test_what_is_left_out_has_the_default_of_the_glossary() -> None:
    request = request_of(a_body())
    same = JobRequest(
        job_name=request.job_name,
        data=request.data,
        aggregation_time_period=request.aggregation_time_period,
        data_ingestion_time_period=request.data_ingestion_time_period,
        future_prediction_time_period=request.future_prediction_time_period,
    )
    assert request == same


@pytest.mark.parametrize(
    ("field", "given", "becomes"),
    [
        ("model", "auto", "auto"),
        ("model", "var", ("var",)),
        ("model", ["var", "lstm"], ("var", "lstm")),
        ("hyperparameters", {"m": {"a": [1, 1.5, True, "x"]}}, {"m": {"a": (1, 1.5, True, "x")}}),
        ("queues", ["root.etl", "root.*"], ("root.etl", "root.*")),
        ("target", "metrics.used", "metrics.used"),
        ("columns", ["pending"], ("pending",)),
        ("columns", [], ()),
        ("regressors", ["planned_load"], ("planned_load",)),
        ("aggregation", "max", Aggregation.MAX),
        ("ingestion_delay", "30min", Duration(30, "min")),
        ("fill", {"method": "previous_day", "longest": "6h"}, Fill(method=FillMethod.PREVIOUS_DAY, longest=Duration(6, "h"))),
        ("backtest_windows", 5, 5),
        ("selection", "robust", SelectionRule.ROBUST),
        ("metric", "wape", Metric.WAPE),
        ("baselines", False, False),
        ("interval", 0.8, 0.8),
        ("quantiles", [0.8, 0.975], (0.8, 0.975)),
        ("bounds", [None, 100], (None, 100.0)),
        ("timezone", "Europe/Berlin", "Europe/Berlin"),
        ("holidays", "DE", "DE"),
        ("holidays", "de-by", "DE-BY"),
        ("holidays", ["2026-01-01", "at"], (date(2026, 1, 1), "AT")),
        (
            "events",
            [{"name": "fair", "start": "2026-01-05", "end": "2026-01-06"}],
            (Event(name="fair", start=datetime(2026, 1, 5, tzinfo=UTC), end=datetime(2026, 1, 7, tzinfo=UTC)),),
        ),
        (
            "exclude",
            [{"name": "outage", "start": "2026-01-05T08:00:00Z", "end": "2026-01-05"}],
            (Excluded(name="outage", start=datetime(2026, 1, 5, 8, tzinfo=UTC), end=datetime(2026, 1, 6, tzinfo=UTC)),),
        ),
        (
            "events",
            [{"name": "run 1", "kind": "run", "start": "2026-01-05T08:00:00+01:00", "end": "2026-01-05T09:00:00Z"}],
            (
                Event(
                    name="run 1",
                    kind="run",
                    start=datetime(2026, 1, 5, 7, tzinfo=UTC),
                    end=datetime(2026, 1, 5, 9, tzinfo=UTC),
                ),
            ),
        ),
        ("as_of", "2026-01-05T01:00:00+01:00", datetime(2026, 1, 5, tzinfo=UTC)),
        ("deadline", "10 minutes", Duration(10, "min")),
        ("max_candidates", 10, 10),
        ("aggregation_time_period", "1 week", Duration(1, "w")),
        ("data_ingestion_time_period", "2mo", Duration(2, "mo")),
        ("job_description", "two\nlines", "two\nlines"),
    ],
)
def test_every_optional_field_is_obeyed(field: str, given: Any, becomes: Any) -> None:
    value = getattr(request_of(a_body(field, given)), field)
    assert value == becomes
    assert repr(value) == repr(becomes)  # 1 is not True, 1.0 is not 1


REFUSED = [
    ("job_name", "", "accepted are texts"),
    ("job_name", "   ", "accepted are texts"),
    ("job_name", "ends in \\", "backslash"),
    ("job_name", "x" * 201, "at most 200"),
    ("job_name", 7, "string"),
    ("user_name", "a\u202eb", "control"),
    ("job_name", "a\u2028b", "control"),
    ("job_description", "a\x07", "control"),
    ("data.source.name", "", "not empty"),
    ("data.source.url", "mongodb://evil", "known are name, collection, database, document, measurement, path"),
    ("data.source.collection", "system.users", "belongs to the database"),
    ("data.source.collection", "a b", "letters"),
    ("data.source.database", "admin", "belongs to the database"),
    ("data.source.database", "db/rp", "letters"),
    ("data.source.database", "_internal", "belongs to the database"),
    ("data.source.collection", "$cmd", "letters"),
    ("data.source.collection", "a\0b", "letters"),
    ("data.source", [{"name": "files", "x": 1}], "known are name"),
    ("data.source.path", "", "not accepted"),
    ("aggregation_time_period", "5m", "accepted is a whole number, at least 1, and a unit"),
    ("aggregation_time_period", "1mo", "not in months"),
    ("aggregation_time_period", "2w", "from 1min to 1w"),
    ("aggregation_time_period", 3600, "a duration is a text"),
    ("data_ingestion_time_period", "1.5d", "accepted is a whole number, at least 1, and a unit"),
    ("data_ingestion_time_period", "30min", "0 steps of 1h"),
    ("data_ingestion_time_period", "60000w", "100 years"),
    ("future_prediction_time_period", "0h", "accepted is a whole number, at least 1, and a unit"),
    ("future_prediction_time_period", "15mo", "accepted are 1 to 10000"),
    ("future_prediction_time_period", "１d", "accepted is a whole number, at least 1, and a unit"),
    ("model", 5, "auto, the name of a model, or a list of names"),
    ("model", ["Prophet!"], "small letters"),
    ("model", None, "auto, the name of a model, or a list of names"),
    ("hyperparameters", {"m": {"a": []}}, "accepted are 1 to"),
    ("hyperparameters", {"m": {"a": 1}}, "tuple"),
    ("hyperparameters", {"m": {"a": [float("nan")]}}, "finite numbers"),
    ("hyperparameters", {"m": {"a": [10**400]}}, "finite numbers"),
    ("hyperparameters", {"m": {"a": [[1]]}}, "finite numbers"),
    ("queues", ["a\nb"], "control"),
    ("queues", ["a\u202eb"], "direction of writing"),
    ("queues", ["  "], "white space"),
    ("queues", ["q" * 201], "at most 200"),
    ("queues", "root", "tuple"),
    ("target", "a\nb", "without control characters"),
    ("target", "timestamp", "different columns"),
    ("queue_field", "timestamp", "different columns"),
    ("queue_field", ["queue", "queue"], "different columns"),
    ("queue_field", [], "1 to 5"),
    ("where", {"partition": {}}, "accepted are finite numbers, short texts"),
    ("where", {"partition": []}, "1 to 100"),
    ("samples_timezone", "Europe/Berlim", "no time zone"),
    ("csv", {"decimal": ",", "thousands": ","}, "different signs"),
    ("csv", {"separator": ";;"}, "at most 1 character"),
    ("missing_values", ["-1"], "valid number"),
    ("quantiles", [0.0], "greater than or equal to 0.01"),
    ("quantiles", [99], "less than or equal to 0.99"),
    ("quantiles", [0.5] * 21, "accepted are 0 to 20"),
    ("quantiles", 0.5, "tuple"),
    ("ingestion_delay", "2mo", "accepted"),
    ("fill", {"method": "zero"}, "'interpolate', 'previous_day' or 'none'"),
    ("fill", {"longest": "6 steps"}, "accepted is a whole number"),
    ("fill", {"limit": "6h"}, "not permitted"),
    ("queues_from_columns", 1, "valid boolean"),
    ("columns", ["queue"], "accepted are columns of numbers"),
    ("regressors", ["timestamp"], "accepted are columns of numbers"),
    ("regressors", ["used_capacity"], "is the target"),
    ("regressors", ["plan", "plan"], "named twice"),
    ("columns", [{"$ne": 1}], "string"),
    ("aggregation", "sum", "'mean', 'median', 'min', 'max', 'p95' or 'time_weighted_mean'"),
    ("backtest_windows", 0, "greater than or equal to 1"),
    ("backtest_windows", True, "integer"),
    ("selection", "best", "lowest_mape"),
    ("metric", "rmse", "mase"),
    ("baselines", "no", "boolean"),
    ("backtest_windows", "3", "integer"),
    ("interval", 1.0, "less than or equal to 0.99"),
    ("interval", float("nan"), "finite"),
    ("interval", "0.9", "number"),
    ("bounds", [100, 0], "not below the upper bound"),
    ("bounds", [0], "required"),
    ("bounds", [float("-inf"), 0], "finite"),
    ("timezone", "Mars/Olympus", "IANA names"),
    ("timezone", "../etc/passwd", "IANA names"),
    ("timezone", "localtime", "IANA names"),
    ("holidays", "Germany", "country code"),
    ("holidays", "XX", "the holidays of XX are not known; accepted are ISO 3166 codes"),
    ("holidays", "DE-XX", "no part XX of DE is known; accepted are BB, BE, BW, BY"),
    ("holidays", ["2026-02-30"], "month"),
    ("holidays", [20260101], "country code"),
    ("holidays", ["2026-01-01"] * 1_001, "at most 1000"),
    ("holidays", ["DE"] * 51, "at most 50 codes"),
    ("events", [{"ical": "x.ics", "start": "2026-01-05"}], "known are ical, name, kind"),
    ("events", [{"ical": ""}], "accepted are paths"),
    ("events", [{"ical": 5}], "string"),
    ("events", [{"ical": "usage.csv"}], "accepted are paths that end in .ics"),
    ("events", [{"name": "a\u202eb", "start": "2026-01-05", "end": "2026-01-05"}], "without control characters"),
    ("events", [{"ical": "../x.ics"}], "may leave the connection's folder"),
    ("events", [{"ical": "x.ics"}] * 6, "found 6 iCal files, accepted are 5"),
    ("exclude", [{"ical": "x.ics"}], "required"),
    ("exclude", [{"name": "outage", "start": "2026-01-05", "end": "2026-01-05", "kind": "x"}], "not permitted"),
    ("exclude", [{"name": "outage", "start": "2026-01-05", "end": "2026-01-04"}], "ends after their beginnings"),
    ("events", [{"name": "fair", "start": "2026-01-05"}], "required"),
    ("events", [{"name": "fair", "start": "2026-01-05T08:00:00", "end": "2026-01-06"}], "a moment with its zone"),
    ("events", [{"name": "fair", "start": "2026-01-05", "end": "2026-01-04"}], "ends after their beginnings"),
    ("events", [{"name": "fair", "start": "2026-01-05", "end": "2026-01-05", "kinds": ""}], "not permitted"),
    ("events", [{"name": "fair", "start": "2026-01-05", "end": "2026-01-05"}] * 1_001, "0 to 1000"),
    ("as_of", "2026-01-05T00:00:00", "with a time zone"),
    ("as_of", 1767225600, "ISO 8601"),
    ("as_of", "0001-01-01T00:00:00+14:00", "ISO 8601"),
    ("deadline", "30d", "from 1min to 7d"),
    ("max_candidates", 0, "greater than or equal to 1"),
    ("unheard_of", 1, "known are job_name"),
]


@pytest.mark.parametrize(("field", "value", "message"), REFUSED, ids=[f"{field}={value!r:.30}" for field, value, _ in REFUSED])
def test_what_is_not_accepted_is_refused_at_its_place(field: str, value: Any, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        request_of(a_body(field, value))
    places = [".".join(map(str, problem.loc)) for problem in field_problems(caught.value, JobBody)]
    assert any(place.startswith(field) or (field == "target" and place == "queue_field") for place in places)
    if "known are" not in message:  # api/edge/problems.py says what is known
        assert message in str(caught.value)


@pytest.mark.parametrize("field", list(a_body()))
def test_a_required_field_is_missed(field: str) -> None:
    body = a_body()
    del body[field]
    with pytest.raises(ValidationError, match="Field required"):
        request_of(body)


@pytest.mark.parametrize(
    ("field", "value", "place"),
    [
        ("limits", {"maximum": "most"}, "limits"),
        ("queue_field", ["queue", "partition"], "queues_from_columns"),
        ("columns", ["load"], "queues_from_columns"),
    ],
)
def test_where_each_column_is_a_queue_no_other_column_is_named(field: str, value: Any, place: str) -> None:
    with pytest.raises(ValidationError, match="each column") as caught:
        request_of(a_body(field, value) | {"queues_from_columns": True})
    assert [problem.loc for problem in field_problems(caught.value, JobBody)] == [[place]]
    request_of(a_body("limits", {"guaranteed": 50, "maximum": 85}) | {"queues_from_columns": True})


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        request_of(a_body() | {"interval": 2, "aggregation": "sum", "deadline": "never", "x": 1})
    assert {error["loc"] for error in caught.value.errors()} == {("interval",), ("aggregation",), ("deadline",), ("x",)}


def test_a_time_in_an_address_needs_its_zone() -> None:
    with pytest.raises(ValidationError, match="%2B"):
        SeriesQuery.model_validate({"from": "2026-01-05T00:00:00 01:00"})


def test_several_sources_are_one_with_the_target_and_others_with_covariates() -> None:
    places = [{"name": "files", "path": "usage.csv"}, {"name": "files", "path": "nodes/*.csv"}]
    data = request_of(a_body("data.source", places)).data
    assert [place.path for place in data.sources] == ["usage.csv", "nodes/*.csv"]
    assert len(request_of(a_body()).data.sources) == 1


def test_events_may_lie_in_files_of_the_source_or_of_another_connection() -> None:
    given = [{"ical": "all.ics", "kind": "patches"}, {"name": "fair", "start": "2026-01-05", "end": "2026-01-05"}]
    request = request_of(a_body("events", [*given, {"ical": "a/b.ics", "name": "calendars"}]))
    assert [event.name for event in request.known_events] == ["fair"]
    assert request.event_files == (
        EventFile(ical="all.ics", name=request.data.sources[0].name, kind="patches"),
        EventFile(ical="a/b.ics", name="calendars"),
    )
    assert from_json(JobRequest, to_json(request)) == request


def forms(kind: type[Form] = Form) -> Iterator[type[Form]]:
    for form in kind.__subclasses__():
        yield form
        yield from forms(form)


@pytest.mark.usefixtures("client")  # which has every body
@pytest.mark.parametrize("given", ["yes", "true", 1, 0.0])
def test_true_and_false_of_every_body_are_no_texts_and_no_numbers(given: object) -> None:
    flags = [(form, name) for form in forms() if form.__name__.endswith("Body") for name in flags_of(form)]
    assert len(flags) > 6
    assert [flag for flag in flags if "bool_type" not in errors_at(*flag, given)] == []


def flags_of(form: type[Form]) -> list[str]:
    return [name for name, field in form.model_fields.items() if bool in {field.annotation, *get_args(field.annotation)}]


def errors_at(form: type[Form], name: str, given: object) -> set[str]:
    with pytest.raises(ValidationError) as refused:
        form.model_validate({name: given})
    return {error["type"] for error in refused.value.errors() if error["loc"][:1] == (name,)}
