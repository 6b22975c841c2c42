"""How sure a figure is: what a bootstrap by queue gives, since forecasts of one queue err alike."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from itertools import chain

from tests.bench.series import queue_of
from worker.backtest.summary import CutoffResult

DRAWS = 200
SHARE_OUTSIDE = 20  # one in so many at either side: 90 % lie between

Tasks = Sequence[CutoffResult]
Figure = Callable[[Tasks], float | None]


def with_spread(figures: Mapping[str, Figure], tasks: Tasks, seed: int) -> str:
    """Each figure of the tasks, and between which values nine of ten of those lie that drawn queues give."""
    by_queue: dict[str, list[CutoffResult]] = {}
    for task in tasks:
        by_queue.setdefault(queue_of(task.forecast.queue), []).append(task)
    draw, queues = random.Random(seed), list(by_queue.values())
    drawn = [list(chain.from_iterable(draw.choices(queues, k=len(queues)))) for _ in range(DRAWS if len(queues) > 1 else 0)]
    return "  ".join(f"{name} {between(figure(tasks), [figure(some) for some in drawn])}" for name, figure in figures.items())


def between(value: float | None, others: Sequence[float | None]) -> str:
    """A figure, and where nine of ten of the others are."""
    ranked = sorted(other for other in others if other is not None)
    if value is None:
        return "–"
    digits = 3 if abs(value) < 2 else 1
    if not ranked:
        return f"{value:.{digits}f}"
    low, high = ranked[len(ranked) // SHARE_OUTSIDE], ranked[-1 - len(ranked) // SHARE_OUTSIDE]
    return f"{value:.{digits}f} [{low:.{digits}f}–{high:.{digits}f}]"
