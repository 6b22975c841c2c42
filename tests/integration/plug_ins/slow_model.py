"""A made-up model that is heavy, and notes in which lane it was computed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from shared.domain.jobs import Grid
from shared.domain.lanes import Lane
from worker.models import models
from worker.models.base import Extent, FloatArray, History, Model


@models.register("slow")
@dataclass(frozen=True, slots=True, kw_only=True)
class Slow(Model):
    """Yesterday again, by great effort."""

    days: int = 1

    grid: ClassVar[Grid] = {"days": (1,)}
    lane: ClassVar[Lane] = Lane.HEAVY
    cost: ClassVar[int] = 100

    def missing(self, extent: Extent) -> str | None:
        return None if extent.length >= extent.steps_per_day else "it needs a day"

    def forecast(self, history: History, horizon: int) -> FloatArray:
        from celery import current_task

        with Path(os.environ["LANES_SEEN"]).open("a") as seen:
            seen.write(f"{current_task.request.delivery_info['routing_key']}\n")
        return np.resize(history.target[-self.days * history.steps_per_day :], horizon)
