"""One contract for every registered model, with every point of its grid."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from shared.domain.jobs import Hyperparameter
from shared.domain.lanes import Lane
from shared.errors import UnknownModel, UnstableFit
from tests.worker.models.histories import DAY, HOUR, a_history, an_extent
from worker.models import models
from worker.models.base import History, Model

HORIZON = 30  # more than a day, and no multiple of one


def _grid_points(name: str) -> list[dict[str, Hyperparameter]]:
    grid = models[name].grid
    return [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]


CANDIDATES = [
    pytest.param(models[name](**point), id=" ".join([name, *map(str, point.values())]))
    for name in models
    for point in _grid_points(name)
]
every_candidate = pytest.mark.parametrize("model", CANDIDATES)
every_model = pytest.mark.parametrize("name", list(models))


def test_the_promised_models_are_registered() -> None:
    statistical = {"theta", "ces", "ets", "mstl", "mfles"}
    assert {"last_value", "seasonal_naive", "hour_mean", "prophet", "var", "lstm"} | statistical <= set(models)


def test_an_unknown_model_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownModel, match=r"'profet', known are .*prophet"):
        models["profet"]


@every_candidate
def test_a_forecast_is_finite_new_and_repeatable_and_leaves_the_history_as_it_was(model: Model) -> None:
    history, untouched = a_history(horizon=HORIZON), a_history(horizon=HORIZON)
    for array in (history.target, history.covariates):
        array.flags.writeable = False
    forecast = model.forecast(history, HORIZON)
    assert (forecast.shape, forecast.dtype) == ((HORIZON,), np.float64)
    assert np.isfinite(forecast).all()
    assert not np.shares_memory(forecast, history.target)
    assert _content(history) == _content(untouched)
    assert model.forecast(untouched, HORIZON).tobytes() == forecast.tobytes()


def _content(history: History) -> tuple[Any, ...]:
    frame = history.calendar
    arrays = (history.target, history.covariates, frame.to_numpy(), frame.index.asi8, history.times.asi8)
    return (*(array.tobytes() for array in arrays), list(frame.columns), history.seed)


@every_model
def test_what_is_not_refused_can_be_forecast(name: str) -> None:
    """UnstableFit is about the data, which only a fit can tell; everything else `missing` has to foresee."""
    model = models[name](**({"epochs": 1} if name == "lstm" else {}))
    lengths, horizons, steps = (1, 2, 9, 10, 24, 47, 48, 72, 80, 120), (1, 24, 40), (HOUR, 7 * HOUR, DAY, 5 * DAY)
    tried = 0
    for length, horizon, step_seconds, covariates in product(lengths, horizons, steps, (0, 1)):
        history = a_history(length, horizon=horizon, step_seconds=step_seconds, covariate_count=covariates)
        asked = history.extent(horizon)
        if model.missing(asked) is not None:
            continue
        try:
            forecast = model.forecast(history, horizon)
        except UnstableFit:
            continue
        tried += 1
        assert forecast.shape == (horizon,), asked
        assert np.isfinite(forecast).all(), asked
    assert tried > 10


@every_model
def test_no_history_is_refused_in_plain_words(name: str) -> None:
    reason = models[name]().missing(an_extent(0, covariates=1))
    assert reason is not None
    assert "needs" in reason


def test_last_value_is_there_when_nothing_else_is() -> None:
    able = [name for name in models if models[name]().missing(an_extent(1, horizon=72)) is None]
    assert able == ["last_value"]


def test_only_the_lstm_waits_in_the_heavy_lane() -> None:
    assert {name for name in models if models[name].lane is Lane.HEAVY} == {"lstm"}


def test_a_model_is_dearer_the_more_it_computes() -> None:
    costs = [models[name].cost for name in ("hour_mean", "mfles", "theta", "ces", "var", "prophet", "mstl", "ets", "lstm")]
    assert costs == sorted(set(costs))
