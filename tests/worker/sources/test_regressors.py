"""Columns known ahead, from each source to the forecast; of all other columns nothing beyond the cutoff is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.domain.durations import Duration
from shared.domain.jobs import DataPlaces, Job, JobRequest, Place
from shared.errors import SourceNotFound
from tests.factories import MONDAY, a_load, a_request
from tests.worker.sources.stored import STORED, store_csv
from worker.job.catalogue import model_cards
from worker.job.ingestion import read_all, usage_query
from worker.pipeline.queue import QueueRun, run_queue
from worker.sources.base import Query, Reading, Source

WAYS = [pytest.param(("tmp_path" if name == "files" else where, ways[0]), id=name) for name, (where, ways) in STORED.items()]
AHEAD = 24


def planned(days: int = 14) -> pd.DataFrame:
    """A queue that does what is planned, at hours of no pattern, beside its daily course."""
    hours = days * 24 + AHEAD
    plan = np.random.default_rng(3).choice([0.0, 0.0, 0.0, 15.0], hours)
    times = pd.date_range(MONDAY - timedelta(days=days), periods=hours, freq="1h")
    usual = a_load(hours, end=MONDAY + timedelta(hours=AHEAD)).to_numpy()
    rows = pd.DataFrame({"queue": "root.etl", "timestamp": times, "used_capacity": usual + 2 * plan})
    return rows.assign(memory=np.random.default_rng(5).uniform(20, 40, hours), planned_load=plan)


def told(rows: pd.DataFrame) -> pd.DataFrame:
    """What is known at the cutoff is as it is; what comes then is far off, but for the plan."""
    is_ahead = rows["timestamp"] >= MONDAY
    return rows.assign(**{name: rows[name].mask(is_ahead, 1e6) for name in ("used_capacity", "memory")})


def reading_of(source: Source, request: JobRequest) -> tuple[Reading, list[Query]]:
    asked: list[Query] = []

    def read(query: Query) -> Reading:
        asked.append(query)
        return source.read(query)

    return read_all(request, usage_query(request, "root.etl", MONDAY), read), asked


def run_of(request: JobRequest, reading: Reading) -> QueueRun:
    job = Job(job_id="job", request=request, created_at=MONDAY)
    return run_queue(job, reading, queue="root.etl", issued_at=MONDAY, created_at=MONDAY, cards=model_cards())


def request_for(place: Place, **changes: Any) -> JobRequest:
    return a_request(data=DataPlaces(source=place, destination=place), **({"regressors": ("planned_load",)} | changes))


def error(found: QueueRun, rows: pd.DataFrame) -> float:
    actual = rows["used_capacity"].to_numpy()[-AHEAD:]
    return float(np.abs(np.array(found.forecast.prediction) - actual).sum() / actual.sum())


@pytest.mark.parametrize("stored", WAYS)
def test_what_is_planned_is_forecast_by_auto_and_nothing_else_ahead_is_read(
    stored: tuple[str, Callable[..., Any]], request: pytest.FixtureRequest
) -> None:
    where, way = stored
    rows = planned()
    source, place, *_ = way(request.getfixturevalue(where), told(rows))
    asked_for = request_for(place)
    reading, queries = reading_of(source, asked_for)
    for query in queries:
        assert query.end == MONDAY or (query.target is None and query.columns == ("planned_load",))
    assert reading.frame.index.max() < MONDAY
    assert "planned_load" not in reading.frame
    assert reading.regressors.index.max() == MONDAY + timedelta(hours=AHEAD - 1)
    found = run_of(asked_for, reading)
    without = replace(asked_for, regressors=())
    assert error(found, rows) < 0.1
    assert error(found, rows) < 0.5 * error(run_of(without, reading_of(source, without)[0]), rows)
    assert any(note.startswith("regressors used: 'planned_load' (+") for note in found.prepared.quality.notes)


@pytest.fixture
def plans(tmp_path: Path) -> Callable[..., tuple[Source, Place]]:
    return lambda rows: store_csv(tmp_path, rows)


def test_a_plan_that_ends_early_is_not_used_and_the_way_out_is_said(plans: Callable[..., tuple[Source, Place]]) -> None:
    rows = told(planned())
    source, place = plans(rows.assign(planned_load=rows["planned_load"].where(rows["timestamp"] < MONDAY + timedelta(hours=5))))
    found = run_of(request_for(place), reading_of(source, request_for(place))[0])
    said = next(text for text in found.prepared.quality.warnings if "planned_load" in text)
    assert "values at 5 of the 24 steps ahead" in said
    assert "write it up to 2026-01-06 00:00" in said
    assert found.prepared.snapshot.regressors.empty


def test_a_column_that_no_source_has_is_an_error_that_names_it(plans: Callable[..., tuple[Source, Place]]) -> None:
    source, place = plans(planned())
    with pytest.raises(SourceNotFound, match="regressor 'plan': "):
        reading_of(source, request_for(place, regressors=("planned_load", "plan")))


def test_regressors_that_are_constant_or_twins_break_no_model_and_are_told(plans: Callable[..., tuple[Source, Place]]) -> None:
    rows = planned().assign(flat=1.0, twin=lambda rows: rows["planned_load"] * 2, always=lambda rows: rows["timestamp"].dt.hour)
    source, place = plans(told(rows))
    asked_for = request_for(place, regressors=("planned_load", "flat", "twin", "always"), model=("prophet", "var", "theta"))
    found = run_of(asked_for, reading_of(source, asked_for)[0])
    assert error(found, rows) < 0.1
    assert {outcome.candidate.model for outcome in found.outcomes} >= {"prophet", "var", "theta"}
    text = "\n".join((*found.prepared.quality.notes, *found.prepared.quality.warnings))
    assert "'flat' is not used: it never changed" in text
    assert "which is used" in text


def test_what_goes_where_the_history_never_was_is_said(plans: Callable[..., tuple[Source, Place]]) -> None:
    rows = told(planned())
    source, place = plans(rows.assign(planned_load=rows["planned_load"].where(rows["timestamp"] < MONDAY, 90.0)))
    found = run_of(request_for(place), reading_of(source, request_for(place))[0])
    assert any("guessed along a straight line" in text for text in found.prepared.quality.warnings)


def test_a_plan_in_another_place_serves_the_usage_of_the_first(
    plans: Callable[..., tuple[Source, Place]], tmp_path: Path
) -> None:
    rows = planned()
    (tmp_path / "usage").mkdir()
    (tmp_path / "plan").mkdir()
    told(rows).drop(columns="planned_load").to_csv(tmp_path / "usage" / "root.etl.csv", index=False)
    rows[["queue", "timestamp", "planned_load"]].to_csv(tmp_path / "plan" / "root.etl.csv", index=False)
    source, _ = plans(rows.iloc[:1])
    (tmp_path / "rows.csv").unlink()
    places = (Place(name="files", path="usage/*.csv"), Place(name="files", path="plan/*.csv"))
    asked_for = request_for(places, future_prediction_time_period=Duration(12, "h"))
    reading, _ = reading_of(source, asked_for)
    assert reading.regressors.index.max() == MONDAY + timedelta(hours=11)
    assert list(reading.frame.columns) == ["used_capacity", "memory"]
