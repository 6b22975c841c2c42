"""Snapshot → what a model may see at a cutoff, and model → prediction, checked.

0                  cutoff            cutoff + horizon
├──────────────────┤─────────────────┤
target, covariates   calendar and regressors only

Models see and answer steps of the clock on the wall; everything else is steps of UTC.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from functools import cache, lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.domain.forecasts import Candidate, ForecastSpec
from shared.errors import BadForecast, EmptySeries, NeedsMoreHistory
from worker.models import models
from worker.models.base import FloatArray, History, Model
from worker.pipeline.ordinary import ordinary_days
from worker.pipeline.snapshot import Snapshot
from worker.pipeline.special import Ahead, ahead_of
from worker.pipeline.timeline import MAX_KEPT_STEPS, Timeline, timeline
from worker.prepare.calendar import Dates
from worker.prepare.clean import clean
from worker.prepare.effects import Effect
from worker.prepare.gaps import fill_gaps
from worker.prepare.level import Shift, find_shift
from worker.prepare.occasions import Occasions
from worker.prepare.regressors import Influence
from worker.prepare.scaling import Scaler

MAX_KEPT = 16  # cutoffs: of a few queues that run at a time the first fold and the forecast


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known at a cutoff.

    history: what models see.
    seen: the target as it was before it was moved to the present level.
    dates: of the history and the horizon, on the wall clock.
    places: shape (horizon,): which of the steps that models forecast each step of UTC is; below 0 where it is one that they have
        seen, counted from its end, as in the second run of an hour that comes twice.
    occasions: of the history and the horizon, on the wall clock.
    effects: of the kinds of occasions that the history has, what they do.
    influence: of regressors, on the history and the horizon.
    ahead: what all that makes of what models forecast.
    shift: a change of level in the last days, which the history was moved by; shift_at: when that was, UTC.
    horizon: how many steps models are asked for; at least 1.
    """

    history: History
    seen: FloatArray
    dates: Dates
    places: NDArray[np.int_]
    occasions: Occasions
    effects: Mapping[str, Effect]
    influence: Influence
    ahead: Ahead
    shift: Shift | None = None
    shift_at: datetime | None = None
    horizon: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "horizon", max(1, int(self.places.max()) + 1))  # it is asked for often

    def delivered(self, forecast: FloatArray) -> FloatArray:
        """What models forecast, shape (horizon of theirs,), with what is known of the steps and as steps of UTC."""
        seen, end = max(0, -int(self.places.min())), len(self.influence.effect) - self.horizon
        known = self.history.target[self.history.length - seen :] + self.influence.effect[end - seen : end]
        steps = np.concatenate([known, self.ahead.applied(forecast)])
        answers: FloatArray = steps[self.places + seen]
        return answers

    def as_it_was(self) -> Known:
        """The same with the history at the levels that it had."""
        return replace(self, history=replace(self.history, target=self.seen))

    def of_last(self, steps: int) -> Known:
        """The same without the target's values of before the last `steps`: NaN, as where there was no history yet."""
        is_older = np.arange(self.history.length) < self.history.length - steps
        target, seen = (np.where(is_older, np.nan, values) for values in (self.history.target, self.seen))
        return replace(self, history=replace(self.history, target=target), seen=seen)

    def ahead_in_utc(self) -> Ahead:
        """What is known of the steps of UTC beside models, shape (horizon,)."""
        at = np.maximum(self.places, 0)
        return Ahead(**{each.name: getattr(self.ahead, each.name)[at] for each in fields(Ahead)})


def known_at(snapshot: Snapshot, cutoff: int, horizon: int, spec: ForecastSpec) -> Known:
    """What is known after the first `cutoff` steps, prepared from those steps alone: gaps filled, covariates chosen.

    Steps before the first value of the target are left out, so the history may be shorter than `cutoff`. Plan, backtest and
    forecast ask for the same, so some are kept; nobody changes them.

    Raises:
        EmptySeries: the target has no value before the cutoff. InvalidRequest: unknown time zone or holidays.
    """
    make = _kept if snapshot.length <= MAX_KEPT_STEPS else _known_at
    return make(snapshot, cutoff, horizon, spec)


def _known_at(snapshot: Snapshot, cutoff: int, horizon: int, spec: ForecastSpec) -> Known:
    steps = timeline(snapshot.grid, snapshot.start_at, cutoff + horizon, spec)
    clock, occasions = steps.clock, steps.occasions
    ordinary, effects, influence = ordinary_days(snapshot, cutoff, clock, occasions, spec)
    chosen, _ = clean(_filled(ordinary, cutoff, spec), snapshot.target, spec.columns)
    values = chosen.to_numpy(dtype=np.float64)  # the target comes first
    end, seen = clock.known(cutoff), values[:, 0]
    dates = steps.dates.at(slice(end - len(seen), None))
    shift = find_shift(seen, dates.is_weekend[: len(seen)], spec.step_seconds)
    target = seen if shift is None else clip(shift.moved(seen), spec.bounds)
    return Known(
        history=_history(target, values[:, 1:], steps, end - len(seen), spec),
        seen=seen,
        dates=dates,
        places=clock.places[cutoff:] - end,
        occasions=occasions,
        effects=effects,
        influence=influence,
        ahead=ahead_of(occasions, effects, influence.effect, end),
        shift=shift,
        shift_at=steps.every[int((clock.places >= end - len(seen) + shift.first).argmax())].to_pydatetime() if shift else None,
    )


