"""What is said beside what was asked for: that a forecast is not of the last run, or its queue is gone."""

from __future__ import annotations

from collections.abc import Iterable

from shared.command.terminal import notice, shown_time
from shared.domain.codec import Document


def note_failures(forecasts: Iterable[Document]) -> None:
    """Which of them are of queues that are gone, and which a later run has left the last good ones, and why."""
    for forecast in forecasts:
        if gone := forecast.get("gone"):
            notice(f"note: {forecast['queue']}: {gone}", style="yellow")
        if failed := forecast["last_failure"]:
            since = f"the last good forecast, issued {shown_time(forecast['issued_at'])}, stays"
            notice(f"note: {forecast['queue']}: {since}: job {failed['job_id']} brought none: {failed['reason']}", style="yellow")


def made_by(job: Document) -> str:
    """Which schedule has made the job, to be said behind it; nothing where none has."""
    if not (schedule_id := job["schedule_id"]):
        return ""
    name = job["schedule_name"]
    return f", made by the schedule {name} ({schedule_id})" if name else f", made by the schedule {schedule_id}, which is gone"
