"""Models whose price is known: they burn the CPU time they are told to, then repeat the last day.

`milliseconds` are per fit, and a candidate is fitted once per backtest window; `variant` makes many candidates of one model.
Imported by the benchmark's workers only, so that no other test meets them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from shared.domain.lanes import Lane
from worker.models import models
from worker.models.base import FloatArray, History
from worker.models.baseline_models import NeedsDay


def burn(seconds: float) -> None:
    """Compute until this process has had so much more CPU time; other processes on the machine do not shorten it."""
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


@models.register("quick")
@dataclass(frozen=True, slots=True, kw_only=True)
class Quick(NeedsDay):
    """Costs nothing unless told so, and travels in blocks."""

    milliseconds: float = 0.0
    variant: int = 0

    def forecast(self, history: History, horizon: int) -> FloatArray:
        burn(self.milliseconds / 1_000)
        return np.resize(history.target[-history.steps_per_day :], horizon)


@models.register("busy")
class Busy(Quick):
    """Says of itself that a candidate with three windows costs about 100 ms, and so travels in small blocks."""

    cost: ClassVar[int] = 12


@models.register("alone")
class Alone(Quick):
    """Each candidate is a task of its own, as all in its lane are."""

    lane: ClassVar[Lane] = Lane.HEAVY
