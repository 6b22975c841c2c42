"""Special times around models: they learn from ordinary days and forecast ordinary days; what occasions do comes on top.

history     ▅▆▅ ▅▆▅ ▁▁▁ ▅▆▅ ▅▆▅ ▅▆▅ │ ▅▆▅ ▁▁▁      a holiday, and the next one
models see  ▅▆▅ ▅▆▅ ▅▆▅ ▅▆▅ ▅▆▅ ▅▆▅ │ ▅▆▅ ▅▆▅      and forecast; then the effect is applied, whichever model it was
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.domain.forecasts import ForecastSpec, WindowForecast
from worker.models.base import FloatArray
from worker.pipeline.snapshot import Snapshot
from worker.pipeline.timeline import timeline
from worker.prepare.calendar import holidays_between
from worker.prepare.effects import Effect, Seen, learn
from worker.prepare.expectation import expected_values
from worker.prepare.occasions import Occasions, occasions_of

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """What occasions and regressors do to the steps ahead, on the wall clock: a forecast becomes `scale × forecast + shift`.

    spread: standard deviation of that, beside `scale` times the model's own.
    is_untold: within an occasion of whose effect nothing is known.
    All of shape (horizon,).
    """

    scale: FloatArray
    shift: FloatArray
    spread: FloatArray
    is_untold: Mask

    def applied(self, forecast: FloatArray) -> FloatArray:
        """The forecast of usual steps of ordinary days with the effects."""
        return self.scale * forecast + self.shift


def occasions_in(times: pd.DatetimeIndex, spec: ForecastSpec) -> Occasions:
    """The occasions of a series, history and future; raises InvalidRequest for an unknown country.

    Args:
        times: readings of the wall clock.
    """
    days = holidays_between(times, spec.holidays)
    return occasions_of(times, spec.step_seconds, spec.timezone, holidays=days, events=spec.events)


def without_occasions(
    frame: pd.DataFrame, spec: ForecastSpec, occasions: Occasions, is_excluded: Mask
) -> tuple[pd.DataFrame, Mapping[str, Effect]]:
    """The history as if all days had been ordinary, and the effect of each kind of occasion that was in it.

    What is expected stands in for occasions whose kind does something, and for times known to be bad; of other occasions the
    days stay as they were.

    Args:
        frame: index = readings of the wall clock, NaN where there is no value.
        is_excluded: the rows within times known to be bad, where it has no value.
    """
    owner = occasions.owner[: len(frame)]
    if (owner < 0).all() and not is_excluded.any():
        return frame, {}
    effects = _effects(frame[spec.target], occasions, spec.step_seconds)
    moved = [index for index, each in enumerate(occasions.all) if each.kind in effects and effects[each.kind].share > 0]
    is_special = np.isin(owner, moved)
    columns = {name: _ordinary(frame[name], is_special, is_excluded, spec.step_seconds) for name in map(str, frame)}
    return pd.DataFrame(columns, index=frame.index), effects


def ahead_of(occasions: Occasions, effects: Mapping[str, Effect], influence: FloatArray, length: int) -> Ahead:
    """What regressors, by their influence on each step, and occasions do to the steps after the first `length`."""
    steps = max(1, len(occasions.owner) - length)
    ahead = Ahead(scale=np.ones(steps), shift=np.zeros(steps), spread=np.zeros(steps), is_untold=np.zeros(steps, dtype=np.bool_))
    for index, occasion in enumerate(occasions.all):
        places, ages = occasions.steps_of(index, len(occasions.owner))
        places, ages = places[places >= length] - length, ages[places >= length]
        if effect := effects.get(occasion.kind):
            ahead.scale[places], ahead.shift[places] = effect.at(ages)
            ahead.spread[places] = effect.spread
        else:
            ahead.is_untold[places] = True
    ahead.shift[: len(influence) - length] += influence[length:]  # what occasions do was learned without it
    return ahead


def ordinary_folds(folds: Sequence[WindowForecast], snapshot: Snapshot, spec: ForecastSpec) -> Sequence[WindowForecast]:
    """The folds without their steps within occasions, as to what ordinary days miss by; whole where too little were left."""
    steps = timeline(snapshot.grid, snapshot.start_at, snapshot.length, spec)
    is_ordinary = (steps.occasions.owner < 0)[steps.clock.places]
    if is_ordinary.all():
        return folds
    kept = []
    for fold in folds:
        first = spec.grid.steps_between(snapshot.start_at, fold.origin_at)
        actual = zip(fold.actual, is_ordinary[first : first + len(fold.actual)], strict=True)
        kept.append(replace(fold, actual=tuple(value if ordinary else None for value, ordinary in actual)))
    return kept if _known(kept) * 2 >= _known(folds) else folds


def _known(folds: Sequence[WindowForecast]) -> int:
    return sum(value is not None for fold in folds for value in fold.actual)


def _effects(target: pd.Series[float], occasions: Occasions, step_seconds: int) -> dict[str, Effect]:
    values = np.asarray(target.to_numpy(), dtype=np.float64)
    is_ordinary = occasions.owner[: len(values)] < 0
    expected = expected_values(values, is_ordinary, pd.DatetimeIndex(target.index), step_seconds)
    missed = (values - expected)[is_ordinary]
    noise = float(np.sqrt(np.nanmean(missed**2))) if np.isfinite(missed).any() else 0.0
    seen: dict[str, list[Seen]] = {}
    for index, occasion in enumerate(occasions.all):
        places, ages = occasions.steps_of(index, len(values))
        told = np.isfinite(values[places]) & np.isfinite(expected[places])
        if told.any():
            those = Seen(ages=ages[told], happened=values[places][told], expected=expected[places][told])
            seen.setdefault(occasion.kind, []).append(those)
    return {kind: learn(each, noise) for kind, each in seen.items()}


def _ordinary(column: pd.Series[float], is_special: Mask, is_excluded: Mask, step_seconds: int) -> FloatArray:
    """The values, and at special steps what is expected there; where nothing is, they stay, or lie on a line if excluded."""
    values = np.asarray(column.to_numpy(), dtype=np.float64)
    away = is_special | is_excluded
    if not away.any() or np.isnan(values).all():
        return values
    expected = expected_values(values, ~away, pd.DatetimeIndex(column.index), step_seconds)
    known, places = np.isfinite(values), np.arange(len(values))
    line = np.where(is_excluded, np.interp(places, places[known], values[known]), values)
    usual: FloatArray = np.where(away & np.isfinite(expected), expected, line)
    return usual
