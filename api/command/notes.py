"""What is said beside what was asked for: that a forecast is not of the last run."""

from __future__ import annotations

from shared.command.terminal import notice, shown_time
from shared.domain.codec import Document


def note_failure(forecast: Document) -> None:
    """That a later run has left a forecast the last good one, and why."""
    if failed := forecast["last_failure"]:
        since = f"the last good forecast, issued {shown_time(forecast['issued_at'])}, stays"
        notice(f"note: {forecast['queue']}: {since}: job {failed['job_id']} brought none: {failed['reason']}", style="yellow")
