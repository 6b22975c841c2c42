"""Histories for the tests of models: lifelike by default; a test overrides the one thing it is about."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tests.factories import MONDAY
from worker.models import models
from worker.models.base import Extent, FloatArray, History

HOUR, DAY = 3_600, 86_400


def a_history(
    length: int = 14 * 24, *, horizon: int = 24, step_seconds: int = HOUR, covariate_count: int = 1, **changes: Any
) -> History:
    """A daily wave with lasting noise that the covariates share, up to Monday 00:00; the times reach `horizon` further."""
    first = MONDAY.replace(tzinfo=None) - pd.Timedelta(seconds=length * step_seconds)
    times = pd.date_range(first, periods=length + horizon, freq=pd.Timedelta(seconds=step_seconds))
    wave = daily_wave(times[:length])
    noises = [lasting_noise(length, seed) for seed in range(covariate_count + 1)]
    columns = np.column_stack([wave + noises[0], *(wave / 2 + noise + noises[0] for noise in noises[1:])])
    values: dict[str, Any] = {
        "target": columns[:, 0].copy(),
        "covariates": columns[:, 1:].copy(),
        "features": lambda: a_calendar(times),
        "times": times,
        "step_seconds": step_seconds,
    }
    return History(**(values | changes))


def forecast_of(name: str, target: FloatArray, horizon: int, *, step_seconds: int = HOUR, **hyperparameters: Any) -> list[float]:
    """What the model of this name makes of such a history."""
    history = a_history(len(target), horizon=horizon, step_seconds=step_seconds, target=target.astype(float))
    return models[name](**hyperparameters).forecast(history, horizon).tolist()


def daily_wave(times: pd.DatetimeIndex) -> FloatArray:
    """Between 30 and 70, highest at 15:00."""
    return np.asarray(50 + 20 * np.sin(((times.hour + times.minute / 60) - 9) / 24 * 2 * np.pi), dtype=np.float64)


def lasting_noise(length: int, seed: int) -> FloatArray:
    """Noise that remembers 0.8 of itself from step to step, so that an autoregression has something to find."""
    shocks = np.random.default_rng(seed).normal(0, 3, length)
    noise = np.zeros(length)
    for step in range(length):
        noise[step] = 0.8 * noise[step - 1] * (step > 0) + shocks[step]
    return noise


def a_calendar(times: pd.DatetimeIndex) -> pd.DataFrame:
    """A few features of the real calendar."""
    features = {"hour": times.hour, "day_of_week": times.dayofweek, "day_of_month": times.day, "is_weekend": times.dayofweek >= 5}
    return pd.DataFrame({name: np.asarray(values, dtype=np.float64) for name, values in features.items()}, index=times)


def an_extent(length: int, *, covariates: int = 0, horizon: int = 24) -> Extent:
    """So many hours, and as many covariates."""
    return Extent(length=length, covariates=covariates, step_seconds=HOUR, horizon=horizon)
