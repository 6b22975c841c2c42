"""Records as releases until 0.1 kept them, by columns, and how they are migrated. SQLite and MongoDB had the same columns."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import structlog

from shared.domain.codec import from_json
from shared.domain.forecasts import Candidate, Failure, Forecast, Outcome, Score
from shared.domain.jobs import Hyperparameter, Job, JobRequest, JobState, Progress, QueueState
from shared.domain.reports import QualityReport, QueueReport, ReportedScore
from shared.domain.schedules import Schedule
from shared.domain.timegrid import from_epoch
from shared.domain.tokens import Scope, Token
from shared.errors import reason_of
from shared.store.codec import Cell, Row, moment_of, to_row
from shared.store.reading import DISORDER
from shared.store.tables import DOCUMENT, FORECASTS, JOBS, OUTCOMES, REPORTS, SCHEDULES, TOKENS, KeptReport, Kind, Ranked, Table

T = TypeVar("T")

Hyperparameters = dict[str, Hyperparameter]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Earlier(Generic[T]):
    """A table that is migrated: which one it becomes, and the value of a row."""

    table: Table[T]
    read: Callable[[Row], T]


def migrated(name: str, row: Row) -> dict[str, Cell]:
    """The row of today for a row of the table or collection of this name; what cannot be read is kept as it is."""
    earlier = EARLIER_TABLES[name]
    try:
        return to_row(earlier.table, earlier.read(row))
    except DISORDER as error:
        values = dict(row)
        known = {column: str(values[column])[:100] for column in earlier.table.key if column in values}
        log.warning("a record of an earlier release cannot be read", kind=name, **known, reason=reason_of(error))
        columns = {column.name: values.get(column.name, _blank(column.kind, column.may_lack)) for column in earlier.table.columns}
        return columns | {DOCUMENT: json.dumps(values, default=str)}


def _blank(kind: Kind, may_lack: bool) -> Cell:
    if may_lack:
        return None
    return "" if kind is Kind.TEXT else 0


def _job(row: Row) -> Job:
    warnings = row["warnings"]
    return Job(
        job_id=row["job_id"],
        request=from_json(JobRequest, row["request"]),
        created_at=moment_of(row["created_at"]),
        state=JobState(row["state"]),
        reason=row["reason"],
        warnings=from_json(tuple[str, ...], warnings) if isinstance(warnings, str) else tuple(warnings),
        progress=from_json(Progress, row["progress"]),
        started_at=_moment(row["started_at"]),
        ended_at=_moment(row["ended_at"]),
        queued_at=_moment(dict(row).get("queued_at")),  # none in a job that was made before there were retries
        issued_at=None if row["issued_at"] is None else from_epoch(row["issued_at"]),
        request_id=row["request_id"],
        client=row["client"],
        idempotency_key=row["idempotency_key"],
        fingerprint=row["fingerprint"],
    )


def _report(row: Row) -> KeptReport:
    report = QueueReport(
        job_id=row["job_id"],
        queue=row["queue"],
        state=QueueState(row["state"]),
        reason=row["reason"],
        quality=None if row["quality"] is None else from_json(QualityReport, row["quality"]),
        winner=None if row["winner"] is None else _candidate(row["winner"], row["winner_hyperparameters"]),
        explanation=row["explanation"],
        selected_on=ReportedScore(row["selected_on"]),
        seconds=row["seconds"],
    )
    return KeptReport(report=report, outcomes=dict(row).get("candidates", 0))


def _ranked(row: Row) -> Ranked:
    return Ranked(job_id=row["job_id"], queue=row["queue"], rank=row["rank"], outcome=_outcome(row))


def _outcome(row: Row) -> Outcome:
    if row["scores"] is not None:
        return from_json(Score, row["scores"])
    candidate = _candidate(row["model"], row["hyperparameters"])
    return Failure(candidate=candidate, error=row["error"], reason=row["reason"], seconds=row["seconds"])


def _forecast(row: Row) -> Forecast:
    return Forecast(
        queue=row["queue"],
        metric=row["metric"],
        job=row["job"],
        job_id=row["job_id"],
        issued_at=from_epoch(row["issued_at"]),
        created_at=moment_of(row["created_at"]),
        step_seconds=row["period_seconds"],
        model=row["model"],
        hyperparameters=from_json(Hyperparameters, row["hyperparameters"]),
        mape=row["mape"],
        skill=row["skill"],
        seconds=row["seconds"],
        prediction=_numbers(row["prediction"]),
        lower_bound=_numbers(row["lower_bound"]),
        upper_bound=_numbers(row["upper_bound"]),
    )


def _token(row: Row) -> Token:
    return Token(
        token_id=row["token_id"],
        name=row["name"],
        digest=row["digest"],
        scope=Scope(row["scope"]),
        projects=from_json(tuple[str, ...], row["projects"]),
        created_at=moment_of(row["created_at"]),
        expires_at=_moment(row["expires_at"]),
        revoked_at=_moment(row["revoked_at"]),
        last_used_at=_moment(row["last_used_at"]),
    )


def _schedule(row: Row) -> Schedule:
    return from_json(Schedule, row[DOCUMENT])


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else moment_of(micros)


def _numbers(values: str | Iterable[float]) -> tuple[float, ...]:
    return tuple(array("d", json.loads(values) if isinstance(values, str) else values))


def _candidate(model: str, hyperparameters: str) -> Candidate:
    return Candidate(model=model, hyperparameters=from_json(Hyperparameters, hyperparameters))


EARLIER_TABLES: dict[str, Earlier[Any]] = {
    "jobs": Earlier(JOBS, _job),
    "job_queues": Earlier(REPORTS, _report),  # in SQLite; in MongoDB:
    "leaderboards": Earlier(REPORTS, _report),
    "outcomes": Earlier(OUTCOMES, _ranked),
    "forecasts": Earlier(FORECASTS, _forecast),
    "tokens": Earlier(TOKENS, _token),
    "schedules": Earlier(SCHEDULES, _schedule),
}
