"""The past of each pool, with what the product's own pipeline forecast at each daily cutoff of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from shared.domain.distribution import Origin
from tests.bench.chance_days import DAY, Task, hours_of, tasks_of
from tests.bench.series import DataSet
from worker.decisions.objective import Demand
from worker.decisions.replay import Cutoff, Past
from worker.decisions.terms import Facts
from worker.pipeline.distribution.whole import distribution


def past_of(data: DataSet, queue: str, folder: Path, cache: Path) -> Past:
    """All days of a queue that could be forecast; fits come from the cache where they are known there."""
    hours = hours_of(data, queue, folder)
    start = hours.index[0].to_pydatetime().astimezone(UTC)
    cutoffs = tuple(_cutoff(task, start) for task in tasks_of(data, queue, folder, cache))
    return Past(queue=f"{data.name} {queue}", values=np.asarray(hours, dtype=np.float64), cutoffs=cutoffs)


def _cutoff(task: Task, start: datetime) -> Cutoff:
    made = task.fitted
    whole = distribution(made.made, made.folds, made.known, task.spec, end_at=made.end_at, first=made.ahead)
    is_recent = np.array([name.startswith(Origin.DAY) for name in whole.drawn_from])
    at = task.spec.grid.steps_between(start, made.end_at)
    facts = Facts(blocks=whole.blocks, windows=whole.windows, basis=task.spec.basis)
    return Cutoff(at=at, demand=Demand.of(whole.paths[:, :DAY], is_recent=is_recent), facts=facts)