_kept = lru_cache(maxsize=MAX_KEPT)(_known_at)


def _filled(frame: pd.DataFrame, cutoff: int, spec: ForecastSpec) -> pd.DataFrame:
    filled = fill_gaps(frame, spec.step_seconds, spec.fill)
    if filled.empty:
        raise EmptySeries(f"found {cutoff} steps without a value of {spec.target!r}")
    return filled


def _history(target: FloatArray, covariates: FloatArray, steps: Timeline, first: int, spec: ForecastSpec) -> History:
    """Of the steps of the clock from place `first` on."""
    return History(
        target=target,
        covariates=covariates,
        features=cache(lambda: steps.calendar().iloc[first:]),
        times=steps.clock.times[first:] if first else steps.clock.times,
        step_seconds=spec.step_seconds,
    )


def known_at_issue(snapshot: Snapshot, spec: ForecastSpec) -> tuple[Known, int]:
    """What the forecast is made from, and how many steps lie between its end and the first one that is asked for.

    That is 0, but where the series ends with a gap that `fill` leaves one: nothing is made up then, and a model looks so much
    further ahead.
    """
    missing = np.isnan(snapshot.frame[snapshot.target].to_numpy())
    most, gap = spec.fill.most_steps(spec.step_seconds), int(missing[::-1].argmin())
    ahead = gap if most is not None and gap > most else 0
    return known_at(snapshot, snapshot.length - ahead, spec.horizon_steps + ahead, spec), ahead


def build(candidate: Candidate) -> Model:
    """The candidate's model with its hyperparameters; raises UnknownModel when this worker does not have it."""
    return models[candidate.model](**candidate.hyperparameters)


def predict(model: Model, known: Known, physical_range: tuple[float | None, float | None]) -> FloatArray:
    """Fit and forecast: one number for each step of UTC, in the target's own unit, clipped to `physical_range`.

    Raises:
        NeedsMoreHistory: the model cannot run on a history of this length.
        BadForecast: the forecast is not finite or not of the right length; it is never patched.
    """
    return predictions(model, [known], physical_range)[0]


def predictions(model: Model, folds: Sequence[Known], physical_range: tuple[float | None, float | None]) -> list[FloatArray]:
    """The same of folds, oldest first, where a later one may be forecast by what was fitted before it."""
    for known in folds:
        if reason := model.missing(known.history.extent(known.horizon)):
            raise NeedsMoreHistory(reason)
    asked = [(known.history, known.horizon) for known in folds]
    with warnings.catch_warnings():
        # Libraries warn of what a fit may be worth; what it is worth shows in its score.
        warnings.simplefilter("ignore")
        forecasts = [_forecast_scaled(model, *each) for each in asked] if model.is_scaled else model.forecasts(asked)
    return [
        clip(known.delivered(_checked(forecast, known.horizon)), physical_range)
        for known, forecast in zip(folds, forecasts, strict=True)
    ]


def _checked(forecast: FloatArray, horizon: int) -> FloatArray:
    forecast = np.asarray(forecast, dtype=np.float64)
    if forecast.shape != (horizon,):
        raise BadForecast(f"found shape {forecast.shape}, expected ({horizon},)")
    if not np.isfinite(forecast).all():
        step = int(np.argmin(np.isfinite(forecast))) + 1
        raise BadForecast(f"found {forecast[step - 1]} at step {step}")
    return forecast


def clip(values: FloatArray, physical_range: tuple[float | None, float | None]) -> FloatArray:
    """Values brought into the physical range; None = open."""
    lower, upper = physical_range
    return np.clip(values, -np.inf if lower is None else lower, np.inf if upper is None else upper)


def reference_forecast(known: Known) -> FloatArray:
    """The same hour of the day before, which `skill` compares with; NaN where there is no whole day yet."""
    season = known.history.target[-known.history.steps_per_day :]
    has_day = len(season) == known.history.steps_per_day
    return known.delivered(np.resize(season, known.horizon) if has_day else np.full(known.horizon, np.nan))


def _forecast_scaled(model: Model, history: History, horizon: int) -> FloatArray:
    """The model sees standard scores, learned from this history only, and its answer is scaled back."""
    target = history.target[:, np.newaxis]
    target_scaler = Scaler.fit(target)
    covariates = Scaler.fit(history.covariates).apply(history.covariates)
    scaled = replace(history, target=target_scaler.apply(target)[:, 0], covariates=covariates)
    scores = np.asarray(model.forecast(scaled, horizon), dtype=np.float64)
    return target_scaler.inverse(scores.reshape(-1, 1)).reshape(scores.shape)
