from __future__ import annotations

import warnings
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from shared.domain.forecasts import Candidate
from shared.domain.search_space import REFERENCE
from shared.errors import BadForecast, EmptySeries, UnknownModel
from tests.factories import a_spec
from tests.worker.pipeline.factories import Fixed, a_covariate, a_snapshot, answering
from worker.models.base import FloatArray, History
from worker.pipeline.history import Known, build, known_at, predict, reference_forecast
from worker.pipeline.snapshot import Snapshot

OPEN = (None, None)


def test_a_history_holds_the_steps_before_its_cutoff_and_the_calendar_beyond() -> None:
    snapshot = a_snapshot(cpu=a_covariate(1), memory=a_covariate(2))
    history = known_at(snapshot, 100, 24, a_spec(timezone="Europe/Berlin")).history
    assert history.target.tolist() == snapshot.frame["used_capacity"].iloc[:100].tolist()
    assert history.covariates.shape == (100, 2)
    assert (len(history.calendar), len(history.times)) == (124, 124)
    assert history.times[0] == snapshot.frame.index[0].tz_convert("Europe/Berlin").tz_localize(None)


def without_the_first(steps: int) -> Snapshot:
    """A snapshot whose target has no value in its first steps, while its covariate has."""
    snapshot = a_snapshot(cpu=a_covariate())
    frame = snapshot.frame.copy()
    frame.iloc[:steps, 0] = np.nan
    return replace(snapshot, frame=frame)


def test_steps_before_the_first_value_are_left_out() -> None:
    snapshot = without_the_first(5)
    history = known_at(snapshot, 100, 24, a_spec()).history
    assert history.length == 95
    assert history.times[0] == snapshot.frame.index[5].tz_localize(None)


def test_holidays_reach_into_the_horizon() -> None:
    snapshot = a_snapshot()
    tomorrow = (snapshot.end_at + timedelta(days=1)).date()
    history = known_at(snapshot, snapshot.length, 48, a_spec(holidays=(tomorrow, date(2030, 1, 1)))).history
    assert history.calendar.is_holiday.sum() == 24


def test_a_history_without_a_value_is_empty() -> None:
    with pytest.raises(EmptySeries, match="found 100 steps without a value of 'used_capacity'"):
        known_at(without_the_first(100), 100, 24, a_spec())


def test_a_candidate_becomes_its_model_with_its_hyperparameters() -> None:
    assert build(REFERENCE).days == 1  # type: ignore[attr-defined]
    with pytest.raises(UnknownModel, match="found 'oracle'"):
        build(Candidate(model="oracle"))


def a_known(n: int = 72, horizon: int = 24) -> Known:
    return known_at(a_snapshot(cpu=a_covariate()), n, horizon, a_spec())


def test_a_scaled_model_alone_sees_standard_scores_and_answers_in_the_target_s_unit() -> None:
    seen: list[History] = []

    class Repeats(Fixed):
        def forecast(self, history: History, horizon: int) -> FloatArray:
            seen.append(history)
            return history.target[-horizon:]

    class Scaled(Repeats):
        is_scaled = True

    known = a_known()
    history = known.history
    assert predict(Repeats(), known, OPEN).tolist() == history.target[-24:].tolist()
    forecast = predict(Scaled(), known, OPEN)
    assert forecast == pytest.approx(history.target[-24:], rel=1e-12)
    assert [seen[1].target.mean(), seen[1].target.std()] == pytest.approx([0, 1], abs=1e-9)
    assert [seen[1].covariates.mean(), seen[1].covariates.std()] == pytest.approx([0, 1], abs=1e-9)


@pytest.mark.parametrize("is_scaled", [False, True])
def test_a_forecast_of_the_wrong_length_is_refused(is_scaled: bool) -> None:
    class Short(Fixed):
        def forecast(self, history: History, horizon: int) -> FloatArray:
            return np.ones(horizon - 1)

    Short.is_scaled = is_scaled
    with pytest.raises(BadForecast, match=r"found shape \(23,\), expected \(24,\)"):
        predict(Short(), a_known(), OPEN)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("is_scaled", [False, True])
def test_a_forecast_that_is_not_finite_is_refused_and_never_patched(value: float, is_scaled: bool) -> None:
    answer = np.where(np.arange(24) == 3, value, 1.0)
    with pytest.raises(BadForecast, match=f"found {value} at step 4"):
        predict(answering(answer, is_scaled=is_scaled)(), a_known(), (0.0, 100.0))


def test_a_forecast_is_clipped_to_its_bounds() -> None:
    answer = np.linspace(-50, 150, 24)
    assert predict(answering(answer)(), a_known(), (0.0, 100.0)).tolist() == np.clip(answer, 0, 100).tolist()
    assert predict(answering(answer)(), a_known(), (None, 100.0)).min() == -50
    assert predict(answering(answer)(), a_known(), OPEN).tolist() == answer.tolist()


def test_numerical_warnings_of_a_library_do_not_leak() -> None:
    class Loud(Fixed):
        def forecast(self, history: History, horizon: int) -> FloatArray:
            warnings.warn("did not converge", RuntimeWarning, stacklevel=1)
            np.log(np.zeros(1))
            return np.ones(horizon)

    with warnings.catch_warnings(record=True) as leaked:
        warnings.simplefilter("always")
        predict(Loud(), a_known(), OPEN)
    assert leaked == []


def test_the_reference_forecast_is_that_of_its_candidate_from_the_first_whole_day_on() -> None:
    for known in (a_known(horizon=60), a_known(24, 60)):
        assert reference_forecast(known).tolist() == predict(build(REFERENCE), known, OPEN).tolist()
    assert np.isnan(reference_forecast(a_known(23, 5))).all()
