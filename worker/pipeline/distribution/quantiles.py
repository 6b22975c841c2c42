"""The quantiles of each step, from three things that know of different ways to be wrong.

    misses    ▁▃▅▇▅▃▁     the prediction and what it missed by in the backtest, at lead times of the same group and hours near by
    recent    ▃ ▅  ▃ ▅    the same hour of the last four weeks, with the bursts that a short backtest has not seen
    members     ▅▇▅▃      what those that the prediction is blended from say

Where weekends are unlike other days, misses and recent days are those of the step's own kind of day, and a member that knows no
weekends counts as the most that these say: what only weekdays have reached is no evidence of a Sunday.

A linear opinion pool (Stone, The opinion pool, Annals of Mathematical Statistics 32, 1961) of the three; its tails are then
drawn out, since a backtest is short and was chosen on. Quantiles of signed misses know what symmetric widths do not: bursts
go upwards. No level crosses another, and the prediction stands between those below and above the middle.
"""

from __future__ import annotations

import numpy as np

from worker.models.base import FloatArray
from worker.pipeline.distribution.evidence import DAYS, Evidence
from worker.pipeline.distribution.kinds import too_few
from worker.pipeline.distribution.pool import FINE, MIDDLE, Samples, further, pooled, share, stretched

# Chosen on every second real series at hand and checked on the others.
MISSES, RECENT, MEMBERS = 0.3, 0.1, 0.6
AGEING = 0.95  # what a miss counts beside one of a fold later
STRETCH = (1.15, 1.3, 1.25, 1.5)  # of the tails, by group of lead times; later ones as the last
RAMP = 0.2
ENOUGH_MEMBERS = 3  # two say nothing of how far others may be
NEAR_BY, MOVES = 8, 7  # misses count up to an eighth of a day earlier and later, in so many places


def step_quantiles(known: Evidence) -> FloatArray:
    """Quantiles at `FINE` of each step, shape (len(FINE), horizon); neither clipped nor allowing for occasions yet."""
    parts = _parts(known)
    quantiles = stretched(pooled(parts), _factor(known), RAMP)
    around: FloatArray = np.where(
        (np.arange(len(FINE)) < MIDDLE)[:, np.newaxis], np.minimum(quantiles, known.prediction), quantiles
    )
    around[MIDDLE + 1 :] = np.maximum(around[MIDDLE + 1 :], known.prediction)
    return around


def _parts(known: Evidence) -> list[Samples]:
    """Misses, recent days, members, each with its share; what says nothing leaves its share to the others."""
    agree = known.by_forecast((known.votes > 0).sum(axis=0)).min(axis=1) < ENOUGH_MEMBERS
    members = np.where(known.by_column(agree), 0.0, MEMBERS)
    recent = _recent(known)
    missed = _missed(known, recent)
    said = np.clip(known.members, *_reach(known, missed, recent))  # as some members know no weekends
    return [
        share(missed, MISSES),
        share(recent, RECENT),
        share((said, known.votes), members),
        (known.prediction[np.newaxis], np.full((1, known.horizon), np.finfo(np.float64).tiny)),  # where nothing else is known
    ]


def _missed(known: Evidence, recent: Samples) -> Samples:
    """The prediction with each miss of its group near by, on days of its own kind; where too few are known, with those of all
    days, inside what its own kind has reached, and half as much beyond."""
    around = max(1, known.season // NEAR_BY)
    moves = np.unique(np.linspace(-around, around, MOVES).round().astype(int))
    steps, columns = len(known.lead), np.arange(known.horizon)
    first, last = (np.empty(steps, dtype=int) for _ in range(2))
    for group in known.groups:
        first[group], last[group] = group.start, group.stop
    begins = columns - columns % steps
    first, last = (begins + np.tile(edge, len(known.folds)) for edge in (first, last))
    at = columns + moves[:, np.newaxis]
    inside = (at >= first) & (at < last)
    near = np.clip(at, 0, known.horizon - 1)
    moved = known.prediction + known.misses[:, near]  # (folds, moves, horizon)
    votes = AGEING ** np.arange(1.0, len(moved) + 1)[:, np.newaxis, np.newaxis]
    few = too_few(known.missed_on_weekend == known.is_weekend, np.isfinite(known.misses))
    least, most = _reach(known, recent)
    room = np.nan_to_num((most - least) / 2, posinf=0.0)
    told = np.where(few, np.clip(moved, least - room, most + room), moved)
    values = np.where(inside & ((known.missed_on_weekend[:, near] == known.is_weekend) | few), told, np.nan)
    return values.reshape(-1, known.horizon), np.broadcast_to(votes, values.shape).reshape(-1, known.horizon)


def _recent(known: Evidence) -> Samples:
    """The last four weeks that are over at the time of issue, as seen from each step."""
    days = len(known.recent)
    back = np.arange(1, days + 1)[:, np.newaxis]
    ahead = np.tile(known.lead // known.season + 1, len(known.folds))
    counts = ((ahead <= back) & (back < ahead + DAYS))[:, np.newaxis] & known.alike
    return known.recent.reshape(-1, known.horizon), counts.reshape(-1, known.horizon).astype(np.float64)


def _reach(known: Evidence, *told: Samples) -> tuple[FloatArray, FloatArray]:
    """The least and the most that the prediction and these say of each step; all, where weekends are as other days."""
    least, most = np.full(known.horizon, -np.inf), np.full(known.horizon, np.inf)
    if (differ := known.weekends_differ).any():
        said = np.concatenate([known.prediction[np.newaxis], *(np.where(votes > 0, values, np.nan) for values, votes in told)])
        least, most = np.where(differ, np.nanmin(said, axis=0), least), np.where(differ, np.nanmax(said, axis=0), most)
    return least, most


def _factor(known: Evidence) -> FloatArray:
    """How far the tails are drawn at each step: by lead time, and further where there are few folds to learn from."""
    factor = np.empty(len(known.lead))
    for place, group in enumerate(known.groups):
        factor[group] = STRETCH[min(place, len(STRETCH) - 1)]
    return np.tile(factor, len(known.folds)) * known.by_column(further(known.folds))
