"""A series as if all its days had been ordinary: without what is known to come from occasions, regressors and bad times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.domain.forecasts import ForecastSpec
from shared.domain.timegrid import steps_per_day
from worker.pipeline.snapshot import Snapshot
from worker.pipeline.special import without_occasions
from worker.pipeline.timeline import timeline
from worker.prepare.effects import Effect
from worker.prepare.occasions import Occasions, excluded_steps
from worker.prepare.regressors import Influence, influence_of
from worker.prepare.wall_clock import WallClock


@lru_cache(maxsize=4)  # of the queue that is forecast, twice
def as_ordinary(snapshot: Snapshot, spec: ForecastSpec) -> Snapshot:
    """The same without what occasions and regressors did, and with what is usual at times known to be bad."""
    steps = timeline(snapshot.grid, snapshot.start_at, snapshot.length, spec)
    if not steps.occasions.all and not spec.exclude and snapshot.regressors.columns.empty and steps.clock.is_regular:
        return snapshot
    ordinary, _, _ = ordinary_days(snapshot, snapshot.length, steps.clock, steps.occasions, spec)
    return replace(snapshot, frame=ordinary.iloc[steps.clock.places].set_axis(snapshot.frame.index))


def ordinary_days(
    snapshot: Snapshot, cutoff: int, clock: WallClock, occasions: Occasions, spec: ForecastSpec
) -> tuple[pd.DataFrame, Mapping[str, Effect], Influence]:
    """The first `cutoff` steps on the wall clock as if all had been ordinary, and what occasions and regressors did."""
    frame, is_bad = _on_the_wall(snapshot.without(spec.exclude).frame.iloc[:cutoff], clock, spec)
    influence = _influence(frame, snapshot.regressors, clock, occasions, spec)
    without = influence.taken_from(frame, spec.target) if influence.slopes else frame
    ordinary, effects = without_occasions(without, spec, occasions, is_bad)
    return ordinary, effects, influence


def _on_the_wall(frame: pd.DataFrame, clock: WallClock, spec: ForecastSpec) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """The history on the wall clock, and which of its steps are known to be bad."""
    on_the_wall = clock.on_the_wall(frame)
    bad = np.zeros(len(on_the_wall), dtype=np.bool_)
    if not spec.exclude:
        return on_the_wall, bad
    is_bad = excluded_steps(pd.DatetimeIndex(frame.index), spec.grid, spec.exclude)
    bad[clock.places[: len(frame)][is_bad]] = True
    return on_the_wall, bad & on_the_wall[spec.target].isna().to_numpy()


def _influence(
    frame: pd.DataFrame, regressors: pd.DataFrame, clock: WallClock, occasions: Occasions, spec: ForecastSpec
) -> Influence:
    """What regressors do on all steps of the clock, learned from ordinary days.

    It is learned first, and what occasions do from what it leaves: load that is planned for a release would count twice.
    """
    if regressors.columns.empty:
        return Influence(effect=np.zeros(len(clock.times)))
    known = clock.on_the_wall(regressors.iloc[: len(clock.places)])
    values = np.where(occasions.owner[: len(frame)] < 0, frame[spec.target].to_numpy(dtype=np.float64), np.nan)
    return influence_of(values, known, steps_per_day(spec.step_seconds))
