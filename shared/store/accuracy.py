"""Accuracy: how issued forecasts compare with what happened since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from shared.domain.accuracy import SUMS, Accuracy, AccuracyFilter, ErrorSums
from shared.store.records import Between, Condition, Is, OneOf, Records, given
from shared.store.tables import ISSUE_COLUMNS, Column, Kept, Kind, Table

_COUNTS = ("forecasts", "steps", "relative_steps", "bounded_steps", "covered_steps", "compared_steps")
_OF_BOUNDS = ("bounded_steps", "covered_steps")
ACCURACY = Table(
    name="accuracy",
    value=Accuracy,
    columns=(
        Column("series_id"),
        *ISSUE_COLUMNS,
        Column("first_step", Kind.WHOLE),
        Column("is_final", Kind.FLAG),
        Column("interval", Kind.REAL),
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

    def by_lead(self, series: str | Sequence[str], asked: AccuracyFilter) -> dict[int, ErrorSums]:
        """First step of a lead → its sums over all forecasts of the series, by lead; a lead without scored steps is absent.

        Args:
            series: its id, or those that it has had under its names.
        """
        return self._sums([OneOf("series_id", [series] if isinstance(series, str) else series)], asked, "first_step")

    def by_series(self, series_ids: Sequence[str], asked: AccuracyFilter) -> dict[str, ErrorSums]:
        """Id of a series → its sums over all forecasts and leads, where `forecasts` counts those that reached the first lead."""
        sums: dict[str, ErrorSums] = {}
        for first in range(0, len(series_ids), MAX_SERIES):
            wanted = OneOf("series_id", series_ids[first : first + MAX_SERIES])
            once = self.records.sum_by(ACCURACY, [wanted, *_where(asked), Is("first_step", 1)], "series_id", ["forecasts"])
            sums |= {
                series_id: replace(its, forecasts=int(once.get(series_id, {}).get("forecasts", 0)))
                for series_id, its in self._sums([wanted], asked, "series_id").items()
            }
        return sums

    def _sums(self, where: Sequence[Condition], asked: AccuracyFilter, by: str) -> dict[Any, ErrorSums]:
        """Value of the column → its sums, where there are scored steps; those of bounds are of the level asked for."""
        rows = self.records.sum_by(ACCURACY, [*where, *_where(asked)], by, SUMS)
        level = [] if asked.interval is None else [Is("interval", asked.interval)]
        of_level = self.records.sum_by(ACCURACY, [*where, *_where(asked), *level], by, _OF_BOUNDS) if level else {}
        nothing = dict.fromkeys(_OF_BOUNDS, 0)
        return {
            key: ErrorSums(
                **{name: cast("int", cell) for name, cell in {**row, **nothing, **of_level.get(key, {})}.items() if name in SUMS}
            )
            for key, row in rows.items()
            if row["steps"]
        }


def _where(asked: AccuracyFilter) -> list[Condition]:
    return [*given(job=asked.job), Between("issued_at", asked.since, asked.until)]
