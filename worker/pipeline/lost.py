"""What becomes of a queue whose data were lost, or that has none: it fails by its own loss, goes on, or fails nothing.

The reason of a failure is the loss, never what follows from it: an end that is lost looks like a queue that is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from shared.domain.jobs import JobRequest
from shared.domain.losses import Loss, severe
from shared.domain.timegrid import MINUTE, SECONDS_PER_DAY
from shared.errors import DataError, DataLost, EmptySeries, QueueGone, SeriesTooShort
from worker.sources.base import Reading

ACCEPT = "set `accept_losses` to forecast from what is left"
GONE_STEPS = 24


def own_losses(request: JobRequest, reading: Reading) -> tuple[Loss, ...]:
    """What was lost of the usage itself: whole rows, and cells of the target."""
    own = {None, request.target, request.time_field, *request.queue_fields}
    return tuple(loss for loss in reading.losses if loss.column in own)


def check_losses(request: JobRequest, reading: Reading, queue: str) -> None:
    """Raises DataLost when too much of the usage was lost and the request does not accept that."""
    if not request.accept_losses and (lost := severe(own_losses(request, reading))):
        raise DataLost(f"{'; '.join(loss.text for loss in lost)}; or {ACCEPT}", queue=queue)


def without_lost_columns(request: JobRequest, reading: Reading) -> tuple[Reading, Mapping[str, str]]:
    """The reading without the covariates of which too much was lost, and why each is left out: they fail no queue."""
    own = own_losses(request, reading)
    lost = [] if request.accept_losses else severe(loss for loss in reading.losses if loss not in own)
    if not lost:
        return reading, {}
    columns = {loss.column: loss.text for loss in reversed(lost) if loss.column in reading.frame.columns}
    return replace(reading, frame=reading.frame.drop(columns=list(columns))), {str(name): why for name, why in columns.items()}


def caused_by_losses(request: JobRequest, reading: Reading, error: DataError, queue: str) -> DataError:
    """The error, or where losses that the request accepts, or that may be the queue's, left too little, one that says so."""
    own = own_losses(request, reading)
    if lost := severe(own):
        return DataLost(f"{'; '.join(loss.text for loss in lost)}; {error.detail}", queue=queue)
    maybe = [loss.text for loss in own if loss.is_nobodys or loss.first_at is None]
    if maybe and isinstance(error, EmptySeries):
        return EmptySeries("; ".join((*maybe, error.detail)), last_at=error.last_at, queue=queue)
    return error


def why_skipped(request: JobRequest, queue: str, error: DataError, issued_at: datetime) -> str | None:
    """Why a queue without a forecast fails nothing: nobody asked for it by name, and it is gone or too new. None = it fails."""
    if queue in request.queues:
        return None
    if isinstance(error, SeriesTooShort):
        return f"too new to be forecast, {error.detail}"
    if isinstance(error, QueueGone) or not isinstance(error, EmptySeries):
        return error.detail if isinstance(error, QueueGone) else None
    if error.last_at is None:
        return f"without a value from {request.history_start(issued_at):%Y-%m-%d} to {issued_at:%Y-%m-%d}"
    if error.last_at > issued_at:
        ends = request.grid.step_start(issued_at, 2)  # of the step that has begun, in which they lie
        when = f"; that step ends {ends:{MINUTE}}" if error.last_at < ends else ""
        return f"without a value before {issued_at:{MINUTE}}, all are later, up to {error.last_at:{MINUTE}}{when}"
    is_gone = (issued_at - error.last_at).total_seconds() > max(SECONDS_PER_DAY, GONE_STEPS * request.step_seconds)
    return f"inactive since {error.last_at:%Y-%m-%d}" if is_gone else None
