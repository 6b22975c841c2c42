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


@pytest.mark.parametrize("kind", [Mstl, Mfles])
def test_weeks_beside_days_know_the_weekend(kind: type[Mstl | Mfles]) -> None:
    history, future = a_wave(28, weekend=15.0)
    of_days, of_weeks = (np.abs(kind(seasons=s).forecast(history, 48) - future).mean() for s in get_args(Seasons))
    assert of_weeks < of_days / 2


@daily
def test_two_whole_seasons_are_needed(model: Model) -> None:
    assert model.missing(an_extent(48)) is None
    assert model.missing(an_extent(47)) == "it needs 48 steps of history, found 47"


@pytest.mark.parametrize("model", [Mstl(seasons="week"), Mfles(seasons="week")])
def test_weeks_need_two_of_them(model: Model) -> None:
    assert model.missing(an_extent(336)) is None
    assert model.missing(an_extent(335)) == "it needs 336 steps of history, found 335"


@pytest.mark.parametrize(
    ("step_seconds", "steps"), [(HOUR, 24), (600, 144), (7 * HOUR, 3), (DAY, 7), (5 * DAY, 1), (30 * DAY, 1)]
)
def test_the_season_is_the_day_and_the_week_where_a_step_is_a_day(step_seconds: int, steps: int) -> None:
    assert season(step_seconds) == steps


def test_ets_refuses_seasons_of_more_steps_than_it_can_search_for() -> None:
    assert Ets().missing(replace(an_extent(1_000), step_seconds=1_800)) == (
        "it needs a season of at most 24 steps, found 48: a longer step would do"
    )


@pytest.mark.parametrize("model", [Mstl(), Mfles()])
def test_without_a_season_there_is_nothing_to_decompose(model: Model) -> None:
    assert "there is none" in (model.missing(replace(an_extent(1_000), step_seconds=30 * DAY)) or "")


@pytest.mark.parametrize("model", [Mstl(seasons="week"), Mfles(seasons="week")])
def test_weeks_alone_are_not_weeks_beside_days(model: Model) -> None:
    assert "there are none" in (model.missing(replace(an_extent(1_000), step_seconds=DAY)) or "")


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
