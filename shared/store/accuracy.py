"""Accuracy: how issued forecasts compare with what happened since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.domain.accuracy import SUMS, Accuracy, AccuracyFilter, ErrorSums
from shared.store.records import Between, Condition, Is, Records, given
from shared.store.tables import ISSUE_COLUMNS, STEP_COLUMN, Column, Kept, Kind, Table

_COUNTS = ("forecasts", "steps", "relative_steps", "covered_steps", "compared_steps")
ACCURACY = Table(
    name="accuracy",
    value=Accuracy,
    columns=(
        *ISSUE_COLUMNS,
        Column("first_step", Kind.WHOLE),
        Column("created_at", Kind.CLOCK),
        Column("job_id"),
        Column("model"),
        STEP_COLUMN,
        Column("is_final", Kind.FLAG),
        *(Column(name, Kind.WHOLE if name in _COUNTS else Kind.REAL, f"sums.{name}") for name in SUMS),
    ),
    key=("queue", "metric", "job", "issued_at", "first_step"),
    indexes=(("metric", "issued_at"), ("created_at",)),
    has_document=False,
    kept=Kept(by="created_at", setting="keep_forecasts"),
)


@dataclass(frozen=True, slots=True)
class Accuracies:
    """One record per lead of an issued forecast."""

    records: Records

    def save(self, accuracies: Sequence[Accuracy]) -> None:
        """Keep records; the same (queue, metric, job, issued_at, first_step) again replaces the earlier one."""
        self.records.put_many(ACCURACY, accuracies)

    def of_queue(self, queue: str, asked: AccuracyFilter, limit: int) -> list[Accuracy]:
        """Records of the queue, the newest issue first, within an issue by job and lead; at most `limit`."""
        order = (("issued_at", False), ("job", True), ("first_step", True))
        return self.records.find(ACCURACY, [Is("queue", queue), *_where(asked)], order=order, limit=limit)

    def by_lead(self, queue: str, asked: AccuracyFilter) -> dict[int, ErrorSums]:
        """First step of a lead → its sums over all forecasts of the queue, by lead; a lead without scored steps is absent."""
        rows = self.records.sum_by(ACCURACY, [Is("queue", queue), *_where(asked)], "first_step", SUMS)
        return {first_step: _sums(row) for first_step, row in rows.items() if row["steps"]}

    def by_queue(self, asked: AccuracyFilter) -> dict[str, ErrorSums]:
        """Queue → its sums over all its forecasts and leads, where `forecasts` counts those that reached the first lead."""
        where = _where(asked)
        once = self.records.sum_by(ACCURACY, [*where, Is("first_step", 1)], "queue", ["forecasts"])
        rows = self.records.sum_by(ACCURACY, where, "queue", SUMS)
        return {
            queue: _sums(row | {"forecasts": once.get(queue, {}).get("forecasts", 0)})
            for queue, row in rows.items()
            if row["steps"]
        }


def _where(asked: AccuracyFilter) -> list[Condition]:
    own = given(metric=asked.metric, period_seconds=asked.step_seconds, job=asked.job)
    return [*own, Between("issued_at", asked.since, asked.until)]


def _sums(row: Mapping[str, Any]) -> ErrorSums:
    return ErrorSums(**{name: row[name] for name in SUMS})
