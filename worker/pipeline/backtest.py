"""Rolling origins: the past, forecast as if it were the future.

Three windows of h steps at the end of the history; `x` is what a candidate sees, `?` what it has to forecast:

    x x x x x x x x x x x x x x ? ? ? ? . . . . . . . .
    x x x x x x x x x x x x x x x x x x ? ? ? ? . . . .
    x x x x x x x x x x x x x x x x x x x x x x ? ? ? ?  g g
                                                         └── steps without a value just before issued_at

The windows end with the last step that has a value. Nothing after an origin is seen: gaps are filled, columns chosen and scales
learned from the steps before it only. All candidates of a block share the windows, which are prepared once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from shared.domain.forecasts import ForecastSpec
from shared.domain.timegrid import step_start
from worker.models.base import FloatArray, History
from worker.pipeline.history import clip, history_at, seasonal_naive
from worker.pipeline.measures import mase_scale
from worker.pipeline.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One origin: what is known there, what happened afterwards, and what accuracy is compared with.

    actual: shape (window_steps,), NaN where there is no value.
    naive: shape (window_steps,), the seasonal naive's prediction; NaN when it has no whole day to repeat.
    scale: MASE's scale of this training part; NaN where it is not defined.
    """

    origin_at: datetime
    history: History
    actual: FloatArray
    naive: FloatArray
    scale: float


def backtest(snapshot: Snapshot, spec: ForecastSpec) -> list[Window]:
    """The windows of a queue, oldest first."""
    last = known_steps(snapshot)
    return [window_at(snapshot, last - back * spec.window_steps, spec) for back in range(spec.windows, 0, -1)]


def known_steps(snapshot: Snapshot) -> int:
    """Steps up to the last one that has a value; what follows before `issued_at` is a gap."""
    return int(np.flatnonzero(snapshot.frame[snapshot.target].notna())[-1]) + 1


def window_at(snapshot: Snapshot, origin: int, spec: ForecastSpec) -> Window:
    """The window of `window_steps` that begins after the first `origin` steps."""
    history = history_at(snapshot, origin, spec.window_steps, spec)
    actual = snapshot.frame[snapshot.target].to_numpy(dtype=np.float64)
    return Window(
        origin_at=step_start(snapshot.start_at, origin + 1, spec.step_seconds),
        history=history,
        actual=actual[origin : origin + spec.window_steps],
        naive=clip(seasonal_naive(history, spec.window_steps), spec.bounds),
        scale=mase_scale(history.target, history.steps_per_day),
    )
