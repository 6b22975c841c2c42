"""What came of the chances that forecasts told, and the verdict over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from shared.domain.calibration import CLAIM_SUMS, Calibration, ClaimSums, OutlookScore
from shared.store.records import Between, Condition, OneOf, Records, given
from shared.store.tables import Column, Kept, Kind, Table

_COUNTS = ("days", "happened")
OUTLOOK_SCORES = Table(
    name="outlook_scores",
    value=OutlookScore,
    columns=(
        *(Column("series_id"), Column("job"), Column("day", Kind.GRID), Column("about"), Column("project")),
        *(Column("issued_at", Kind.GRID), Column("created_at", Kind.CLOCK), Column("cell")),
        *(Column(name, Kind.WHOLE if name in _COUNTS else Kind.REAL, f"sums.{name}") for name in CLAIM_SUMS),
    ),
    key=("series_id", "job", "day", "about"),
    indexes=(("created_at",), ("day",)),
    has_document=False,
    kept=Kept(by="created_at", setting="keep_forecasts"),
)
CALIBRATIONS = Table(name="calibrations", value=Calibration, columns=(Column("pool"),), key=("pool",))


@dataclass(frozen=True, slots=True)
class Calibrations:
    """Scores by series, name of the job, day and what was claimed; one verdict."""

    records: Records

    def save(self, scores: Sequence[OutlookScore]) -> None:
        """Keep scores; the same (series_id, job, day, about) again replaces the earlier one."""
        if scores:
            self.records.put_many(OUTLOOK_SCORES, scores)

    def by_cell(
        self,
        since: datetime,
        until: datetime,
        *,
        series: Sequence[str] | None = None,
        job: str | None = None,
        projects: Sequence[str] | None = None,
    ) -> dict[str, ClaimSums]:
        """Cell → the sums of the days in [since, until), of the series of one queue and a job, or pooled; None = of all."""
        named = {"series_id": series, "project": projects}
        mine: list[Condition] = [OneOf(name, values) for name, values in named.items() if values is not None]
        where = [*given(job=job), *mine, Between("day", since, until)]
        rows = self.records.sum_by(OUTLOOK_SCORES, where, "cell", CLAIM_SUMS)
        return {
            cell: ClaimSums(**{name: cast("int", row[name]) for name in CLAIM_SUMS}) for cell, row in rows.items() if row["days"]
        }

    def dates(self, since: datetime, until: datetime) -> int:
        """Of how many different days in [since, until) anything was scored, pooled."""
        rows = self.records.sum_by(OUTLOOK_SCORES, [Between("day", since, until)], "day", ["days"])
        return sum(row["days"] > 0 for row in rows.values())

    def verdict(self) -> Calibration | None:
        """The last verdict; None = there was none yet."""
        return self.records.first(CALIBRATIONS, given(pool="all"))

    def tell(self, verdict: Calibration) -> None:
        """Keep a verdict in the place of the one before."""
        self.records.put_many(CALIBRATIONS, [verdict])
