"""History and forecast → the components of the forecast, made alike for every model and without any fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.domain.components import Components, Steps
from shared.domain.forecasts import ForecastSpec
from shared.domain.timegrid import SECONDS_PER_DAY
from worker.models.base import FloatArray
from worker.pipeline.history import Known, clip

MIN_WEEKS = 2  # of history: one week alone cannot tell a weekday from what happened on it
DAYS_OF_WEEK = 7
EPOCH_DAY_OF_WEEK = 3  # 1970 began on a Thursday
DIGITS = 6  # kept of a component, significant ones
TINY = 1e-9  # a factor below it has left nothing of what was forecast


def components(prediction: FloatArray, known: Known, spec: ForecastSpec, first: int) -> Components:
    """What the delivered prediction is made of, from step `first` (0, 1, …) on; shape (horizon,) as it was forecast."""
    history = known.history
    places = known.places + history.length  # rows of the wall clock, history and future
    at = places[first:]
    level, usual = float(np.median(known.seen)), float(np.median(history.target))
    day = _medians(history.target - usual, time_of_day(history.times))
    departures = history.target - usual - day[: history.length]
    has_weeks = history.length >= MIN_WEEKS * DAYS_OF_WEEK * history.steps_per_day
    week = _medians(departures, time_of_week(history.times)) if has_weeks else np.zeros(len(day))
    planned = known.influence.effect[-len(day) :][places]
    special = _special(prediction, known, usual + day[places], planned, spec)[first:]
    return Components(
        level=_rounded(level),
        shift=_rounded(usual - level),
        day=_steps(day[at]),
        week=_steps(week[at]),
        regressors=_steps(planned[first:]),
        occasions=_steps(special),
        kinds=tuple(sorted(_kinds(known))) if special.any() else (),
    )


def time_of_day(times: pd.DatetimeIndex) -> NDArray[np.int_]:
    """Seconds since midnight on the wall clock."""
    return _seconds(times) % SECONDS_PER_DAY


def time_of_week(times: pd.DatetimeIndex) -> NDArray[np.int_]:
    """The same with the day of the week."""
    return (_seconds(times) + EPOCH_DAY_OF_WEEK * SECONDS_PER_DAY) % (DAYS_OF_WEEK * SECONDS_PER_DAY)


def _seconds(times: pd.DatetimeIndex) -> NDArray[np.int_]:
    """Since the beginning of 1970 on the wall clock."""
    return times.to_numpy("datetime64[s]").view(np.int64)


def _medians(values: FloatArray, keys: NDArray[np.int_]) -> FloatArray:
    """Of each time, the median of the history's values at this time; 0 where there is none. Shape of `keys`."""
    times, place = np.unique(keys, return_inverse=True)
    seen = place[: len(values)]
    ranked, counts = values[np.lexsort((values, seen))], np.bincount(seen, minlength=len(times))
    begins, last = np.cumsum(counts) - counts, len(values) - 1
    lower, upper = (np.clip(begins + many // 2, 0, last) for many in (counts - 1, counts))
    medians: FloatArray = np.where(counts > 0, (ranked[lower] + ranked[upper]) / 2, 0.0)
    return medians[place]


def _special(prediction: FloatArray, known: Known, usual: FloatArray, planned: FloatArray, spec: ForecastSpec) -> FloatArray:
    """What occasions have made of each step; where they have left nothing of the forecast, against what is usual.

    A prediction at the edge of the physical range may have been beyond it: an ordinary day would not have been.
    """
    ahead = known.ahead_in_utc()
    shift = ahead.shift - planned
    is_left = np.abs(ahead.scale) > TINY
    ordinary = planned + np.where(is_left, (prediction - ahead.shift) / np.where(is_left, ahead.scale, 1.0), usual)
    is_touched = (known.places >= 0) & ((ahead.scale != 1.0) | (shift != 0.0))
    special: FloatArray = np.where(is_touched, prediction - clip(ordinary, spec.bounds), 0.0)
    return special


def _kinds(known: Known) -> set[str]:
    """Of the occasions ahead that have an effect."""
    ahead = set(known.occasions.owner[-known.horizon :].tolist()) - {-1}
    kinds = {known.occasions.all[index].kind for index in ahead}
    return {kind for kind in kinds if kind in known.effects and known.effects[kind].share > 0}


def _steps(values: FloatArray) -> Steps:
    return tuple(_rounded(value) for value in values.tolist()) if values.any() else ()


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}") + 0.0
