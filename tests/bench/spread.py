"""How sure a figure is: what a bootstrap by queue gives, since forecasts of one queue err alike."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from statistics import fmean
from typing import Any, Generic, TypeVar

from tests.bench.series import queue_of
from worker.backtest.summary import CutoffResult

DRAWS = 200
SHARE_OUTSIDE = 20  # one in so many at either side: 90 % lie between

Tasks = Sequence[CutoffResult]
Part = TypeVar("Part")


@dataclass(frozen=True)
class Figure(Generic[Part]):
    """What is measured of each task, once, and the figure that drawn tasks have together; None = not defined."""

    each: Callable[[CutoffResult], Part]
    together: Callable[[Sequence[Part]], float | None]

    def with_spread(self, tasks: Tasks, seed: int) -> str:
        """The figure, and between which values nine of ten of those lie that drawn queues give."""
        by_queue: dict[str, list[Part]] = {}
        for task in tasks:
            by_queue.setdefault(queue_of(task.forecast.queue), []).append(self.each(task))
        draw, queues = random.Random(seed), list(by_queue.values())
        drawn = [[*chain(*draw.choices(queues, k=len(queues)))] for _ in range(DRAWS if len(queues) > 1 else 0)]
        return _between(self.together([*chain(*queues)]), map(self.together, drawn))


Figures = Mapping[str, Figure[Any]]


def with_spread(figures: Figures, tasks: Tasks, seed: int) -> str:
    """All of them on one line."""
    return "  ".join(f"{name} {figure.with_spread(tasks, seed)}" for name, figure in figures.items())


def geometric_mean(ratios: Iterable[float | None]) -> float | None:
    """Of those that are defined and not zero."""
    logs = [math.log(ratio) for ratio in ratios if ratio]
    return math.exp(fmean(logs)) if logs else None


def _between(value: float | None, others: Iterable[float | None]) -> str:
    ranked = sorted(other for other in others if other is not None)
    if value is None:
        return "–"
    digits = 3 if abs(value) < 2 else 1
    if not ranked:
        return f"{value:.{digits}f}"
    low, high = ranked[len(ranked) // SHARE_OUTSIDE], ranked[-1 - len(ranked) // SHARE_OUTSIDE]
    return f"{value:.{digits}f} [{low:.{digits}f}–{high:.{digits}f}]"
