"""Rolling-origin evaluation: the past, forecast as if it were the future, from several cutoffs.

Three folds of h steps at the end of the history; `x` is what a candidate sees, `?` what it has to forecast:

    x x x x x x x x x x x x x x ? ? ? ? . . . . . . . .
    x x x x x x x x x x x x x x x x x x ? ? ? ? . . . .
    x x x x x x x x x x x x x x x x x x x x x x ? ? ? ?  g g
                                                         └── steps without a value just before issued_at

Daily ones overlap where they are longer than a day. The folds end with the last step that has a value. Nothing after a cutoff is
seen: gaps are filled, columns chosen and scales learned from the steps before it only. All candidates of a block share the
folds, which are prepared once. What happened on an occasion of a kind that was never seen before is not scored, unless little
else would be: nobody could have known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from shared.domain.forecasts import ForecastSpec
from worker.models.base import FloatArray
from worker.pipeline.history import Known, clip, known_at, reference_forecast
from worker.pipeline.measures import mase_scale
from worker.pipeline.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """One cutoff: what is known there, what happened afterwards, and what accuracy is compared with.

    actual: shape (window_steps,), NaN where there is no value.
    reference: shape (window_steps,), the reference forecast; NaN when there is no whole day to repeat.
    scale: MASE's scale of this training part; NaN where it is not defined.
    """

    cutoff_at: datetime
    known: Known
    actual: FloatArray
    reference: FloatArray
    scale: float


def backtest(snapshot: Snapshot, spec: ForecastSpec) -> list[Fold]:
    """The folds of a queue, oldest first."""
    first = known_steps(snapshot) - spec.held_back_steps
    folds = [fold_at(snapshot, first + place * spec.stride, spec) for place in range(spec.windows)]
    if not any(fold.known.ahead.is_untold.any() for fold in folds):
        return folds
    told = [replace(fold, actual=np.where(fold.known.ahead_in_utc().is_untold, np.nan, fold.actual)) for fold in folds]
    return told if _scored(told) * 2 >= _scored(folds) else folds


def _scored(folds: Sequence[Fold]) -> int:
    return sum(int(np.isfinite(fold.actual).sum()) for fold in folds)


def known_steps(snapshot: Snapshot) -> int:
    """Steps up to the last one that has a value; what follows before `issued_at` is a gap."""
    return snapshot.length - int(np.isnan(snapshot.frame[snapshot.target].to_numpy())[::-1].argmin())


def fold_at(snapshot: Snapshot, cutoff: int, spec: ForecastSpec) -> Fold:
    """The fold of `window_steps` that begins after the first `cutoff` steps."""
    known = known_at(snapshot, cutoff, spec.window_steps, spec)
    actual = snapshot.without(spec.exclude).frame[snapshot.target].to_numpy(dtype=np.float64)
    return Fold(
        cutoff_at=snapshot.grid.step_start(snapshot.start_at, cutoff + 1),
        known=known,
        actual=actual[cutoff : cutoff + spec.window_steps],
        reference=clip(reference_forecast(known), spec.bounds),
        scale=mase_scale(known.history.target, known.history.steps_per_day),
    )
