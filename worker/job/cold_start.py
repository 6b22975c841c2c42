"""A queue that is too new to be forecast gets one from its parent, where that has one of the same run.

    root.a       read ──▶ scored ──▶ delivered ─┐
    root.a.new   read: too short … waits ·······└▶ read again ──▶ derived ──▶ delivered

Its parent comes before it among the job's queues, so it is let in before; what waits takes no other's place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pandas as pd

from shared.connections.yarn import may_use
from shared.domain.collected import DEFAULT
from shared.domain.day_ahead import partition_of
from shared.domain.forecasts import Forecast
from shared.domain.jobs import Job, JobRequest, QueueState
from shared.domain.moving import Limits
from shared.domain.queue_tree import DEFAULT_PARTITION
from shared.domain.queue_tree import Share as OfTree
from shared.domain.relative import limits_of
from shared.domain.reports import QualityReport, QueueReport
from shared.domain.runs import Run
from shared.errors import DataError, EmptySeries, SeriesTooShort
from shared.fleet.runstate import RunState
from shared.fleet.runstate.values import RunningQueue
from worker.job.resources import Resources
from worker.pipeline.from_parent import Share, candidate_of, from_parent, share_of
from worker.sources.base import Reading

WAITS = "the forecast of its parent "
OPEN = {QueueState.WAITING, QueueState.RUNNING}
NOTHING: Mapping[datetime, float] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdStart:
    """A derived forecast, and the report that says what it is."""

    forecast: Forecast
    report: QueueReport


def is_cold(job: Job, queue: str, error: DataError) -> bool:
    """Whether a queue cannot be forecast because it is too new, and may have a parent."""
    is_new = isinstance(error, SeriesTooShort) or (type(error) is EmptySeries and error.last_at is None)
    return is_new and "." in queue and job.run is not Run.ACTUALS


def waits_for_parent(run_state: RunState, job_id: str, queue: str) -> bool:
    """Whether the queue's parent is of the same run and has not ended; then it is noted that the queue waits for it."""
    parent = queue.rpartition(".")[0]
    state = run_state.queue_state(job_id, parent)
    if state is None or state[0] not in OPEN:
        return False
    run_state.note_waiting(job_id, queue, f"{WAITS}{parent}")
    return True


def freed_queues(run_state: RunState, job_id: str) -> list[str]:
    """The queues that have waited for a parent which has ended since."""
    return [name for name, is_held in _waiting(run_state, job_id).items() if not is_held]


def unheld_queues(run_state: RunState, job_id: str) -> list[RunningQueue]:
    """Those that run, but for the ones that wait for a parent which runs: nothing of them is lost."""
    waiting = _waiting(run_state, job_id)
    return [queue for queue in run_state.running_queues(job_id) if not waiting.get(queue.queue)]


def _waiting(run_state: RunState, job_id: str) -> dict[str, bool]:
    """Queue that waits for its parent → whether that has not ended."""
    names = [name for name, reason in run_state.waiting_for(job_id).items() if reason.startswith(WAITS)]
    states = run_state.queue_states(job_id) if names else {}
    are_open = {name for name, (state, _) in states.items() if state in OPEN}
    return {name: name.rpartition(".")[0] in are_open for name in names if name in are_open}


def cold_start(resources: Resources, job: Job, queue: str, reading: Reading | None, error: DataError) -> ColdStart | None:
    """What is derived from the parent's forecast of this run; None = it has none, or nothing tells the queue's share."""
    request, parent = job.request, queue.rpartition(".")[0]
    series_id = request.series(parent).series_id
    above = resources.store.forecasts.newest(series_id, request.job_name, job.issued_at) if job.issued_at else None
    if above is None:
        return None
    values = _values(request, reading, above.issued_at)
    own, its = (_limits(resources, above, name) for name in (queue, parent))
    share = share_of(values, _actuals(resources, series_id, values), _ratio(above, own.guaranteed, its.guaranteed))
    if share is None:
        return None
    rows, now = reading.rows if reading else 0, datetime.now(UTC)
    quality = QualityReport(rows=rows, steps=len(values), warnings=(_warning(parent, share, error),))
    forecast = from_parent(above, share, queue=queue, job_id=job.job_id, created_at=now, limits=own)
    report = QueueReport(
        job_id=job.job_id,
        queue=queue,
        state=QueueState.SUCCEEDED,
        quality=quality,
        winner=candidate_of(above, share),
        explanation=f"Derived from its parent {parent}, as it is too new for a forecast of its own.",
    )
    return ColdStart(forecast=forecast, report=report)


def _warning(parent: str, share: Share, error: DataError) -> str:
    return (
        f"forecast from its parent {parent}, {share.words}: {error.detail}; the interval is wide, and no chances are told; a "
        "forecast of its own takes its place as soon as there is enough"
    )


def _values(request: JobRequest, reading: Reading | None, issued_at: datetime) -> Mapping[datetime, float]:
    """What the queue has had, by step."""
    if reading is None or request.target not in reading.frame:
        return NOTHING
    known = reading.frame.loc[reading.frame.index < issued_at, request.target].dropna()
    times = pd.DatetimeIndex(known.index).to_pydatetime()
    return dict(zip(times, known.tolist(), strict=True))


def _actuals(resources: Resources, series_id: str, values: Mapping[datetime, float]) -> Mapping[datetime, float]:
    """What the parent has had in these steps, as far as it was kept."""
    if not values:
        return NOTHING
    points = resources.store.actuals.get(series_id, min(values), max(values) + timedelta(seconds=1))
    return {point.timestamp: point.value for point in points if point.value is not None}


def _ratio(above: Forecast, own: float | None, of_parent: float | None) -> float | None:
    """The queue's part of what its parent is guaranteed; of percentages of their own guarantees both have as much."""
    if above.unit is not None and above.unit.full is not None:
        return 1.0
    return own / of_parent if own is not None and of_parent else None


def _limits(resources: Resources, above: Forecast, queue: str) -> Limits:
    """What a queue has and can get in the forecast's unit: of amounts as the cluster's newest tree says it."""
    if above.unit is not None and above.unit.full is not None:
        return Limits(guaranteed=above.guaranteed)
    share = _of_tree(resources, above, queue)
    return (limits_of(share, above.unit) if share else None) or Limits()


def _of_tree(resources: Resources, above: Forecast, queue: str) -> OfTree | None:
    """The queue's share of the partition, where the forecast's project may see the cluster's tree."""
    partition = partition_of(above)
    if partition is None or not may_use(resources.settings.all_connections.values(), above.cluster, above.project):
        return None
    kept = resources.store.trees.newest(above.cluster)
    known = kept.tree.by_path.get(queue) if kept else None
    return known.share(DEFAULT_PARTITION if partition == DEFAULT else partition) if known else None
