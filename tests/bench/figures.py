"""How good the values themselves were, what they cost, and who was chosen."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean, median

import numpy as np

from tests.bench.spread import Figure, Figures, Tasks, geometric_mean
from worker.backtest.summary import CutoffResult, queue_summary

EXACT = 1e-6  # of the value that stays: what misses by less is right


def happened(task: CutoffResult) -> float | None:
    """The WAPE ÷ the one that was shown as the error to expect."""
    came, shown = queue_summary([task]).wape, task.forecast.wape
    return came / shown if came is not None and shown else None


def middle(found: Sequence[float | None]) -> float | None:
    """The median of those that are defined."""
    known = [each for each in found if each is not None]
    return median(known) if known else None


OF_POINTS: Figures = {
    "WAPE ÷ naive": Figure(lambda task: queue_summary([task]).wape_ratio, geometric_mean),
    "WAPE ÷ shown": Figure(happened, middle),
    "MAPE": Figure(lambda task: queue_summary([task]).mape, middle),
    "CPU s": Figure(lambda task: task.seconds, mean),
}


def still(tasks: Tasks) -> str:
    """Of the tasks in which one value stayed: how often it was forecast, and how often the naive had it."""
    stayed = [task for task in tasks if len(task.actual) and np.ptp(task.actual) == 0]
    missed = [(_miss(task.actual, np.array(task.forecast.prediction)), _miss(task.actual, task.reference)) for task in stayed]
    ours, naive = ([each[at] for each in missed if not each[at] <= EXACT] for at in (0, 1))
    worse = [task.forecast.queue for task, (own, other) in zip(stayed, missed, strict=True) if own > max(other, EXACT)]
    return (
        f"still: one value stayed in {len(stayed)} of {len(tasks)} tasks; missed in {len(ours)} of them, by the naive in "
        f"{len(naive)}; by more than the naive in {len(worse)}{': ' if worse else ''}{', '.join(worse)}"
    )


def _miss(actual: np.ndarray, forecast: np.ndarray) -> float:
    """Mean error ÷ the value; of zero the error itself."""
    return float(np.abs(forecast - actual).mean()) / (abs(float(actual[0])) or 1.0)


def prices(tasks: Tasks) -> str:
    """CPU seconds of the backtest by model, mean over the tasks in which it was tried, and its share of all that was spent."""
    names = sorted({name for task in tasks for name in task.seconds_by_model})
    spent = {name: [task.seconds_by_model[name] for task in tasks if name in task.seconds_by_model] for name in names}
    total = sum(task.seconds for task in tasks)
    told = ", ".join(f"{name} {mean(each):.3f} ({100 * sum(each) / total:.1f} %)" for name, each in spent.items())
    return f"{told}, all else ({100 * (1 - sum(map(sum, spent.values())) / total):.1f} %)"


def winners(tasks: Tasks) -> str:
    """How often which model was chosen."""
    names = [task.forecast.model for task in tasks]
    return ", ".join(f"{name} {names.count(name)}" for name in sorted(set(names), key=names.count, reverse=True))
