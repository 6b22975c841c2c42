"""Records as releases until 0.1 kept them, by columns, and how they are migrated. SQLite and MongoDB had the same columns."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import structlog

from shared.domain.codec import from_document, from_json
from shared.domain.forecasts import Forecast
from shared.domain.jobs import Job
from shared.domain.reports import QueueReport
from shared.domain.schedules import Schedule
from shared.domain.timegrid import from_epoch
from shared.domain.tokens import Token
from shared.domain.units import unit_of
from shared.errors import reason_of
from shared.store.codec import Cell, Row, moment_of, to_row
from shared.store.forecasts import FORECASTS
from shared.store.jobs import JOBS
from shared.store.reading import DISORDER
from shared.store.reports import OUTCOMES, REPORTS, KeptReport, Ranked
from shared.store.schedules import SCHEDULES
from shared.store.schema_5 import accepting_losses
from shared.store.tables import DOCUMENT, Kind, Table
from shared.store.tokens import TOKENS

T = TypeVar("T")

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


def _values(row: Row) -> dict[str, Any]:
    """The cells of a row: moments, and values of what has parts, which were JSON texts and in MongoDB lists as well."""
    return {name: cell if cell is None or name not in _READ else _READ[name](cell) for name, cell in dict(row).items()}


def _read_parts(cell: object) -> object:
    return json.loads(cell) if isinstance(cell, str) else cell


_READ: dict[str, Callable[[Any], object]] = {
    **dict.fromkeys(("created_at", "started_at", "ended_at", "queued_at", "expires_at", "revoked_at", "last_used_at"), moment_of),
    "issued_at": from_epoch,
    **dict.fromkeys(("request", "warnings", "progress", "quality", "winner_hyperparameters", "hyperparameters"), _read_parts),
    **dict.fromkeys(("scores", "prediction", "lower_bound", "upper_bound", "projects"), _read_parts),
}


def _of_fields(kind: type[T]) -> Callable[[Row], T]:
    """Reads rows whose columns are the fields of the value."""
    return lambda row: from_document(kind, _values(row))


def _report(row: Row) -> KeptReport:
    values = _values(row)
    winner = values["winner"] and {"model": values["winner"], "hyperparameters": values["winner_hyperparameters"]}
    return KeptReport(report=from_document(QueueReport, values | {"winner": winner}), outcomes=values.get("candidates", 0))


def _ranked(row: Row) -> Ranked:
    values = _values(row)
    outcome = values["scores"] or values | {"candidate": values, "kind": "failure"}
    return from_document(Ranked, values | {"outcome": outcome})


def _forecast(row: Row) -> Forecast:
    """Of schema 5, which has a document, too; the columns of its series are in the row.

    Neither knew a unit but per cent, by the metric's name, nor a limit but 100.
    """
    if DOCUMENT in dict(row):
        forecast = from_json(Forecast, row[DOCUMENT])
    else:
        forecast = from_document(Forecast, _values(row) | {"step_seconds": row["period_seconds"]})
    unit = unit_of(forecast.metric, max(forecast.upper_bound, default=0.0))
    return replace(forecast, unit=unit, guaranteed=unit.full if unit else None)


def _schedule(row: Row) -> Schedule:
    return from_json(Schedule, accepting_losses(row[DOCUMENT]))


EARLIER_TABLES: dict[str, Earlier[Any]] = {
    "jobs": Earlier(JOBS, _of_fields(Job)),
    "job_queues": Earlier(REPORTS, _report),  # in SQLite; in MongoDB:
    "leaderboards": Earlier(REPORTS, _report),
    "outcomes": Earlier(OUTCOMES, _ranked),
    "forecasts": Earlier(FORECASTS, _forecast),
    "tokens": Earlier(TOKENS, _of_fields(Token)),
    "schedules": Earlier(SCHEDULES, _schedule),
}
