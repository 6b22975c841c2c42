"""Decisions that are to be made, and what came of asking."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.decision_requests import DecisionRequest, Outcome, asked_by_job, ended, may_decide
from shared.domain.jobs import Job, JobState
from shared.errors import NotFound, ProposalNotFound
from shared.store.records import Between, Records, of_key
from shared.store.tables import Column, Kept, Kind, Table

REQUESTS = Table(
    name="decision_requests",
    value=DecisionRequest,
    columns=(Column("decision_id"), Column("asked_at", Kind.CLOCK), Column("due_at", Kind.CLOCK, may_lack=True)),
    key=("decision_id",),
    indexes=(("due_at",), ("asked_at",)),
    missing=ProposalNotFound,
    kept=Kept(by="asked_at", setting="keep_jobs"),
)


@dataclass(frozen=True, slots=True)
class DecisionRequests:
    """Requests by the id of the decision."""

    records: Records

    def add(self, request: DecisionRequest) -> bool:
        """Keep a request; False = it is known already, and stays as it is."""
        return self.records.add(REQUESTS, request)

    def add_for(self, job: Job, state: JobState, now: datetime) -> None:
        """Keep what a job that is about to end so asks for, if it may be decided on."""
        if may_decide(job, state):
            self.add(asked_by_job(job, now))

    def get(self, decision_id: str) -> DecisionRequest:
        """The request of this id; raises ProposalNotFound."""
        return self.records.get(REQUESTS, decision_id)

    def find(self, decision_id: str) -> DecisionRequest | None:
        """The same; None = nobody has asked."""
        return self.records.first(REQUESTS, of_key(REQUESTS, [decision_id]))

    def due(self, now: datetime, limit: int) -> list[DecisionRequest]:
        """Those whose task is to be sent again, the longest due first."""
        until = now + timedelta(microseconds=1)
        return self.records.find(REQUESTS, [Between("due_at", None, until)], order=(("due_at", True),), limit=limit)

    def replace(self, known: DecisionRequest, new: DecisionRequest) -> bool:
        """Compare-and-set: `new` in place of `known`, if that is how it still stands; whether this call did it."""
        try:
            return self.records.update_if(REQUESTS, [known.decision_id], lambda request: new if request == known else None)
        except NotFound:
            return False

    def end(self, decision_id: str, outcome: Outcome, error: str, now: datetime) -> None:
        """Keep what came of it, unless that is known already; one that is gone stays so."""

        def over(request: DecisionRequest) -> DecisionRequest | None:
            return ended(request, outcome, error, now) if request.outcome is None else None

        try:
            self.records.update_if(REQUESTS, [decision_id], over)
        except NotFound:
            return
