"""A series as if all its days had been ordinary: without what is known to come from occasions, regressors and bad times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.domain.forecasts import ForecastSpec
from shared.domain.timegrid import steps_per_day
from worker.pipeline.snapshot import Snapshot
from worker.pipeline.special import occasions_in, without_occasions
from worker.prepare.effects import Effect
from worker.prepare.occasions import Occasions, excluded_steps
from worker.prepare.regressors import Influence, influence_of
from worker.prepare.wall_clock import WallClock, wall_clock


def as_ordinary(snapshot: Snapshot, spec: ForecastSpec) -> Snapshot:
    """The same without what occasions and regressors did, and with what is usual at times known to be bad."""
    index = pd.DatetimeIndex(snapshot.frame.index)
    clock = wall_clock(index, spec.timezone, spec.step_seconds)
    ordinary, _, _ = ordinary_days(snapshot, snapshot.length, clock, occasions_in(clock.times, spec), spec)
    return replace(snapshot, frame=ordinary.iloc[clock.places].set_axis(index))


def ordinary_days(
    snapshot: Snapshot, cutoff: int, clock: WallClock, occasions: Occasions, spec: ForecastSpec
) -> tuple[pd.DataFrame, Mapping[str, Effect], Influence]:
    """The first `cutoff` steps on the wall clock as if all had been ordinary, and what occasions and regressors did."""
    frame, is_bad = _on_the_wall(snapshot.without(spec.exclude).frame.iloc[:cutoff], clock, spec)
    influence = _influence(frame[spec.target], snapshot.regressors.iloc[: len(clock.places)], clock, occasions, spec)
    ordinary, effects = without_occasions(influence.taken_from(frame, spec.target), spec, occasions, is_bad)
    return ordinary, effects, influence


def _on_the_wall(frame: pd.DataFrame, clock: WallClock, spec: ForecastSpec) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """The history on the wall clock, and which of its steps are known to be bad."""
    is_bad = excluded_steps(pd.DatetimeIndex(frame.index), spec.grid, spec.exclude)
    on_the_wall = clock.on_the_wall(frame)
    bad = np.zeros(len(on_the_wall), dtype=np.bool_)
    bad[clock.places[: len(frame)][is_bad]] = True
    return on_the_wall, bad & on_the_wall[spec.target].isna().to_numpy()


def _influence(
    target: pd.Series[float], regressors: pd.DataFrame, clock: WallClock, occasions: Occasions, spec: ForecastSpec
) -> Influence:
    """What regressors do on all steps of the clock, learned from ordinary days.

    It is learned first, and what occasions do from what it leaves: load that is planned for a release would count twice.
    """
    known = clock.on_the_wall(regressors) if len(regressors.columns) else pd.DataFrame(index=clock.times)
    values = np.where(occasions.owner[: len(target)] < 0, target.to_numpy(dtype=np.float64), np.nan)
    return influence_of(values, known, steps_per_day(spec.step_seconds))
