"""Which columns are worth keeping beside the target: no constant ones, one of each pair that says the same, and not too many."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MAX_CORRELATION = 0.95
EXACT_CORRELATION = 1 - 1e-9  # no fit can tell such columns apart
MAX_COVARIATES = 30  # of those that nobody has named: more, and a model learns their noise
MIN_RELATION = 0.3  # correlation; where there are more than those, weaker ones are chance
LEAD_STEPS = 6  # so many steps ahead of the target a column is looked at
OWN_STEPS = 3  # of the target's own past, beside which a twin must still say something to be one that leads
MIN_LEAD = 0.2  # partial correlation; a twin that only has noise of its own shows none

PENDING = "pending"  # in a column's name: what is asked for and not yet granted
OPEN = "it has a gap that `fill` leaves one"

FloatArray = NDArray[np.float64]


def clean(frame: pd.DataFrame, target: str, named: Collection[str] = ()) -> tuple[pd.DataFrame, dict[str, str]]:
    """The frame with the target first and only the covariates worth keeping, and why each of the others was dropped.

    Constant columns go first: their correlation is not defined. The rest is taken in the order of its correlation with the
    target at the same step or a few steps later, strongest first. A column stays unless its correlation with one that stays is
    above 0.95; a twin of the target goes too, but for one that leads, which says what the target will only say next, and for what
    is pending, which is another quantity. Of those left the `MAX_COVARIATES` first stay. The target always does.

    Args:
        frame: at least one row; a column without any value counts as constant, and one with a gap goes.
        target: one of its columns, without gaps.
        named: columns that were asked for by name. They come first, and of them only those go with which no fit is defined.
    """
    if len(frame.columns) == 1:
        return frame, {}
    dropped = _unusable(frame.drop(columns=target))
    names = [name for name in frame.columns if name != target and name not in dropped]
    units, own = _unit(frame[names].to_numpy(dtype=np.float64)), _unit(frame[[target]].to_numpy(dtype=np.float64))[:, 0]
    ranked = _strongest_first(own, units, [name in named for name in names])
    kept: list[int] = []
    for at, strength in ranked:
        reason = _twin(at, own, units, kept, [target, *names], is_named=names[at] in named)
        if not reason and names[at] not in named and len(names) > MAX_COVARIATES:
            reason = _surplus(strength, len(kept), target)
        if reason:
            dropped[names[at]] = reason
        else:
            kept.append(at)
    return frame[[target, *(names[at] for at in sorted(kept))]], dropped


def is_constant(values: pd.Series[float]) -> bool:
    """Whether nothing but rounding varies; also when there is no value at all."""
    return bool(_are_constant(values.to_frame().to_numpy(dtype=np.float64))[0])


def _unusable(covariates: pd.DataFrame) -> dict[str, str]:
    """Column → why it is of no use by itself."""
    values = covariates.to_numpy(dtype=np.float64)
    constant, has_gap = _are_constant(values), np.isnan(values).any(axis=0)
    reasons = zip(covariates.columns, constant, has_gap, strict=True)
    return {name: "constant" if is_so else OPEN for name, is_so, is_open in reasons if is_so or is_open}


def _are_constant(values: FloatArray) -> NDArray[np.bool_]:
    """The same of each column; NaN does not count."""
    high, low = np.fmax.reduce(values, axis=0), np.fmin.reduce(values, axis=0)
    size = np.fmax(np.abs(high), np.abs(low))
    constant: NDArray[np.bool_] = ~(high - low > 1e-12 * size)
    return constant


def _unit(values: FloatArray) -> FloatArray:
    """Each column without its mean and of length 1, so that products are correlations; a constant one is zero."""
    scale = np.abs(values).max(axis=0, initial=1e-300)  # of huge numbers the squares would be infinite
    centred = values / scale - (values / scale).mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    unit: FloatArray = np.where(length > 0, centred / np.where(length > 0, length, 1.0), 0.0)
    return unit


def _twin(at: int, own: FloatArray, units: FloatArray, kept: Sequence[int], names: Sequence[str], *, is_named: bool) -> str:
    """Why the column is a twin of the target, or of one that is kept; empty = it is none. `names` begins with the target."""
    column = units[:, at]
    closest, correlation = _closest(column, np.column_stack([own, units[:, kept]]))
    if closest == 0 and _is_other_quantity(names[at + 1], names[0]):
        closest, correlation = _closest(column, np.column_stack([np.zeros_like(own), units[:, kept]]))
    if correlation <= (EXACT_CORRELATION if is_named else MAX_CORRELATION):
        return ""
    if closest == 0 and correlation <= EXACT_CORRELATION and _leads(units[:, at], own):
        return ""
    other = names[kept[closest - 1] + 1] if closest else names[0]
    return f"says the same as {other} (correlation {correlation:.2f})"


def _is_other_quantity(name: str, target: str) -> bool:
    """Whether the column tells what waits, and the target what is used: they part when a queue is full."""
    return PENDING in name.lower() and PENDING not in target.lower()


def _surplus(strength: float, kept: int, target: str) -> str:
    """Why one of very many columns does not stay; empty = it does."""
    if strength < MIN_RELATION:
        return f"hardly related to {target} (correlation below {MIN_RELATION:g}), which of so many columns is chance"
    return "" if kept < MAX_COVARIATES else f"not among the {MAX_COVARIATES} columns most related to {target}"


def _strongest_first(own: FloatArray, units: FloatArray, is_named: Sequence[bool]) -> list[tuple[int, float]]:
    """Place and strength of each column, those with a name first, by their correlation with the target now or soon after."""
    strength = np.abs(own @ units)
    for lead in range(1, min(LEAD_STEPS, len(own) - 2) + 1):
        shifted = np.abs(_unit(own[lead:, np.newaxis])[:, 0] @ _unit(units[:-lead]))
        strength = np.maximum(strength, shifted)
    order = sorted(range(units.shape[1]), key=lambda at: (not is_named[at], -round(float(strength[at]), 12)))
    return [(at, float(strength[at])) for at in order]


def _closest(column: FloatArray, others: FloatArray) -> tuple[int, float]:
    """Which of the others it is most correlated with, and how much, whatever the sign."""
    correlations = np.abs(column @ others)
    closest = int(correlations.argmax())
    return closest, float(correlations[closest])


def _leads(column: FloatArray, own: FloatArray) -> bool:
    """Whether the column's value tells of the target's next one what the target's own past does not."""
    steps = len(own) - OWN_STEPS
    if steps < 10 * OWN_STEPS:
        return False
    past = np.column_stack([np.ones(steps), *(own[OWN_STEPS - back : len(own) - back] for back in range(1, OWN_STEPS + 1))])
    both = np.column_stack([own[OWN_STEPS:], column[OWN_STEPS - 1 : -1]])
    news = _unit(both - past @ np.linalg.lstsq(past, both, rcond=None)[0])
    return bool(abs(news[:, 0] @ news[:, 1]) > max(MIN_LEAD, 4 / np.sqrt(steps)))
