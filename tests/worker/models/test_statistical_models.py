"""What statsforecast's models are given, and what is said where they cannot run."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from shared.errors import UnstableFit
from tests.worker.models.histories import DAY, HOUR, a_history, an_extent, daily_wave
from worker.models import models
from worker.models.base import FloatArray, History, Model
from worker.models.statistical_models import Ces, Ets, Mfles, Mstl, Seasons, Theta, season

DAILY: list[Model] = [Theta(), Ces(), Ets(), Mstl(), Mfles()]
daily = pytest.mark.parametrize("model", DAILY, ids=lambda model: type(model).__name__)


def a_wave(days: int, *, weekend: float = 0.0) -> tuple[History, FloatArray]:
    """So many days up to Friday midnight with little noise, `weekend` lower on Saturdays and Sundays; and that weekend."""
    history = a_history(days * 24, horizon=48)
    times = history.times - 2 * pd.Timedelta(days=1)
    values = daily_wave(times) - weekend * (times.dayofweek >= 5)
    noisy = values[:-48] + np.random.default_rng(1).normal(0, 0.5, days * 24)
    return replace(history, times=times, target=noisy), values[-48:]


@daily
def test_a_day_that_repeats_is_continued(model: Model) -> None:
    history, future = a_wave(14)
    assert np.abs(model.forecast(history, 48) - future).mean() < 2


@pytest.mark.parametrize("rise", [0, 10])
@pytest.mark.parametrize("model", [Theta(), Ces(), Ets()], ids=lambda model: type(model).__name__)
def test_a_fold_may_be_forecast_by_the_fit_of_one_before_where_that_still_fits(model: Model, rise: int) -> None:
    history, _ = a_wave(22)
    history.target[-5 * 24 :] += rise  # which the first fold has not seen
    asked = [(replace(history, target=history.target[: days * 24]), 24) for days in range(16, 23)]
    apart = [np.abs(model.forecast(*fold) - answer).mean() for fold, answer in zip(asked, model.forecasts(asked), strict=True)]
    assert max(apart) < 0.5
    assert (apart[0], apart[5]) == (0, 0)  # five days later there is a new fit


@daily
def test_a_time_that_stood_still_teaches_nothing_of_the_next(model: Model) -> None:
    history, _ = a_wave(14)
    still = replace(history, target=np.full(336, 7.0))
    one, other, again = model.forecasts([(still, 24), (history, 24), (still, 24)])
    assert (one.tolist(), other.tolist()) == (again.tolist(), model.forecast(history, 24).tolist())


@pytest.mark.parametrize("kind", [Mstl, Mfles])
def test_weeks_beside_days_know_the_weekend(kind: type[Mstl | Mfles]) -> None:
    history, future = a_wave(28, weekend=15.0)
    of_days, of_weeks = (np.abs(kind(seasons=s).forecast(history, 48) - future).mean() for s in get_args(Seasons))
    assert of_weeks < of_days / 2


@pytest.mark.parametrize(
    ("step_seconds", "steps"), [(HOUR, 24), (600, 144), (7 * HOUR, 3), (DAY, 7), (5 * DAY, 1), (30 * DAY, 1)]
)
def test_the_season_is_the_day_and_the_week_where_a_step_is_a_day(step_seconds: int, steps: int) -> None:
    assert season(step_seconds) == steps


WEEKLY: list[Model] = [Mstl(seasons="week"), Mfles(seasons="week")]


@pytest.mark.parametrize(("model", "needed"), [*((model, 48) for model in DAILY), *((model, 336) for model in WEEKLY)])
def test_two_whole_seasons_are_needed(model: Model, needed: int) -> None:
    assert model.missing(an_extent(needed)) is None
    assert model.missing(an_extent(needed - 1)) == f"it needs {needed} steps of history, found {needed - 1}"


@pytest.mark.parametrize(
    ("model", "step_seconds", "reason"),
    [
        (Ets(), 1_800, "it needs a season of at most 24 steps, found 48: a longer step would do"),
        *((model, 30 * DAY, "there is none") for model in (Mstl(), Mfles())),
        *((model, DAY, "there are none") for model in WEEKLY),  # weeks alone are not weeks beside days
    ],
)
def test_a_season_of_too_many_steps_or_of_none_is_refused(model: Model, step_seconds: int, reason: str) -> None:
    assert reason in (model.missing(replace(an_extent(1_000), step_seconds=step_seconds)) or "")


@pytest.mark.parametrize("name", ["theta", "ces", "ets", "mstl", "mfles"])
@pytest.mark.parametrize("values", ["zeros", "constant", "rare", "huge"])
def test_odd_series_end_in_a_forecast_or_in_a_reason(name: str, values: str) -> None:
    rare = np.where(np.arange(120) % 7 == 0, 3.0, 0.0)
    noisy = a_history(120).target
    target = {"zeros": noisy * 0, "constant": noisy * 0 + 5, "rare": rare, "huge": noisy * 1e12}[values]
    try:
        forecast = models[name]().forecast(replace(a_history(120), target=target), 24)
    except UnstableFit as error:
        assert "no variant of it could be fitted" in str(error)  # noqa: PT017 - either end is right, but no other one
    else:
        assert np.isfinite(forecast).all()


def test_what_the_library_cannot_fit_is_told_in_our_words() -> None:
    history = a_history(120)
    with pytest.raises(UnstableFit, match="no variant of it could be fitted"):
        Ces().forecast(replace(history, target=daily_wave(history.times[:120])), 24)  # without noise nothing is left to fit
