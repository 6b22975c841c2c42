"""Proposals by id, and the files that each was made with."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import chain

from shared.domain.policies import Sight
from shared.domain.proposal_states import OPEN, ProposalState
from shared.domain.proposals import Proposal
from shared.errors import ProposalNotFound
from shared.store.policies import in_sight
from shared.store.records import Between, Is, OneOf, Records, Where, given
from shared.store.tables import Column, Kept, Kind, Table

LEAST = timedelta(microseconds=1)  # between two moments, as they are kept
_KEPT = Kept(by="created_at", setting="keep_forecasts")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalFile:
    """One file of a proposal, as it was when that was made. body: its bytes, in base 64. sha256: of the bytes."""

    decision_id: str
    name: str
    created_at: datetime
    body: str
    sha256: str

    @classmethod
    def of(cls, proposal: Proposal, name: str, content: bytes) -> ProposalFile:
        """A file as it is kept with its proposal."""
        return cls(
            decision_id=proposal.decision_id,
            name=name,
            created_at=proposal.created_at,
            body=b64encode(content).decode(),
            sha256=sha256(content).hexdigest(),
        )

    @property
    def content(self) -> bytes:
        """Its bytes."""
        return b64decode(self.body)


PROPOSALS = Table(
    name="proposals",
    value=Proposal,
    columns=(
        *(Column("decision_id"), Column("project"), Column("cluster"), Column("parent"), Column("partition")),
        *(Column("state"), Column("created_at", Kind.CLOCK), Column("end_at", Kind.CLOCK)),
    ),
    key=("decision_id",),
    indexes=(("created_at",), ("state", "end_at"), ("cluster", "parent", "created_at")),
    missing=ProposalNotFound,
    kept=_KEPT,
)
FILES = Table(
    name="proposal_files",
    value=ProposalFile,
    columns=(Column("decision_id"), Column("name"), Column("created_at", Kind.CLOCK)),
    key=("decision_id", "name"),
    indexes=(("created_at",),),
    missing=ProposalNotFound,
    kept=_KEPT,
)
NEWEST_FIRST = (("created_at", False), ("decision_id", False))


@dataclass(frozen=True, slots=True)
class Proposals:
    """Proposals by id."""

    records: Records

    def add(self, proposal: Proposal, files: Sequence[ProposalFile] = ()) -> bool:
        """Keep a new proposal with its files; False = it is there already, and stays as it is."""
        if files:
            self.records.put_many(FILES, files)
        return self.records.add(PROPOSALS, proposal)

    def drop_kept(self, newest: Proposal) -> int:
        """Drop what was decided before about the same queues, changes nothing, and nobody has asked for; how many went."""
        old = self.find(**newest.group._asdict(), states=[ProposalState.KEPT], before=(newest.created_at, newest.decision_id))
        ids = [
            each.decision_id
            for each in old
            if each.job == newest.job and each.issued_at <= newest.issued_at and not each.is_by_hand
        ]
        return self.records.delete_some(PROPOSALS, [OneOf("decision_id", ids)]) if ids else 0

    def get(self, decision_id: str) -> Proposal:
        """The proposal of this id; raises ProposalNotFound."""
        return self.records.get(PROPOSALS, decision_id)

    def find(
        self,
        *,
        project: str | None = None,
        cluster: str | None = None,
        parent: str | None = None,
        partition: str | None = None,
        states: Sequence[ProposalState] = (),
        sight: Sight | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int | None = None,
    ) -> list[Proposal]:
        """Those that match, newest first; None and () = any.

        Args:
            sight: whose groups; None = all.
            before: `created_at` and id of a proposal: only those after it in this order.
        """
        where: Where = [
            *given(project=project, cluster=cluster, parent=parent, partition=partition),
            *([OneOf("state", [state.value for state in states])] if states else []),
        ]
        each = [
            self.records.find(PROPOSALS, [*where, *seen], order=NEWEST_FIRST, before=before, limit=limit)
            for seen in in_sight(sight)
        ]
        found = sorted(chain(*each), key=lambda proposal: (proposal.created_at, proposal.decision_id), reverse=True)
        return found[:limit]

    def over(self, now: datetime, limit: int) -> list[Proposal]:
        """Those that are open and not being applied, and whose time is over; the longest first."""
        waiting = [state.value for state in OPEN if state is not ProposalState.APPLYING]
        where: Where = [OneOf("state", waiting), Between("end_at", None, now + LEAST)]
        return self.records.find(PROPOSALS, where, order=(("end_at", True), ("decision_id", True)), limit=limit)

    def seen_since(self, since: datetime) -> list[Proposal]:
        """Those that were made since then and that the cluster shows, newest first."""
        where: Where = [Is("state", ProposalState.SEEN.value), Between("created_at", since)]
        return self.records.find(PROPOSALS, where, order=NEWEST_FIRST)

    def ending(self, now: datetime, until: datetime) -> list[str]:
        """Ids of those of which anything may still come, and whose time is over in (now, until)."""
        where: Where = [OneOf("state", [state.value for state in OPEN]), Between("end_at", now, until)]
        return list(self.records.sum_by(PROPOSALS, where, "decision_id", []))

    def by_state(self) -> dict[str, int]:
        """State → how many there are."""
        return {state: int(row["count"]) for state, row in self.records.sum_by(PROPOSALS, [], "state", []).items()}

    def oldest_open(self) -> Proposal | None:
        """The one that waits longest for a person to decide on it; None = none does."""
        waiting = Is("state", ProposalState.PROPOSED.value)
        return next(iter(self.records.find(PROPOSALS, [waiting], order=(("created_at", True),), limit=1)), None)

    def open(self) -> list[Proposal]:
        """All of which anything may still come, newest first."""
        return self.find(states=OPEN)

    def change(self, decision_id: str, change: Callable[[Proposal], Proposal | None]) -> Proposal | None:
        """Replace a proposal by what `change` makes of it, which may be called again, and may raise.

        Returns:
            What it is now; None = `change` left it as it was. Raises ProposalNotFound.
        """
        made: list[Proposal | None] = []

        def keep(known: Proposal) -> Proposal | None:
            made.append(change(known))
            return made[-1]

        return made[-1] if self.records.update_if(PROPOSALS, [decision_id], keep) else None

    def files(self, decision_id: str) -> list[ProposalFile]:
        """Its files, by name."""
        return self.records.find(FILES, [Is("decision_id", decision_id)])

    def file(self, decision_id: str, name: str) -> ProposalFile:
        """One of them; raises ProposalNotFound."""
        return self.records.get(FILES, decision_id, name)
