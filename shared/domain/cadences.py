"""Which cadences a schedule may have beside that of its searches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import islice

from shared.domain.jobs import JobRequest
from shared.domain.runs import Run
from shared.domain.schedules import Schedule, next_due, runs_a_day
from shared.domain.timegrid import SECONDS_PER_DAY
from shared.errors import InvalidRequest

FIELDS = {Run.SEARCH: "cron", Run.REFIT: "refit_cron", Run.ACTUALS: "actuals_cron"}
HOURS = 24
LOOKED_AT = 50  # due times


def check_cadences(schedule: Schedule) -> None:
    """Each of them is due now and then, no more often than there is something new, and not only when a fuller one is.

    Raises InvalidRequest, with the field that is wrong.
    """
    fuller: list[str] = []
    for run, cron in schedule.crons.items():
        with _about(FIELDS[run]):
            next_due(cron, schedule.timezone, schedule.created_at)
            if run is not Run.SEARCH:
                _check_is_worth_it(run, cron, schedule.request)
                _check_is_apart(cron, fuller, schedule)
        fuller.append(cron)


def _check_is_worth_it(run: Run, cron: str, request: JobRequest) -> None:
    if request.as_of is not None:
        raise InvalidRequest("the request has a fixed `as_of`, so that there are no newer values to read: take that away")
    steps = SECONDS_PER_DAY // request.step_seconds
    most = max(HOURS, steps)
    if (often := runs_a_day(cron)) > most:
        raise InvalidRequest(
            f"it is due {often:,} times a day, accepted are {most:,}: once an hour, or once a step of the series; "
            f"a {run.value} run in between would find nothing new"
        )


def _check_is_apart(cron: str, fuller: list[str], schedule: Schedule) -> None:
    due = islice(_due_times(cron, schedule.timezone, schedule.created_at), LOOKED_AT)
    if all(any(_is_due(other, schedule.timezone, moment) for other in fuller) for moment in due):
        raise InvalidRequest("it is due only when a fuller run is, which does the same and more; leave it out")


def _due_times(cron: str, timezone: str, after: datetime) -> Iterator[datetime]:
    while True:
        yield (after := next_due(cron, timezone, after))


def _is_due(cron: str, timezone: str, moment: datetime) -> bool:
    return next_due(cron, timezone, moment - timedelta(microseconds=1)) == moment


@contextmanager
def _about(field: str) -> Iterator[None]:
    """Says which field an error is about."""
    try:
        yield
    except InvalidRequest as error:
        raise InvalidRequest(error.detail, field=field) from error
