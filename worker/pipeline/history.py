"""Snapshot → what a model may see at an origin, and model → prediction, checked.

0                  origin            origin + horizon
├──────────────────┤─────────────────┤
target, companions   calendar only
"""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np

from shared.domain.forecasts import Candidate, ForecastSpec
from shared.errors import BadForecast, NeedsMoreHistory
from worker.models import models
from worker.models.base import FloatArray, History, Model
from worker.pipeline.snapshot import Snapshot
from worker.prepare import Scaler, prepare


def history_at(snapshot: Snapshot, origin: int, horizon: int, spec: ForecastSpec) -> History:
    """The history of the first `origin` steps of the snapshot, prepared from those steps alone.

    Raises:
        EmptySeries: the target has no value before the origin.
    """
    prepared = prepare(
        snapshot.frame.iloc[:origin],
        target=snapshot.target,
        horizon=horizon,
        step_seconds=spec.step_seconds,
        timezone=spec.timezone,
        holidays=spec.holidays,
    )
    return History(
        target=prepared.target,
        companions=prepared.companions,
        calendar=prepared.calendar,
        times=prepared.times,
        step_seconds=spec.step_seconds,
        holidays=prepared.holidays,
        timezone=spec.timezone,
    )


def build(candidate: Candidate) -> Model:
    """The candidate's model with its hyperparameters; raises UnknownModel when this worker does not have it."""
    return models[candidate.model](**candidate.hyperparameters)


def predict(model: Model, history: History, horizon: int, bounds: tuple[float | None, float | None]) -> FloatArray:
    """Fit and forecast: shape (horizon,), in the target's own unit, clipped to `bounds`.

    Raises:
        NeedsMoreHistory: the model cannot run on a history of this length.
        BadForecast: the forecast is not finite or not of the right length; it is never patched.
    """
    if reason := model.missing(history.extent(horizon)):
        raise NeedsMoreHistory(reason)
    with warnings.catch_warnings():
        # Libraries warn of what a fit may be worth; what it is worth shows in its score.
        warnings.simplefilter("ignore")
        forecast = _forecast_scaled(model, history, horizon) if model.is_scaled else model.forecast(history, horizon)
        forecast = np.asarray(forecast, dtype=np.float64)
    if forecast.shape != (horizon,):
        raise BadForecast(f"found shape {forecast.shape}, expected ({horizon},)")
    if not np.isfinite(forecast).all():
        step = int(np.argmin(np.isfinite(forecast))) + 1
        raise BadForecast(f"found {forecast[step - 1]} at step {step}")
    return clip(forecast, bounds)


def clip(values: FloatArray, bounds: tuple[float | None, float | None]) -> FloatArray:
    """Values brought into the physical range; None = open."""
    lower, upper = bounds
    return np.clip(values, -np.inf if lower is None else lower, np.inf if upper is None else upper)


def seasonal_naive(history: History, horizon: int) -> FloatArray:
    """The same hour yesterday, which `skill` compares with; NaN where there is no whole day yet."""
    season = history.target[-history.steps_per_day :]
    return np.resize(season, horizon) if len(season) == history.steps_per_day else np.full(horizon, np.nan)


def _forecast_scaled(model: Model, history: History, horizon: int) -> FloatArray:
    """The model sees standard scores, learned from this history only, and its answer is scaled back."""
    target = history.target[:, np.newaxis]
    target_scaler, companion_scaler = Scaler.fit(target), Scaler.fit(history.companions)
    scaled = replace(history, target=target_scaler.apply(target)[:, 0], companions=companion_scaler.apply(history.companions))
    scores = np.asarray(model.forecast(scaled, horizon), dtype=np.float64)
    return target_scaler.inverse(scores.reshape(-1, 1)).reshape(scores.shape)
