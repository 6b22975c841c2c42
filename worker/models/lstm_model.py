"""LSTM: a small recurrent network per queue that learns how the coming steps depart from the last day (torch).

One training window per cutoff inside the history:

    |<- context ->|<--- horizon --->|
    target, covariates, calendar     calendar, lead time      → target − the same hour of the last day
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from shared.domain.jobs import Grid
from shared.domain.lanes import Lane
from shared.domain.timegrid import SECONDS_PER_DAY
from worker.models import models
from worker.models.base import Bounds, Extent, FloatArray, History, Model

MIN_DAYS = 3
MIN_WINDOWS = 16
MAX_WINDOWS = 1024  # of a longer history every k-th one: steps of minutes would cost hours and gigabytes
MIN_CONTEXT, MAX_CONTEXT = 7, 168  # steps; a context of few steps says nothing, gradients fade over many


@models.register("lstm")
@dataclass(frozen=True, slots=True, kw_only=True)
class Lstm(Model):
    """Long short-term memory, all steps at once (Hochreiter and Schmidhuber, Long Short-Term Memory, 1997).

    It learns the departure from the same hour of the last day, not the level: with few or strongly seasonal steps, learning the
    level was far worse when tried (M4-Hourly: 2.2 times the seasonal naive's WAPE, against 0.93).
    """

    hidden: Annotated[int, Bounds(minimum=4, maximum=256)] = 32
    epochs: Annotated[int, Bounds(minimum=1, maximum=60)] = 60
    context_days: Annotated[int, Bounds(minimum=1, maximum=7)] = 1
    learning_rate: Annotated[float, Bounds(minimum=1e-5, maximum=0.1)] = 0.003

    # Neither is better everywhere (tuning half of tests/bench/forecast.py: WAPE of the seasonal naive's 1.02 and 1.09 on 42
    # utilisation tasks, OWA 0.75 and 0.57 on 8 series of M4-Hourly), and together they cost 2 CPU s a queue.
    grid: ClassVar[Grid] = {"learning_rate": (0.003, 0.01)}
    lane: ClassVar[Lane] = Lane.HEAVY
    cost: ClassVar[int] = 100
    is_scaled: ClassVar[bool] = True

    def missing(self, extent: Extent) -> str | None:
        """Three days, and enough windows to learn from."""
        season = extent.steps_per_day
        first = max(_context(self.context_days, season), season)
        needed = max(MIN_DAYS * season, first + extent.horizon + MIN_WINDOWS - 1)
        if extent.length >= needed:
            return None
        return f"it needs {needed} steps of history for {extent.horizon} steps ahead, found {extent.length}"

    def calendar_of(self, history: History) -> tuple[str, ...]:
        """Those that vary and whose values ahead were seen before."""
        usable = _usable(_features(history), history.length)
        return tuple(name for name, is_usable in zip(map(str, history.calendar), usable, strict=False) if is_usable)

    def forecast(self, history: History, horizon: int) -> FloatArray:
        """Train and predict on the CPU, or on the GPU when there is one; raises UnstableFit."""
        season = history.steps_per_day
        from worker.models._lstm_network import fit_and_forecast

        context = _context(self.context_days, season)
        cutoffs = _cutoffs(max(context, season), history.length, horizon)
        calendar = _calendar(history)
        known = np.column_stack([history.target, history.covariates, calendar[: history.length]])
        lead_time = np.linspace(0, 1, horizon)
        last_day = np.stack([np.resize(history.target[cutoff - season : cutoff], horizon) for cutoff in cutoffs])
        answers = np.stack([history.target[cutoff : cutoff + horizon] for cutoff in cutoffs[:-1]])
        departure = fit_and_forecast(
            past=np.stack([known[cutoff - context : cutoff] for cutoff in cutoffs]),
            future=np.stack([np.column_stack([calendar[cutoff : cutoff + horizon], lead_time]) for cutoff in cutoffs]),
            answers=answers - last_day[:-1],
            hidden=self.hidden,
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            seed=history.seed,
        )
        forecast: FloatArray = last_day[-1] + departure
        return forecast


def _context(days: int, steps_per_day: int) -> int:
    return int(np.clip(days * steps_per_day, MIN_CONTEXT, MAX_CONTEXT))


def _cutoffs(first: int, length: int, horizon: int) -> NDArray[np.int_]:
    """Where the windows' futures begin; the last one is the end of the history and has no answer yet."""
    count = length - horizon - first + 1
    thinned = np.linspace(first, length - horizon, min(count, MAX_WINDOWS))
    return np.append(thinned.round().astype(int), length)


def _calendar(history: History) -> FloatArray:
    """Calendar features between -1 and 1, and the time of day as a point on a circle: shape (n + horizon, features)."""
    features = _features(history)
    past = features[: history.length]
    usable = _usable(features, history.length)
    low, high = past[:, usable].min(axis=0), past[:, usable].max(axis=0)
    scaled: FloatArray = 2 * (features[:, usable] - low) / (high - low) - 1
    return scaled


def _features(history: History) -> FloatArray:
    clock = history.times
    angle = 2 * np.pi * np.asarray(clock.hour * 3_600 + clock.minute * 60 + clock.second) / SECONDS_PER_DAY
    features: FloatArray = np.column_stack([history.calendar.to_numpy(np.float64), np.sin(angle), np.cos(angle)])
    return features


def _usable(features: FloatArray, length: int) -> list[bool]:
    """Not those that are constant in the history, or whose future values it has never seen: the 17th of a month, after two weeks.

    Nothing can be learned of them, but much be made up.
    """
    past, future = features[:length], features[length:]
    return [bool(np.ptp(past[:, i]) > 0 and np.isin(future[:, i], past[:, i]).all()) for i in range(features.shape[1])]
