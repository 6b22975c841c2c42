"""Winners: who won the last search of a queue, so that a refit needs none."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.recipes import Winner
from shared.errors import RecordUnreadable
from shared.store.records import Is, Records, given
from shared.store.tables import Column, Kept, Kind, Table

WINNERS = Table(
    name="winners",
    value=Winner,
    columns=(Column("search"), Column("queue"), Column("created_at", Kind.CLOCK)),
    key=("search", "queue"),
    indexes=(("created_at",),),
    kept=Kept(by="created_at", setting="keep_forecasts"),
)


@dataclass(frozen=True, slots=True)
class Winners:
    """Winners by what was searched with, and queue."""

    records: Records

    def save(self, winner: Winner) -> None:
        """Keep a winner, unless that of a later search is there."""
        with self.records.together():
            known = self.get(winner.search, winner.queue)
            if known is None or known.searched_at <= winner.searched_at:
                self.records.put_many(WINNERS, [winner])

    def get(self, search: str, queue: str) -> Winner | None:
        """The winner of the last such search of the queue; None = there is none, or none that can be read."""
        try:
            return self.records.first(WINNERS, given(search=search, queue=queue))
        except RecordUnreadable:
            return None

    def forget(self, winner: Winner) -> None:
        """Drop a winner that cannot be fitted any more; that of another search stays."""
        known = self.get(winner.search, winner.queue)
        if known is None or known.job_id == winner.job_id:
            self.records.delete_some(WINNERS, [Is("search", winner.search), Is("queue", winner.queue)])
