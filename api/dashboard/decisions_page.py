"""Decisions: what is to be changed before when and what it costs not to, with who has decided what; and one of them, whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from flask import render_template
from pydantic import Field

from api.dashboard.addresses import query_of
from api.dashboard.decision_rows import Row, rows_of
from api.edge.context import Services
from api.edge.identity import caller
from api.edge.policy import PAGE
from api.edge.routing import route
from api.schema import fields
from api.schema.forms import Form
from api.v1.clusters import visible_clusters
from api.v1.decision_answers import asked_answer, files_of, undone_by
from api.v1.decision_rules import actions_of, visible_proposal, waited_for
from api.v1.groups import sight
from api.v1.replays import replayed, verdict_of
from shared.domain.forecasts import Forecast
from shared.domain.policies import Group
from shared.domain.proposal_states import OPEN, ProposalState
from shared.domain.proposals import Proposal
from shared.domain.tokens import Scope

MAX_OPEN, MAX_EARLIER = 50, 50
MAX_KEPT = 50  # decisions to leave things as they are that are looked through for the newest of each group


class DecisionsQuery(Form):
    """What the address asks for; everything has a default."""

    cluster: fields.FilledLabel | None = Field(None, description="of this one alone")
    parent: fields.QueueName | None = Field(None, description="of its children alone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A decision with what its page needs beside it. actions: what the caller may do with it; None = that is possible, else why
    it is not.
    """

    proposal: Proposal
    rows: list[Row]
    actions: Mapping[str, str | None]


@route("GET", "/decisions", PAGE, endpoint="decisions")
def show_all(services: Services) -> str:
    """The page: what waits for a decision, what is best left, and what was decided before."""
    query, now = query_of(DecisionsQuery), datetime.now(UTC)
    find = partial(services.store.proposals.find, sight=sight(services), cluster=query.cluster, parent=query.parent)
    found = find(states=OPEN, limit=MAX_OPEN)
    kept = find(states=[ProposalState.KEPT], limit=MAX_KEPT)
    closed = [state for state in ProposalState if not state.is_open and state is not ProposalState.KEPT]
    return render_template(
        "decisions.html",
        query=query,
        open=[_shown(services, proposal, now) for proposal in _by_need(found)],
        kept=_newest_of_each(kept, {proposal.group for proposal in found}),
        earlier=find(states=closed, limit=MAX_EARLIER),
        clusters=[*visible_clusters(services)],
        may_ask=caller().scope.covers(Scope.WRITE),
    )


@route("GET", "/decisions/<decision_id>", PAGE, endpoint="decision")
def show(services: Services, decision_id: str) -> str:
    """The page of one; raises ProposalNotFound, also for one that the caller may not see."""
    if (asked := waited_for(services, decision_id)) is not None:
        return render_template("decision_asked.html", told=asked_answer(asked))
    proposal, now = visible_proposal(services, decision_id), datetime.now(UTC)
    files, no_files = files_of(services, proposal, now)
    return render_template(
        "decision.html",
        shown=_shown(services, proposal, now, _forecasts(services, proposal)),
        proposal=proposal,
        replay=replayed(services, proposal),
        files=files,
        no_files=no_files,
        undone_by=[*undone_by(services, proposal)],
    )


def _shown(services: Services, proposal: Proposal, now: datetime, forecasts: Iterable[Forecast] = ()) -> Shown:
    by_name = {(forecast.queue, forecast.metric): forecast for forecast in forecasts}
    verdicts = {queue: verdict for queue in proposal.queues if by_name and (verdict := verdict_of(services, proposal, queue))}
    rows = rows_of(proposal, by_name, verdicts)
    return Shown(proposal=proposal, rows=rows, actions=actions_of(services, proposal, now))


def first_of_proposed(services: Services) -> tuple[int, Proposal | None]:
    """How many decisions wait for somebody, of those that the caller may see, and the one that is needed first."""
    found = services.store.proposals.find(sight=sight(services), states=[ProposalState.PROPOSED], limit=MAX_OPEN)
    return len(found), next(iter(_by_need(found)), None)


def _by_need(proposals: Iterable[Proposal]) -> list[Proposal]:
    """Those that wait for a decision first, and of these what is needed first."""

    def need(proposal: Proposal) -> tuple[bool, datetime, str]:
        needed = [change.before_at for change in proposal.changes if change.before_at]
        return proposal.state is not ProposalState.PROPOSED, min(needed, default=proposal.end_at), proposal.decision_id

    return sorted(proposals, key=need)


def _newest_of_each(kept: Iterable[Proposal], others: set[Group]) -> list[Proposal]:
    """Of each group the newest decision to leave things as they are, unless something is proposed for it."""
    newest: dict[Group, Proposal] = {}
    for proposal in kept:  # newest first
        newest.setdefault(proposal.group, proposal)
    return [proposal for group, proposal in newest.items() if group not in others]


def _forecasts(services: Services, proposal: Proposal) -> list[Forecast]:
    """What it was made from, of the queues that are changed, as far as it is kept."""
    find = services.store.forecasts.find
    return [each for job_id in proposal.forecast_jobs for queue in proposal.queues for each in find(queue, job_id=job_id)]
