"""Joint paths: equally likely ways that the whole horizon may go, from which sums, peaks and breaches are counted.

    shapes   whole misses of the backtest's folds, moved a little, added to the prediction; and whole recent windows
    mapped   at each step a shape takes the quantile of its rank, so that paths and quantiles say the same
    peaks    the upper hours of each day are drawn so that the day's maximum has the peak's quantile of its rank

The last two take turns, as what is drawn no longer has the quantiles of its steps; in the end the order of the paths lets both be
so, nearly. Where they cannot, as the days' maxima are forecast on their own, the peak leads in the upper hours of a day: breaches
are counted there, so that their chances are those of the peak's quantiles. On the tuning half of tests/bench/chances.py that was
better calibrated than the steps' quantiles kept exactly for VM pools (error 0.058 against 0.080, of 307 days), and worse for
batch pools (0.043 against 0.035, of 97). In all other hours the steps lead, and medians of paths are those of the steps, all but
a little.

Hours that are high together stay high together, which independent draws of each step would lose (Clark et al., The Schaake
shuffle, Journal of Hydrometeorology 5, 2004).

Shapes are sampled in the order of their blocks: queues that have the same folds and days get paths of the same ones, so that
paths of siblings can be added draw by draw. Sampled by their means instead, paths were as good (tuning half, 46 tasks of 24
hours: Brier scores 0.1685 both, median CRPS of sums 0.179 and 0.178; 44 of 72 hours: 0.179 and 0.180, 0.129 and 0.134).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from worker.models.base import FloatArray
from worker.pipeline.distribution.evidence import Evidence
from worker.pipeline.distribution.pool import FINE, ranks
from worker.pipeline.straight import interpolated
from worker.prepare.ranked import quantile_of_each

PATHS = 64
MIDDLES: FloatArray = (np.arange(PATHS) + 0.5) / PATHS  # shares of the paths below each, and half of its own
AGEING = 0.95
MOVES = (-2, -1, 0, 1, 2)  # hours that a fold's misses are moved by
ROUNDS = 4  # of putting the steps' quantiles into the order of paths, and of drawing these to peaks
MAX_OFF = 0.1  # of a step's range, that the paths' median may be beside the step's
KEPT = 0.9  # below this quantile of a path's day the hours stay as they are


class JointPaths(NamedTuple):
    """Paths, shape (paths, horizon), and the block that each came from: folds newest first, then recent days newest first."""

    paths: FloatArray
    blocks: NDArray[np.int_]


def joint_paths(known: Evidence, quantiles: FloatArray, peaks: FloatArray) -> JointPaths:
    """Equally likely paths, shape (PATHS, horizon), ordered by their mean; no rows where there is no shape at all.

    Args:
        quantiles: at `FINE`, shape (len(FINE), horizon), clipped. peaks: the same of each day, shape (len(FINE), days).
    """
    shapes, mass, blocks = _shapes(known)
    if not len(shapes):
        return JointPaths(np.empty((0, known.horizon)), blocks)
    marginal = _at(np.repeat(MIDDLES[:, np.newaxis], known.horizon, axis=1), quantiles)
    taken = _sampled(mass, blocks)
    paths = _at(ranks(shapes, mass), quantiles)[taken]
    for _ in range(ROUNDS):
        paths = _towards(_reordered(marginal, paths), peaks, known.season)
    off = np.abs(np.median(paths, axis=0) - np.median(marginal, axis=0)) > MAX_OFF * np.ptp(marginal, axis=0)
    paths = np.where(off, _reordered(marginal, paths), paths)
    order = np.argsort(paths.mean(axis=1), kind="stable")
    return JointPaths(paths[order], blocks[taken][order])


def _at(placed: FloatArray, quantiles: FloatArray) -> FloatArray:
    """Quantiles at levels of each step, shape (levels, horizon)."""
    return interpolated(placed, FINE, quantiles)


def _reordered(marginal: FloatArray, paths: FloatArray) -> FloatArray:
    """The values of each step, lowest first, in the order that the paths have there."""
    found = np.empty_like(marginal)
    np.put_along_axis(found, np.argsort(paths, axis=0, kind="stable"), marginal, axis=0)
    return found


def _sampled(mass: FloatArray, blocks: NDArray[np.int_]) -> NDArray[np.int_]:
    """So many of the shapes that each counts alike, block by block: of queues that have the same blocks the same ones."""
    order = np.argsort(blocks, kind="stable")
    taken: NDArray[np.int_] = order[np.searchsorted(np.cumsum(mass[order]), MIDDLES).clip(0, len(order) - 1)]
    return taken


def _towards(paths: FloatArray, peaks: FloatArray, season: int) -> FloatArray:
    """With the hours of each day drawn to its peaks."""
    days = [paths[:, day * season : (day + 1) * season] for day in range(peaks.shape[1])]
    return np.concatenate([_drawn(hours, peaks[:, day]) for day, hours in enumerate(days)], axis=1)


def _shapes(known: Evidence) -> tuple[FloatArray, FloatArray, NDArray[np.int_]]:
    """Whole ones only, with their mass, which is 1 in all, and with their blocks."""
    lead, last = np.arange(known.horizon), known.horizon - 1
    moved = [np.clip(lead + hours * known.hour, 0, last) for hours in MOVES]
    misses = np.concatenate([known.prediction + known.misses[:, at] for at in moved])
    folds, days = len(known.misses), len(known.recent)
    ageing = np.tile(AGEING ** np.arange(1, folds + 1), len(MOVES))
    recent = _of_its_kind(known).reshape(-1, known.horizon)
    of_folds = np.tile(np.arange(folds), len(MOVES))
    of_days = folds + np.repeat(np.arange(days), len(recent) // max(1, days))
    kinds = [_whole(misses, ageing, of_folds), _whole(recent, np.ones(len(recent)), of_days)]
    shapes, mass, blocks = (np.concatenate(each) for each in zip(*kinds, strict=True))
    return shapes, mass / max(1.0, mass.sum()), blocks


def _of_its_kind(known: Evidence) -> FloatArray:
    """Recent days, where those of another kind than the step's are given way for its own, in turn."""
    recent = known.recent.copy()
    for at in np.flatnonzero(~known.alike.all(axis=(0, 1))):
        own = np.flatnonzero(known.alike[:, 1, at] & np.isfinite(known.recent[:, 1, at]))
        days, moves = np.nonzero(~known.alike[:, :, at] & np.isfinite(known.recent[:, :, at]))
        taken = own[days % len(own)]
        is_own = known.alike[taken, moves, at] & np.isfinite(known.recent[taken, moves, at])
        recent[days, moves, at] = known.recent[taken, np.where(is_own, moves, 1), at]
    return recent


def _whole(shapes: FloatArray, mass: FloatArray, blocks: NDArray[np.int_]) -> tuple[FloatArray, FloatArray, NDArray[np.int_]]:
    is_whole = np.isfinite(shapes).all(axis=1)
    return shapes[is_whole], mass[is_whole] / max(mass[is_whole].sum(), np.finfo(np.float64).tiny), blocks[is_whole]


def _drawn(hours: FloatArray, peak: FloatArray) -> FloatArray:
    """The hours of one day, shape (paths, hours), with maxima that have the distribution of the peak."""
    top = hours.max(axis=1)
    wanted = np.interp(MIDDLES, FINE, peak)[np.argsort(np.argsort(top, kind="stable"), kind="stable")]
    low = quantile_of_each(hours, KEPT)
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
