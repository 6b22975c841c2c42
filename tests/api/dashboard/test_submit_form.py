"""The form knows every field of the request, and a place's fields by the kind of its connection."""

from __future__ import annotations

import json

from pydantic import SecretStr
from werkzeug.datastructures import MultiDict

from api.dashboard.submit_form import (
    ADVANCED,
    ASKED,
    ELSEWHERE,
    FOLDED,
    FOUND,
    KINDS,
    connection_kinds,
    inputs,
    place_inputs,
)
from api.dashboard.typed import document_of, typed_in
from api.schema.limits import LimitsBody
from api.schema.requests import JobBody
from shared.config.connection import kinds
from shared.config.settings import Settings
from shared.connections.mongodb import MongodbConnection
from shared.domain.codec import to_said
from shared.domain.samples import Limits
from shared.domain.units import Unit
from tests.factories import a_request


def test_every_field_of_the_request_is_on_the_form_once() -> None:
    folded = [name for names in FOLDED.values() for name in names]
    on_the_form = [*FOUND, *ASKED, *folded, *ADVANCED, *ELSEWHERE]
    limits = [f"limits.{name}" for name in LimitsBody.model_fields]
    assert sorted(on_the_form) == sorted([*limits, *(name for name in JobBody.model_fields if name != "limits")])


def test_limits_of_an_earlier_job_are_filled_in_one_by_one() -> None:
    known = to_said(a_request(unit=Unit.FRACTION, limits=Limits(guaranteed="share", maximum=1.5)))
    assert [field.value for field in inputs(("unit", "limits.guaranteed", "limits.maximum"), known)] == [
        "fraction",
        "share",
        "1.5",
    ]
    assert [field.value for field in inputs(("unit", "limits.maximum"), {})] == ["", ""]


def test_a_field_shows_its_default_and_what_an_earlier_job_said() -> None:
    bounds, interval, deadline = inputs(("bounds", "interval", "deadline"), {"interval": 0.8, "bounds": [0.0, None]})
    assert (bounds.value, bounds.placeholder) == ("0.0, ", "0.0, ")
    assert (interval.value, interval.placeholder) == ("0.8", "0.9")
    assert (deadline.value, deadline.placeholder) == ("", "1h")


def test_what_must_be_given_is_said_to_be_needed() -> None:
    every = (*FOUND, *ASKED, *(name for names in FOLDED.values() for name in names), *ADVANCED)
    assert [field.path for field in inputs(every, {}) if field.is_required] == [
        *("data_ingestion_time_period", "future_prediction_time_period", "job_name", "aggregation_time_period")
    ]
    assert [field.label for field in inputs(ASKED, {})] == ["history", "horizon", "job name"]


def test_a_place_asks_for_what_the_kind_of_its_connection_takes() -> None:
    source = {field.label: field.connections for field in place_inputs("source", {})}
    assert {"path", "collection", "document", "measurement", "database"} <= set(source)
    assert source == {name: " ".join(kind for kind in kinds if name in kinds[kind].asks_of("source")) for name in source}
    asked = {field.label for field in place_inputs("destination", {})}
    assert asked == {"collection", "measurement", "database", "expires_in", "retention_policy"}


def test_an_earlier_job_fills_in_its_places() -> None:
    places = to_said(a_request())["data"]
    filled = {field.label: field.value for field in place_inputs("source", places["source"])}
    assert filled["path"] == places["source"]["path"]


def test_a_request_is_shown_without_what_is_at_its_default_and_is_accepted_again() -> None:
    document = to_said(a_request(interval=0.8))
    assert document["interval"] == 0.8
    assert "bounds" not in document
    assert JobBody.model_validate_json(json.dumps(document)).to_request() == a_request(interval=0.8)


def test_connections_are_known_by_name_and_kind(everything: Settings) -> None:
    kinds = {"archive": "mongodb", "files": "files", "influxdb": "influxdb", "mongodb": "mongodb"}
    assert connection_kinds(everything, None) == kinds


def test_connections_of_other_projects_are_not_named(settings: Settings) -> None:
    limited = MongodbConnection(url=SecretStr("mongodb://h/hr"), projects=("payroll", "board"))
    known = Settings(data_dir=settings.data_dir, uploads="off", connections={"hr": limited})
    assert connection_kinds(known, ("etl", "board")) == {"files": "files", "hr": "mongodb"}
    assert connection_kinds(known, ("etl",)) == {"files": "files"}
    assert connection_kinds(known, None) == {"files": "files", "hr": "mongodb"}  # who may ask for every project


def test_what_is_typed_becomes_the_request_that_the_script_makes_of_it_too() -> None:
    typed = {
        "data.source.name": "files",
        "data.source.path": " demo/** ",
        "queues": "root.a, root.b*",
        "bounds": "0, ",
        "interval": "0.8",
        "backtest_windows": "3",
        "max_candidates": "many",
        "accept_losses": "true",
        "where": '{"partition": "gpu"}',
        "exclude": "[1,",
        "holidays": "2026-01-01",
        "limits.maximum": "100",
        "owner": "  ",
    }
    document = document_of(typed_in(MultiDict(typed), typed), KINDS, ["ets"])
    assert document == {
        "data": {"source": {"name": "files", "path": "demo/**"}},
        "queues": ["root.a", "root.b*"],
        "bounds": [0, None],
        "interval": 0.8,
        "backtest_windows": 3,
        "max_candidates": "many",  # stays a text, so that the check says what is accepted
        "accept_losses": True,
        "where": {"partition": "gpu"},
        "exclude": "[1,",
        "holidays": ["2026-01-01"],
        "limits": {"maximum": 100},
        "model": ["ets"],
    }
    grids = {"hyperparameters.prophet.growth": "flat, linear", "hyperparameters.ets.days": "1, 7"}
    kinds = {"hyperparameters.prophet.growth": "strs", "hyperparameters.ets.days": "values"}
    assert document_of(grids, kinds, []) == {
        "hyperparameters": {"prophet": {"growth": ["flat", "linear"]}, "ets": {"days": [1, 7]}},
        "model": "auto",
    }
