"""What columns that are known ahead do to the target, such as planned load: learned once, applied to any model's forecast.

    target    ▂▅▃▂▇▃▂▅▃ │            plan     ▂▂▂▂▆▂▂▂▂ │ ▂▆▂
    models    ▂▅▃▂▅▃▂▅▃ │ ▂▅▃        see what the plan does not explain; what it does comes on top: ▂▇▃

It is learned from deviations of both from the means of their hours, so that a plan with a daily course takes no credit for that
of the day.
A column counts only where it tells the last third of the history from what was learned on the two before.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

RIDGE = 1.0  # in units of standardised columns: enough that columns which say the same share what they do
MIN_GAIN = 0.02  # of the variance that the hours leave, in the last third; noise gains about 1 / steps either way
MIN_DAYS = 3
MIN_STEPS = 12
NEGLIGIBLE = 1e-9  # of a column's size: what is left of one that says what the hour says


@dataclass(frozen=True, slots=True, kw_only=True)
class Influence:
    """What known columns do.

    effect: shape (steps,), history and horizon: what they add by being other than in the middle; 0 where one of those that are
        used has no value.
    slopes: of each column that is used, how much the target rises with one of it.
    explained: share of what the hours leave open of the last third that they tell, 0 without any.
    unused: why each is not used that tells too little.
    unknown: why of each of the others nothing is known.
    """

    effect: FloatArray
    slopes: Mapping[str, float] = field(default_factory=dict)
    explained: float = 0.0
    unused: Mapping[str, str] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)

    def taken_from(self, frame: pd.DataFrame, target: str) -> pd.DataFrame:
        """The history without what they did to its target."""
        return frame.assign(**{target: frame[target] - self.effect[: len(frame)]})


def influence_of(target: FloatArray, known: pd.DataFrame, per_day: int) -> Influence:
    """What the columns do to the target.

    Args:
        target: shape (n,), NaN where nothing is to be learned.
        known: n + horizon rows, one float column each, NaN where a column has no value.
        per_day: steps of a day, at least 1.
    """
    nothing = np.zeros(len(known))
    if not len(known.columns):
        return Influence(effect=nothing)
    columns = known.to_numpy(dtype=np.float64)
    unknown = {
        name: why for name, column in zip(map(str, known), columns.T, strict=True) if (why := _useless(column[: len(target)]))
    }
    open_ones = [place for place, name in enumerate(known) if name not in unknown]
    used, explained = _selected(target, columns, per_day, open_ones)
    unused = {str(known.columns[place]): _weak(known, place, used) for place in open_ones if place not in used}
    if not used:
        return Influence(effect=nothing, unused=unused, unknown=unknown)
    slopes, _ = _fitted(target, columns[:, used], per_day, len(target))
    effect = np.nan_to_num((columns[:, used] - np.nanmedian(columns[: len(target), used], axis=0)) @ slopes)
    names = [str(known.columns[place]) for place in used]
    told = dict(zip(names, slopes.tolist(), strict=True))
    return Influence(effect=effect, slopes=told, explained=explained, unused=unused, unknown=unknown)


def _weak(known: pd.DataFrame, place: int, used: list[int]) -> str:
    """Why a column that varies is not used."""
    pairs = ((other, known.iloc[:, [place, other]].dropna().to_numpy()) for other in used)
    twin = next((other for other, both in pairs if len(both) > 1 and np.linalg.matrix_rank(both - both.mean(axis=0)) < 2), None)
    if twin is not None:
        return f"it says the same as {known.columns[twin]!r}, which is used"
    return "on the last third of the history it told no more of the target than the hour of the day does"


def _useless(column: FloatArray) -> str:
    """Why nothing can be learned of a column; "" = something may."""
    told = column[np.isfinite(column)]
    if len(told) < MIN_STEPS:
        return "it has next to no value in the history, so nothing is known of what it does"
    if np.ptp(told) <= NEGLIGIBLE * np.abs(told).max():
        return "it never changed in the history, so nothing is known of what it does"
    return ""


def _selected(target: FloatArray, columns: FloatArray, per_day: int, places: list[int]) -> tuple[list[int], float]:
    """The columns that together tell the last third best, each of which adds to that; and how much they tell."""
    used: list[int] = []
    explained = 0.0
    if len(target) < max(MIN_DAYS * per_day, MIN_STEPS):
        return used, explained
    while rest := [place for place in places if place not in used]:
        gains = [_told(target, columns[:, [*used, place]], per_day) for place in rest]
        best = int(np.argmax(gains))
        if gains[best] < explained + MIN_GAIN:
            break
        used.append(rest[best])
        explained = gains[best]
    return sorted(used), explained


def _told(target: FloatArray, columns: FloatArray, per_day: int) -> float:
    """Share of the last third's variance around the usual hours that is told from the two thirds before; below 0 = harmful."""
    steps = len(target)
    cut = 2 * steps // 3
    slopes, usual = _fitted(target, columns, per_day, cut)
    hours = _hours(steps, per_day)
    missed = (target - _profile(target[:cut, np.newaxis], per_day)[hours, 0])[cut:]
    after = missed - ((columns[:steps] - usual[:steps]) @ slopes)[cut:]
    known = np.isfinite(after)
    variance = float(missed[known].var()) if known.any() else 0.0
    return 1 - float(after[known].var()) / variance if variance > 0 else 0.0


def _fitted(target: FloatArray, columns: FloatArray, per_day: int, steps: int) -> tuple[FloatArray, FloatArray]:
    """Slopes learned from the first steps, and what is usual of the columns at each step."""
    hours = _hours(len(columns), per_day)
    both = np.column_stack([target[:steps], columns[:steps]])
    known = np.isfinite(both).all(axis=1)
    both[~known] = np.nan
    profile = _profile(both, per_day)
    usual = profile[hours, 1:]
    if not known.any():
        return np.zeros(columns.shape[1]), usual
    own, others = (both - profile[hours[:steps]])[:, 0], (both - profile[hours[:steps]])[:, 1:]
    own, others = own[known] - own[known].mean(), others[known] - others[known].mean(axis=0)
    size = np.abs(columns[:steps][known]).max(axis=0)
    scale = others.std(axis=0)
    has_news = scale > NEGLIGIBLE * size
    scale = np.where(has_news, scale, 1.0)
    units = np.where(has_news, others, 0.0) / scale
    slopes: FloatArray = np.linalg.solve(units.T @ units + RIDGE * np.eye(len(scale)), units.T @ own) / scale
    return slopes, usual


def _profile(columns: FloatArray, per_day: int) -> FloatArray:
    """Mean of each column at each step of the day; of one without a value that of all."""
    days = -(-len(columns) // per_day)
    whole = np.full((days * per_day, columns.shape[1]), np.nan)
    whole[: len(columns)] = columns
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # nothing but NaN
        profile = np.nanmean(whole.reshape(days, per_day, -1), axis=0)
        of_all: FloatArray = np.nanmean(columns, axis=0)
    filled: FloatArray = np.where(np.isfinite(profile), profile, of_all)
    return filled


def _hours(steps: int, per_day: int) -> NDArray[np.int_]:
    return np.arange(steps) % per_day
