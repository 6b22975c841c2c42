"""Verdicts on whether a rule is offered for a queue: of each series and job the newest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.replays import ReplayVerdict
from shared.store.records import OneOf, Records, given
from shared.store.tables import Column, Kept, Kind, Table


class Evidence(StrEnum):
    """What was replayed."""

    ISSUED = "issued forecasts"
    BACKTEST = "the backtest of its search"
    NONE = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReplay:
    """What a replay of a series came to. verdict: None = nothing of its past could be replayed, for this reason.

    has_week: whether the rule counted with the last week as it was.
    issued_at: of the forecast that it was made for, whose steps a timetable counts; None = an earlier release has not kept it.
    """

    series_id: str
    job: str
    queue: str
    made_at: datetime
    evidence: Evidence
    verdict: ReplayVerdict | None = None
    reason: str = ""
    has_week: bool = True
    issued_at: datetime | None = None


REPLAYS = Table(
    name="decision_replays",
    value=KeptReplay,
    columns=(Column("series_id"), Column("job"), Column("made_at", Kind.CLOCK)),
    key=("series_id", "job"),
    indexes=(("made_at",),),
    kept=Kept(by="made_at", setting="keep_forecasts"),
)


@dataclass(frozen=True, slots=True)
class Replays:
    """Verdicts by series and name of the job."""

    records: Records

    def save(self, replays: Sequence[KeptReplay]) -> None:
        """Keep verdicts, each in the place of the one before."""
        if replays:
            self.records.put_many(REPLAYS, replays)

    def get(self, series_id: str, job: str) -> KeptReplay | None:
        """The last verdict on a series; None = none was made yet."""
        return self.records.first(REPLAYS, given(series_id=series_id, job=job))

    def of(self, series_ids: Sequence[str], job: str) -> dict[str, KeptReplay]:
        """Id of a series → the last verdict on it, of jobs of this name."""
        found = self.records.find(REPLAYS, [OneOf("series_id", series_ids), *given(job=job)]) if series_ids else []
        return {each.series_id: each for each in found}
