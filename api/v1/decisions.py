"""Decisions over HTTP: list them, look at one and its files, have one made."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import urlencode

from flask import Response, request

from api.edge.audit import note
from api.edge.context import Services
from api.edge.document import JSON, Answers
from api.edge.identity import caller
from api.edge.policy import READ, WRITE
from api.edge.routing import route
from api.schema.decisions import OPEN, DecisionAnswer, DecisionBody, DecisionPage, DecisionsQuery
from api.v1.decision_answers import asked_answer, decision_answer, summary_of
from api.v1.decision_files import check_files
from api.v1.decision_rules import names_of, visible_proposal, waited_for
from api.v1.groups import NO_TREE, children_of_group, label_of, meant_group, sight
from api.v1.instead import policy_instead
from api.v1.paging import Position, cursor_after, position
from api.v1.trail import keep_row
from shared.domain.decision_requests import DecisionRequest, asked_by_hand
from shared.domain.excess import SECONDS_PER_HOUR
from shared.domain.identifiers import listed
from shared.domain.owners import owners_of
from shared.domain.policies import Group, Policy
from shared.domain.proposal_states import OPEN as OPEN_STATES
from shared.domain.proposal_states import ProposalState
from shared.domain.proposals import Proposal
from shared.errors import BrokerAway, ProposalNotFound

BATCH, MAX_BATCHES = 50, 20  # of proposals that are looked at for one page
HANDED = replace(READ, is_audited=True)
MEDIA = {".xml": "application/xml", ".json": JSON, ".csv": "text/csv", ".txt": "text/plain", ".patch": "text/x-diff"}


@route("GET", "/v1/decisions", READ, Answers(DecisionPage, refuses=(400,)))
def list_decisions(services: Services, query: DecisionsQuery) -> tuple[DecisionPage, dict[str, str]]:
    """List decisions, newest first; with filters a page may have fewer than `limit` and another behind it."""
    found, last = page_of_decisions(services, query)
    cursor = cursor_after(last, services.cursor_key) if last else None
    headers = {"Link": f'<?{urlencode({**request.args, "cursor": cursor})}>; rel="next"'} if cursor else {}
    return DecisionPage(decisions=[summary_of(proposal) for proposal in found], next_cursor=cursor), headers


@route("GET", "/v1/decisions/<decision_id>", READ, Answers(DecisionAnswer))
def show_decision(services: Services, decision_id: str) -> DecisionAnswer:
    """Show a decision: the plan, its reasons, what became of it, its files, and what you may do with it."""
    if (asked := waited_for(services, decision_id)) is not None:
        return asked_answer(asked)
    return decision_answer(services, visible_proposal(services, decision_id), datetime.now(UTC))


@route("POST", "/v1/decisions", WRITE, Answers(DecisionAnswer, 202, refuses=(400, 404)))
def make_decision(services: Services, json: DecisionBody) -> tuple[DecisionAnswer, int, dict[str, str]]:
    """Have a decision made now, from the forecasts that there are; `links.self` says when it is.

    Who asks for one does not approve it.
    """
    who, now = caller(), datetime.now(UTC)
    group = meant_group(services, json.parent, **json.model_dump(include={"cluster", "partition", "project"}))
    policy = None if json.policy is None else policy_instead(services, group, json.policy)
    children_of_group(services, group)
    hours = None if json.horizon is None else json.horizon.seconds / SECONDS_PER_HOUR
    asked = asked_by_hand(group, now, who.caller_id, who.name, hours, policy=policy)
    return ask(services, asked)


def ask(services: Services, asked: DecisionRequest) -> tuple[DecisionAnswer, int, dict[str, str]]:
    """Have a worker make it; asked for twice it is made once."""
    note(made=asked.decision_id, cluster=asked.cluster, parent=asked.parent, project=asked.project)
    services.store.decision_requests.add(asked)
    with services.outages.noted(BrokerAway):  # the reaper sends what is lost
        services.enqueue_decision(asked.decision_id)
    answer = asked_answer(services.store.decision_requests.get(asked.decision_id))
    return answer, 202, {"Location": answer.links["self"]}


@route("GET", "/v1/decisions/<decision_id>/files/<name>", HANDED, Answers(None, media=tuple(MEDIA.values()), refuses=(409,)))
def show_decision_file(services: Services, decision_id: str, name: str) -> Response:
    """Give one file of a decision, with its SHA-256 as ETag.

    Of a cluster's decision once it is exported, to whoever has the scope approve, and with a row in the audit trail.
    """
    proposal, now = visible_proposal(services, decision_id), datetime.now(UTC)
    check_files(services, proposal, now)
    files = {file.name: file for file in services.store.proposals.files(decision_id)}
    if name not in files:
        raise ProposalNotFound(f"it has no such file; it has {listed(list(files))}", decision_id=decision_id)
    file, suffix = files[name], f".{name.rpartition('.')[2]}"
    if proposal.patch:
        keep_row(services, proposal, "file", now, reason=name, after=file.sha256)
    answer = Response(b64decode(file.body), mimetype=MEDIA.get(suffix, "application/octet-stream"))
    answer.headers["Content-Disposition"] = f"attachment; filename={name}"
    answer.set_etag(file.sha256)
    return answer


def page_of_decisions(services: Services, query: DecisionsQuery) -> tuple[list[Proposal], Position | None]:
    """A page of those that the caller may see, and the last one looked at, if there is more behind it."""
    before, found = position(query.cursor, services.cursor_key), list[Proposal]()
    owned = _Owned(services, query.owner)
    size = BATCH if query.queue or query.owner else min(BATCH, query.limit + 1)  # each is read whole, and may be large
    for _ in range(MAX_BATCHES):
        batch = _batch(services, query, before, size)
        for proposal in batch:
            if len(found) == query.limit:
                return found, before
            if query.queue in {None, *proposal.queues} and owned.has(proposal):
                found.append(proposal)
            before = proposal.created_at, proposal.decision_id
        if len(batch) < size:
            return found, None
    return found, before


def _batch(services: Services, query: DecisionsQuery, before: Position | None, size: int) -> list[Proposal]:
    return services.store.proposals.find(
        project=query.project,
        cluster=query.cluster,
        parent="" if query.parent == NO_TREE else query.parent,
        partition=None if query.partition is None else label_of(query.partition),
        states=OPEN_STATES if query.state == OPEN else [ProposalState(query.state)] if query.state else (),
        sight=sight(services),
        before=before,
        limit=size,
    )


@dataclass(frozen=True)
class _Owned:
    """Whether a policy names whoever has the token of this id or name as an owner of what is changed; None = nobody asks."""

    services: Services
    owner: str | None
    _policies: dict[Group, list[Policy]] = field(default_factory=dict)
    _ids: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        if self.owner is not None:
            named = {token_id for token_id, name in names_of(self.services).items() if name == self.owner}
            self._ids.update({self.owner, *named})

    def has(self, proposal: Proposal) -> bool:
        if self.owner is None:
            return True
        group = proposal.group
        above = self._policies.setdefault(group, self._policies.get(group) or self.services.store.policies.above(group))
        return any(self._ids & owners_of(above, queue) for queue in proposal.queues)
