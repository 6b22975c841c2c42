"""A weekend learns from weekends, where these are unlike other days: bounds, peaks, paths."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from shared.domain.forecasts import Candidate, WindowForecast
from shared.domain.recipes import Member, Part
from tests.factories import MONDAY, a_spec
from tests.worker.pipeline.factories import NO_MEASURES, a_snapshot
from worker.models.base import FloatArray
from worker.pipeline.distribution.kinds import kinds_of
from worker.pipeline.distribution.pool import MIDDLE, at_levels
from worker.pipeline.distribution.whole import Distribution, Made, distribution
from worker.pipeline.history import known_at_issue
from worker.prepare.calendar import Dates

HOUR, DAY = 3_600, 86_400
ONE_DAY = timedelta(days=1)
SATURDAY, SUNDAY = MONDAY - 2 * ONE_DAY, MONDAY - ONE_DAY
MAX_ON_WEEKENDS = 40.0  # 20 is usual, 60 is what working hours have


def working_hours(days: int, end: datetime, step_seconds: int = HOUR) -> pd.Series:
    """20, and 60 in the working hours of weekdays; steps of whole days have 60 on weekdays."""
    times = pd.date_range(end=end - timedelta(seconds=step_seconds), periods=days * DAY // step_seconds, freq=f"{step_seconds}s")
    is_busy = (times.dayofweek < 5) & ((times.hour >= 8) & (times.hour < 18) | (step_seconds == DAY))
    noise = np.random.default_rng(5).normal(0, 1.5, len(times))
    return pd.Series(20.0 + 40.0 * is_busy + noise, index=times, name="used_capacity")


def told_of(
    load: pd.Series, end: datetime, horizon: int, *, step_seconds: int = HOUR, winner: str = "week", last: float = 0.3
) -> Distribution:
    """Of a blend of the day before, the week before, and the last value, which repeats what its winner says."""
    season, values = DAY // step_seconds, load.to_numpy()

    def said(name: str, at: int) -> FloatArray:
        period = {"week": 7 * season, "day": season, "last": 1}[name]
        return np.resize(values[at - period : at], horizon)

    spec = a_spec(horizon_steps=horizon, step_seconds=step_seconds, bounds=(None, None))
    known, _ = known_at_issue(a_snapshot(load, end=end, step_seconds=step_seconds), spec)
    candidates = {name: Candidate(model=name) for name in ("week", "day", "last")}
    votes = {"week": (1 - last) / 2, "day": (1 - last) / 2, "last": last}
    members = tuple(Member(candidate=each, weight=votes[name]) for name, each in candidates.items())
    forecasts = {each.label: said(name, len(values)) for name, each in candidates.items()}
    origins = range(len(values) - horizon, 7 * season - 1, -season)
    folds = [
        WindowForecast(
            origin_at=load.index[at].to_pydatetime(),
            actual=tuple(values[at : at + horizon].tolist()),
            prediction=tuple(said(winner, at).tolist()),
            measures=NO_MEASURES,
        )
        for at in list(origins)[:14]
    ]
    made = Made(prediction=said(winner, len(values)), recipe=(Part(members=members),), forecasts=forecasts)
    return distribution(made, folds, known, spec, end_at=end)


@pytest.mark.parametrize("days", [14, 28])
@pytest.mark.parametrize("end", [SATURDAY, SUNDAY], ids=["Saturday", "Sunday"])
def test_a_weekend_is_not_said_to_reach_what_only_weekdays_have_reached(days: int, end: datetime) -> None:
    whole = told_of(working_hours(days, end), end, 24)
    assert at_levels(whole.steps, [0.95]).max() < MAX_ON_WEEKENDS
    assert at_levels(whole.peaks, [0.95]).max() < MAX_ON_WEEKENDS
    assert whole.paths.max() < MAX_ON_WEEKENDS


def test_days_of_both_kinds_have_their_own_bounds_in_one_forecast() -> None:
    friday = SATURDAY - ONE_DAY
    whole = told_of(working_hours(28, friday), friday, 4 * 24)
    upper = at_levels(whole.peaks, [0.95])[0]
    assert (upper > MAX_ON_WEEKENDS).tolist() == [True, False, False, True]
    assert upper[3] == pytest.approx(63, abs=6)
    assert (whole.paths.reshape(len(whole.paths), 4, 24).max(axis=(0, 2)) > MAX_ON_WEEKENDS).tolist() == [
        True,
        False,
        False,
        True,
    ]


def test_steps_of_whole_days_know_the_kind_of_day_and_are_their_own_peaks() -> None:
    friday = SATURDAY - ONE_DAY
    whole = told_of(working_hours(60, friday, DAY), friday, 8, step_seconds=DAY)
    upper = at_levels(whole.steps, [0.95])[0]
    assert (upper[[1, 2]] < MAX_ON_WEEKENDS).all()
    assert (upper[[0, 3, 4, 5, 6, 7]] > MAX_ON_WEEKENDS).all()
    assert np.array_equal(whole.peaks, whole.steps)
    assert np.median(whole.paths, axis=0) == pytest.approx(whole.steps[MIDDLE], abs=0.5)


def test_a_last_day_of_one_step_has_the_distribution_of_that_step() -> None:
    whole = told_of(working_hours(28, MONDAY), MONDAY, 25)
    assert np.array_equal(whole.peaks[:, 1], whole.steps[:, 24])


@pytest.mark.parametrize("winner", ["day", "week"])
@pytest.mark.parametrize("hours", [5, 7])
def test_after_a_jump_steps_and_peaks_and_paths_have_one_median(winner: str, hours: int) -> None:
    load = working_hours(28, MONDAY) * 0.0 + 30.0
    load.iloc[-hours:] = 45.0
    whole = told_of(load, MONDAY, 24, winner=winner, last=0.9)
    lower, middle, upper = at_levels(whole.steps, [0.05, 0.5, 0.95])
    assert (np.abs(np.median(whole.paths, axis=0) - middle) <= 0.1 * np.maximum(upper - lower, 1e-9)).all()
    assert np.median(whole.paths.max(axis=1)) == pytest.approx(whole.peaks[MIDDLE, 0], abs=1.0)


@pytest.mark.parametrize(("days", "weekly", "differ"), [(14, True, True), (14, False, False), (5, True, False)])
def test_kinds_differ_only_where_two_days_of_a_weekend_and_three_others_are_apart(days: int, weekly: bool, differ: bool) -> None:
    load = working_hours(days, SATURDAY)
    values = load.to_numpy() if weekly else np.resize(load.to_numpy()[-24:], len(load))
    assert kinds_of(values, Dates.of(load.index), 24).differ is differ
