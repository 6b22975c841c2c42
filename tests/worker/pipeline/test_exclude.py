"""Times known to be bad are neither learned from nor scored on, whichever model it is, and that is said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.domain.durations import Duration
from shared.domain.occasions import Excluded
from shared.domain.samples import Fill, FillMethod
from shared.errors import EmptySeries
from tests.factories import MONDAY, a_job, a_load, a_request, a_spec
from tests.worker.pipeline.factories import a_covariate, a_snapshot
from worker.job.catalogue import model_cards
from worker.pipeline.backtest import backtest
from worker.pipeline.history import known_at
from worker.pipeline.queue import QueueRun, run_queue
from worker.sources.base import Reading

OUTAGE = Excluded(name="outage", start=MONDAY - timedelta(hours=40), end=MONDAY - timedelta(hours=10, minutes=30))
HOURS = slice(-40, -10)  # the steps that any part of it lies in


def an_outage(value: float) -> pd.Series:
    load = a_load()
    load.iloc[HOURS] = value
    return load


def run(load: pd.Series, **changes: Any) -> QueueRun:
    request = a_request(model=("theta", "hour_median"), data_ingestion_time_period=Duration(14, "d"), **changes)
    reading = Reading(frame=load.to_frame(), rows=len(load))
    return run_queue(a_job(request=request), reading, queue="root.etl", issued_at=MONDAY, created_at=MONDAY, cards=model_cards())


@pytest.mark.parametrize("value", [0.0, 1e6])
@pytest.mark.parametrize("fill", [Fill(), Fill(method=FillMethod.NONE)])
def test_nothing_is_learned_from_it_or_scored_on_it(value: float, fill: Fill) -> None:
    other = a_covariate()
    other.iloc[HOURS] = value
    snapshot = a_snapshot(an_outage(value), memory=other)
    spec = a_spec(exclude=(OUTAGE,), fill=fill)
    history = known_at(snapshot, snapshot.length, 24, spec).history
    assert np.abs(history.target - a_load().to_numpy()).max() < 20
    assert 1e9 < history.covariates.min() < history.covariates.max() < 2e10
    scored = np.concatenate([np.isfinite(fold.actual) for fold in backtest(snapshot, spec)])
    assert scored.tolist() == [not -40 <= hour < -10 for hour in range(-72, 0)]


def test_the_forecast_is_that_of_a_history_without_it_and_the_report_says_so() -> None:
    found, clean = run(an_outage(0.0), exclude=(OUTAGE,)), run(a_load())
    assert np.array(found.forecast.prediction) == pytest.approx(np.array(clean.forecast.prediction), abs=6)
    notes = found.prepared.quality.notes
    assert "'outage' is left out: nothing is learned from or scored on its 30 steps" in notes
    assert not any("level has changed" in warning for warning in found.prepared.quality.warnings)


def test_a_series_does_not_begin_anew_after_it() -> None:
    found = run(an_outage(np.nan), exclude=(OUTAGE,))
    assert found.prepared.snapshot.length == 14 * 24


def test_one_outside_of_the_history_is_said_to_change_nothing() -> None:
    ahead = Excluded(name="move", start=MONDAY + timedelta(days=1), end=MONDAY + timedelta(days=2))
    found, plain = run(a_load(), exclude=(ahead,)), run(a_load())
    assert found.forecast.prediction == plain.forecast.prediction
    assert "'move' lies outside of the history: leaving it out changes nothing" in found.prepared.quality.notes


@pytest.mark.parametrize("value", [9_999.0, 0.6])
def test_nothing_is_doubted_of_what_is_known_to_be_bad(value: float) -> None:
    quality = run(an_outage(value), exclude=(OUTAGE,)).prepared.quality
    assert quality.warnings == run(a_load()).prepared.quality.warnings


@pytest.mark.parametrize("good_days", [2, 4, 7, 10])
def test_a_history_that_begins_with_it_begins_after_it(good_days: int) -> None:
    begins = Excluded(name="before", start=MONDAY - timedelta(days=30), end=MONDAY - timedelta(days=good_days))
    found, brief = run(a_load(), exclude=(begins,)), run(a_load().iloc[-good_days * 24 :])
    assert found.prepared.snapshot.length == good_days * 24
    assert found.forecast.prediction == brief.forecast.prediction


def test_nothing_but_it_is_told() -> None:
    with pytest.raises(EmptySeries, match="lie within times of `exclude`"):
        run(a_load(), exclude=(Excluded(name="all", start=MONDAY - timedelta(days=30), end=MONDAY),))
