"""How good chances of a breach within a day were, by the measures of shared/domain/calibration.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.domain.calibration import BINS, PIT_BINS
from shared.domain.likelihood import probability
from shared.domain.outlook import FEWEST
from worker.models.base import FloatArray
from worker.pipeline.distribution.pool import FINE

DRAWN = 100  # times, to know what is luck


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is told of a day: paths, shape (paths, 24), with their mass, 1 in all.

    blocks, made_from: whole misses that these are made of, and with them whole recent days.
    peaks: quantiles of the highest hour at `FINE`; None = those of the paths.
    """

    paths: FloatArray
    mass: FloatArray
    blocks: int
    made_from: int
    peaks: FloatArray | None = None

    def chances(self, levels: FloatArray) -> FloatArray:
        """Of any hour above each level."""
        above = (self.paths.max(axis=1)[:, np.newaxis] > levels) * self.mass[:, np.newaxis]
        return np.array([probability(float(share), self.made_from) for share in above.sum(axis=0)])

    def hours(self, levels: FloatArray) -> FloatArray:
        """Expected above each level."""
        counts = (self.paths[:, :, np.newaxis] > levels).sum(axis=1)
        expected: FloatArray = (counts * self.mass[:, np.newaxis]).sum(axis=0)
        return expected

    def place(self, peak: float) -> float:
        """Where a peak lies in what is told of it, 0–1; of equal ones in their middle."""
        if self.peaks is None:
            tops = self.paths.max(axis=1)
            return float(self.mass[tops < peak].sum() + self.mass[tops == peak].sum() / 2)
        first, last = np.searchsorted(self.peaks, peak, "left"), np.searchsorted(self.peaks, peak, "right")
        if first < last:
            return float(FINE[first] + FINE[last - 1]) / 2
        return float(np.interp(peak, self.peaks, FINE, 0.0, 1.0))


def printed(told: Sequence[Told], actual: Sequence[FloatArray], levels: Sequence[FloatArray]) -> str:
    """Brier score, skill, calibration error, hours, reliability and PIT of all days of which chances are told."""
    days = [day for day in zip(told, actual, levels, strict=True) if day[0].blocks >= FEWEST]
    said = np.array([each.chances(bars) for each, _, bars in days])
    came = np.array([values.max() > bars for _, values, bars in days], dtype=np.float64)
    hours = np.mean([each.hours(bars) for each, _, bars in days])
    real = np.mean([(values[:, np.newaxis] > bars).sum(axis=0) for _, values, bars in days])
    by_level = [_skill(said[:, at], came[:, at]) for at in range(said.shape[1])]
    places = np.array([each.place(float(values.max())) for each, values, _ in days])
    pit = np.histogram(places, PIT_BINS, (0, 1))[0] / len(days)
    lines = [
        f"{len(days)} of {len(told)} days: Brier {np.mean((said - came) ** 2):.4f}  skill {_skill(said, came):+.3f}"
        f" (mean of levels {np.mean(by_level):+.3f})  calibration error {_error(said, came):.3f}"
        f" (a right one's {_right(said, days):.3f})  hours a day {hours:.2f}, real {real:.2f}",
        f"    said → came: {_reliability(said, came)}",
        f"    by level: {'  '.join(f'{a:.2f} → {b:.2f}' for a, b in zip(said.mean(axis=0), came.mean(axis=0), strict=True))}",
        f"    PIT of the peak: {' '.join(f'{share:.2f}' for share in pit)}",
    ]
    return "\n".join(lines)


def _right(said: FloatArray, days: Sequence[tuple[Told, FloatArray, FloatArray]]) -> float:
    """The calibration error that is luck: mean of that over days which are drawn from what is told of them, each on its own."""
    dice = np.random.default_rng(0)
    highest = np.array([dice.choice(each.paths.max(axis=1), DRAWN, p=each.mass) for each, _, _ in days])
    bars = np.array([each for *_, each in days])
    return float(np.mean([_error(said, (tops[:, np.newaxis] > bars).astype(np.float64)) for tops in highest.T]))


def _skill(said: FloatArray, came: FloatArray) -> float:
    base = came.mean()
    return float(1 - np.mean((said - came) ** 2) / (base * (1 - base)))


def _bins(said: FloatArray) -> list[NDArray[np.bool_]]:
    place = np.minimum(BINS - 1, (said * BINS).astype(int))
    return [place == number for number in range(BINS)]


def _error(said: FloatArray, came: FloatArray) -> float:
    return float(sum(abs((said - came)[inside].sum()) for inside in _bins(said)) / said.size)


def _reliability(said: FloatArray, came: FloatArray) -> str:
    inside = _bins(said)
    return "  ".join(f"{said[each].mean():.2f} → {came[each].mean():.2f} ({each.sum()})" for each in inside if each.any())
