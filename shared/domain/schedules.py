"""Schedules: recurring jobs. Each due time makes one job, whatever restarts in between."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from shared.domain.cron import newest_due, next_due
from shared.domain.jobs import LOCAL, JobRequest, account_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A request, and when it becomes a job. Times are aware UTC."""

    schedule_id: str
    name: str
    cron: str
    timezone: str
    request: JobRequest
    created_at: datetime
    due_at: datetime  # the first due time that nobody has looked after
    is_paused: bool = False
    client: str = LOCAL  # id of the token that made it
    last_due_at: datetime | None = None
    last_job_id: str | None = None
    last_skip: str | None = None  # why the last due time made no job

    @property
    def account(self) -> str:
        """Whose allowance it takes; its jobs take that too."""
        return account_of(self.client, self.request)

    def job_id_at(self, due_at: datetime) -> str:
        """The id of the job of a due time: always the same, so that it is made once."""
        content = f"{self.schedule_id} {due_at.isoformat()}"
        return f"{due_at:%Y%m%dT%H%M%S}-{sha256(content.encode()).hexdigest()[:10]}"


def due_now(schedule: Schedule, now: datetime) -> datetime | None:
    """The due time to look after at `now`: of several that were missed only the newest; None = none, or it is paused."""
    if schedule.is_paused or schedule.due_at > now:
        return None
    return newest_due(schedule.cron, schedule.timezone, schedule.due_at, now)


def looked_after(schedule: Schedule, due_at: datetime, *, job_id: str | None = None, skip: str | None = None) -> Schedule:
    """The schedule after `due_at` has made a job, or has been skipped for a reason."""
    return replace(
        schedule,
        due_at=next_due(schedule.cron, schedule.timezone, due_at),
        last_due_at=due_at,
        last_job_id=job_id or schedule.last_job_id,
        last_skip=skip,
    )


def paused(schedule: Schedule) -> Schedule:
    """The schedule, not due any more until it is resumed."""
    return replace(schedule, is_paused=True)


def resumed(schedule: Schedule, now: datetime) -> Schedule:
    """The schedule, due again from `now` on; what it missed while it was paused was not wanted."""
    return replace(schedule, is_paused=False, due_at=next_due(schedule.cron, schedule.timezone, now))
