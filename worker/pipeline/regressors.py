"""Regressors of one queue: the steps that they have to cover, and what is said of what they do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd

from shared.domain.jobs import JobRequest
from shared.domain.timegrid import MINUTE
from shared.domain.wording import counted, digits
from worker.pipeline.history import Known
from worker.pipeline.snapshot import Snapshot
from worker.prepare.digits import rounded
from worker.prepare.gaps import MAX_LINE_STEPS
from worker.prepare.step_times import step_times
from worker.sources.base import Reading

Texts = tuple[str, ...]
FAR = 0.5  # of the range that a regressor had in the history, so far outside of it


def with_known_columns(request: JobRequest, snapshot: Snapshot, reading: Reading) -> tuple[Snapshot, Texts]:
    """The snapshot with the regressors that have a value at each step ahead, and warnings about the others."""
    if not request.regressors:
        return snapshot, ()
    horizon = request.horizon_steps(snapshot.end_at)
    index = step_times(snapshot.grid, snapshot.start_at, snapshot.length + horizon)
    end_at = snapshot.grid.step_start(snapshot.end_at, horizon + 1)
    given = reading.regressors.reindex(index=index, columns=list(request.regressors))
    lines = given.interpolate(limit=MAX_LINE_STEPS, limit_area="inside")
    kept, warnings = [], []
    for name in request.regressors:
        is_long = given[name].isna().rolling(MAX_LINE_STEPS + 1).sum().gt(MAX_LINE_STEPS)  # a longer gap stays one
        lines[name] = lines[name].mask(is_long[::-1].rolling(MAX_LINE_STEPS + 1, min_periods=1).max()[::-1].gt(0))
        if said := _uncovered(name, lines[name].iloc[snapshot.length :], end_at):
            warnings.append(said)
        else:
            kept.append(name)
    values = rounded(lines[kept].to_numpy(dtype=np.float64))
    return replace(snapshot, regressors=pd.DataFrame(values, index=index, columns=kept)), tuple(warnings)


def _uncovered(name: str, ahead: pd.Series[float], end_at: datetime) -> str:
    """What to say of a regressor without a value somewhere ahead; "" = it has all."""
    known = ahead.dropna()
    if len(known) == len(ahead):
        return ""
    has = f"values at {len(known):,} of the {counted(len(ahead), 'step')} ahead"
    last = f", the last at {known.index[-1]:{MINUTE}}" if len(known) else ""
    return (
        f"the regressor {name!r} is not used: it has {has}{last}, and the forecast needs it at each; write it up to"
        f" {end_at:{MINUTE}}, ask for less `future_prediction_time_period`, or, where a value holds until the"
        " next one, for the aggregation time_weighted_mean"
    )


def said_of_regressors(known: Known, snapshot: Snapshot) -> tuple[Texts, Texts]:
    """Notes and warnings on what regressors do."""
    influence = known.influence
    notes = [f"the regressor {name!r} is not used: {why}" for name, why in influence.unused.items()]
    if influence.slopes:
        slopes = ", ".join(f"{name!r} ({slope:+.3g} for each 1 of it)" for name, slope in influence.slopes.items())
        told = f"what hours leave open of the history's last third they tell to {influence.explained:.0%}"
        notes.insert(0, f"regressors used: {slopes}; {told}")
    warnings = [f"the regressor {name!r} is not used: {why}" for name, why in influence.unknown.items()]
    return tuple(notes), (*warnings, *_far_ones(known, snapshot))


def _far_ones(known: Known, snapshot: Snapshot) -> Iterator[str]:
    """What goes where the history never was, so that its effect there is a guess."""
    for name in known.influence.slopes:
        column = snapshot.regressors[name]
        before, ahead = column.iloc[: snapshot.length], column.iloc[snapshot.length :]
        low, high = before.min(), before.max()
        if ahead.max() > high + FAR * (high - low) or ahead.min() < low - FAR * (high - low):
            yield (
                f"the regressor {name!r} goes from {digits(ahead.min())} to {digits(ahead.max())} ahead, and never left"
                f" {digits(low)} to {digits(high)} in the history: what it does there is guessed along a straight line"
            )
