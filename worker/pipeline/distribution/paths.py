"""Joint paths: equally likely ways that the whole horizon may go, from which sums, peaks and breaches are counted.

    shapes   whole misses of the backtest's folds, moved a little, added to the prediction; and whole recent windows
    mapped   at each step a shape takes the quantile of its rank, so that paths and quantiles say the same
    peaks    the upper hours of each day are drawn so that the day's maximum has the peak's quantile of its rank

Hours that are high together stay high together, which independent draws of each step would lose (Clark et al., The Schaake
shuffle, Journal of Hydrometeorology 5, 2004).
"""

from __future__ import annotations

import numpy as np

from worker.models.base import FloatArray
from worker.pipeline.distribution.evidence import Evidence
from worker.pipeline.distribution.pool import FINE, ranks

PATHS = 64
AGEING = 0.95
MOVES = (-2, -1, 0, 1, 2)  # hours that a fold's misses are moved by
HALF = 0.5  # of the mass is misses, the other half recent windows
KEPT = 0.9  # below this quantile of a path's day the hours stay as they are


def joint_paths(known: Evidence, quantiles: FloatArray, peaks: FloatArray) -> FloatArray:
    """Equally likely paths, shape (PATHS, horizon), ordered by their mean; no rows where there is no shape at all.

    Args:
        quantiles: at `FINE`, shape (len(FINE), horizon), clipped. peaks: the same of each day, shape (len(FINE), days).
    """
    shapes, mass = _shapes(known)
    if not len(shapes):
        return np.empty((0, known.horizon))
    placed = ranks(shapes, mass)
    paths = np.stack([np.interp(placed[:, at], FINE, quantiles[:, at]) for at in range(known.horizon)], axis=1)
    for day in range(peaks.shape[1]):
        hours = slice(day * known.season, (day + 1) * known.season)
        paths[:, hours] = _drawn(paths[:, hours], mass, peaks[:, day])
    order = np.argsort(paths.mean(axis=1), kind="stable")
    middles = (np.arange(PATHS) + HALF) / PATHS
    taken = np.searchsorted(np.cumsum(mass[order]), middles).clip(0, len(order) - 1)
    sample: FloatArray = paths[order[taken]]
    return sample


def _shapes(known: Evidence) -> tuple[FloatArray, FloatArray]:
    """Whole ones only, with their mass, which is 1 in all."""
    lead, last = np.arange(known.horizon), known.horizon - 1
    moved = [np.clip(lead + hours * known.hour, 0, last) for hours in MOVES]
    misses = np.concatenate([known.prediction + known.misses[:, at] for at in moved])
    ageing = np.tile(AGEING ** np.arange(1, len(known.misses) + 1), len(MOVES))
    recent = known.recent.reshape(-1, known.horizon)
    kinds = [_whole(misses, ageing), _whole(recent, np.ones(len(recent)))]
    found = [(shapes, mass) for shapes, mass in kinds if len(shapes)]
    if not found:
        return np.empty((0, known.horizon)), np.empty(0)
    return np.concatenate([shapes for shapes, _ in found]), np.concatenate([mass for _, mass in found]) / len(found)


def _whole(shapes: FloatArray, mass: FloatArray) -> tuple[FloatArray, FloatArray]:
    is_whole = np.isfinite(shapes).all(axis=1)
    return shapes[is_whole], mass[is_whole] / max(mass[is_whole].sum(), np.finfo(np.float64).tiny)


def _drawn(hours: FloatArray, mass: FloatArray, peak: FloatArray) -> FloatArray:
    """The hours of one day, shape (paths, hours), with maxima that have the distribution of the peak."""
    top = hours.max(axis=1)
    wanted = np.interp(ranks(top[:, np.newaxis], mass)[:, 0], FINE, peak)
    low = np.quantile(hours, KEPT, axis=1)
    reach = np.where(top > low, top - low, 1.0)
    ratio = (wanted - low) / reach
    is_drawn = (wanted >= low) & (top > low)
    upper = low[:, np.newaxis] + (hours - low[:, np.newaxis]) * ratio[:, np.newaxis]
    raised = np.where((hours > low[:, np.newaxis]) & is_drawn[:, np.newaxis], upper, hours)
    drawn = np.where(is_drawn[:, np.newaxis], raised, np.minimum(hours, wanted[:, np.newaxis]))
    is_flat = (wanted > low) & (top <= low)
    drawn[is_flat, hours[is_flat].argmax(axis=1)] = wanted[is_flat]
    result: FloatArray = drawn
    return result
