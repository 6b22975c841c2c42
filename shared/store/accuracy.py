"""Accuracy: how issued forecasts compare with what happened since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.domain.accuracy import SUMS, Accuracy, AccuracyFilter, ErrorSums
from shared.store.records import Between, Condition, Is, OneOf, Records, given
from shared.store.tables import ISSUE_COLUMNS, Column, Kept, Kind, Table

_COUNTS = ("forecasts", "steps", "relative_steps", "covered_steps", "compared_steps")
ACCURACY = Table(
    name="accuracy",
    value=Accuracy,
    columns=(
        Column("series_id"),
        *ISSUE_COLUMNS,
        Column("first_step", Kind.WHOLE),
        Column("is_final", Kind.FLAG),
        *(Column(name, Kind.WHOLE if name in _COUNTS else Kind.REAL, f"sums.{name}") for name in SUMS),
    ),
    key=("series_id", "job", "issued_at", "job_id", "first_step"),
    indexes=(("created_at",),),
    has_document=False,
    kept=Kept(by="created_at", setting="keep_forecasts"),
)
MAX_SERIES = 5_000  # asked for at once: a database takes only so many values in a question


@dataclass(frozen=True, slots=True)
class Accuracies:
    """One record per lead of an issued forecast."""

    records: Records

    def save(self, accuracies: Sequence[Accuracy]) -> None:
        """Keep records; the same (series_id, job, issued_at, job_id, first_step) again replaces the earlier one."""
        self.records.put_many(ACCURACY, accuracies)

    def of_series(self, series_id: str, asked: AccuracyFilter, limit: int) -> list[Accuracy]:
        """Records of the series, the newest issue first, within an issue by job and lead; at most `limit`."""
        order = (("issued_at", False), ("job", True), ("first_step", True))
        return self.records.find(ACCURACY, [Is("series_id", series_id), *_where(asked)], order=order, limit=limit)

    def by_lead(self, series_id: str, asked: AccuracyFilter) -> dict[int, ErrorSums]:
        """First step of a lead → its sums over all forecasts of the series, by lead; a lead without scored steps is absent."""
        rows = self.records.sum_by(ACCURACY, [Is("series_id", series_id), *_where(asked)], "first_step", SUMS)
        return {first_step: _sums(row) for first_step, row in rows.items() if row["steps"]}

    def by_series(self, series_ids: Sequence[str], asked: AccuracyFilter) -> dict[str, ErrorSums]:
        """Id of a series → its sums over all forecasts and leads, where `forecasts` counts those that reached the first lead."""
        sums: dict[str, ErrorSums] = {}
        for first in range(0, len(series_ids), MAX_SERIES):
            where = [OneOf("series_id", series_ids[first : first + MAX_SERIES]), *_where(asked)]
            once = self.records.sum_by(ACCURACY, [*where, Is("first_step", 1)], "series_id", ["forecasts"])
            rows = self.records.sum_by(ACCURACY, where, "series_id", SUMS)
            sums |= {
                series_id: _sums(row | {"forecasts": once.get(series_id, {}).get("forecasts", 0)})
                for series_id, row in rows.items()
                if row["steps"]
            }
        return sums


def _where(asked: AccuracyFilter) -> list[Condition]:
    return [*given(job=asked.job), Between("issued_at", asked.since, asked.until)]


def _sums(row: Mapping[str, Any]) -> ErrorSums:
    return ErrorSums(**{name: row[name] for name in SUMS})
