"""Decisions as callers ask for them and read them: what is to be changed, before when, and what it costs not to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, field_validator

from api.schema import fields
from api.schema.answers import Answer
from api.schema.forms import Form
from api.schema.policies import PolicyBody
from api.schema.queries import Query
from shared.domain.capacities import Mode
from shared.domain.proposal_states import ProposalState
from shared.domain.proposals import MAX_REASON, Effect
from shared.domain.recommendations import Confidence, Resource
from shared.domain.texts import CONTROL, Text
from shared.domain.units import Unit

OPEN = "open"  # of all states of which anything may still come
ASKED: Literal["asked"] = "asked"  # there is a proposal
NOTHING: Literal["nothing"] = "nothing"  # there will be none
AskedState = Literal[
    "open", "proposed", "approved", "exported", "applying", "seen", "rejected", "superseded", "expired", "failed", "kept"
]
State = ProposalState | Literal["asked", "nothing"]
Reason = Annotated[str, Text(f"[^{CONTROL}]*", MAX_REASON, "texts without control characters")]


class DecisionsQuery(Query):
    """Which decisions to list."""

    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=500, description="next_cursor of the page before")
    state: AskedState | None = Field(None, description="open = anything may still come of it")
    cluster: fields.FilledLabel | None = None
    parent: fields.QueueName | None = Field(None, description="- = of queues without a tree")
    partition: fields.FilledLabel | None = Field(None, description="the node label; default = without one")
    project: fields.Label | None = Field(None, description="of queues without a tree, whose they are")
    queue: fields.QueueName | None = Field(None, description="that change this queue")
    owner: fields.FilledLabel | None = Field(
        None, description="that whoever has the token of this id or name may approve by the policy"
    )


class DecisionBody(Form):
    """What to decide on now; all of it may be left out where there is one cluster only."""

    cluster: fields.FilledLabel | None = Field(None, description="default: the only one that there is")
    parent: fields.QueueName | None = Field(None, description="whose children; - = queues without a tree; default: the root")
    partition: fields.FilledLabel | None = Field(None, description="the node label; default = without one")
    project: fields.Label | None = Field(None, description="of queues without a tree, whose they are")
    horizon: fields.Ahead | None = Field(None, description="so far ahead; default: 24h")
    policy: PolicyBody | None = Field(
        None, description="to count with instead of what holds, without owners and freezes; scope approve; default: what holds"
    )


class StepBody(Form):
    """A step that needs no reason."""

    reason: Reason = Field("", description="for the audit trail")


class RejectBody(Form):
    """Why not."""

    reason: Reason = Field(description="what speaks against it; the audit trail keeps it")

    @field_validator("reason")
    @classmethod
    def _says_something(cls, reason: str) -> str:
        if not reason.strip():
            raise ValueError("nothing is said; accepted is what speaks against it")
        return reason.strip()


class ExpectedOf(Answer):
    """What is to be expected of a queue with a capacity, in the time that is decided on."""

    capacity: float = Field(description="in the unit of its forecast")
    breach_probability: float | None = Field(description="of wanting more at any time; null = it is told in words, or not at all")
    likelihood: str | None = Field(description="the same as people read it; null = too little is known")
    hours_above: float
    shortfall: float = Field(description="in the unit of work")
    slack: float = Field(description="likewise: what lies idle")
    shortfall_gbh: float | None = Field(description="in GB·h; null = it is no memory")
    slack_gbh: float | None
    cost: float = Field(description="slack + κ × shortfall")


class AdviceAnswer(Answer):
    """What is advised for a queue."""

    queue: str
    resource: Resource
    unit: Unit | None
    work_unit: str
    kappa: float = Field(description="how many idle unit-hours weigh as much as one that is missing")
    before: ExpectedOf = Field(description="with what it has")
    after: ExpectedOf = Field(description="with what is proposed")
    price: float = Field(description="of the change, in the unit of work")
    confidence: Confidence
    doubts: tuple[str, ...] = Field(description="why the confidence is not good")
    because: str = Field(description="what of the demand speaks for it")
    notes: tuple[str, ...] = Field(description="what bounds, steps and cuts have made of it")
    turns: tuple[str, ...] = Field(description="what would change the answer")


class ChangeAnswer(AdviceAnswer):
    """What a queue is to have instead."""

    model_config = ConfigDict(serialize_by_alias=True, populate_by_name=True)

    mode: Mode | None = Field(description="null = it is of no tree: its capacity is in the unit of its forecast")
    from_: float = Field(alias="from", description="as configured: percent of the parent, weight, MB")
    to: float = Field(description="likewise")
    from_mb: int | None = Field(description="what that is with the nodes that there are; null = not known")
    to_mb: int | None
    from_vcores: int | None
    to_vcores: int | None
    maximum_from: str | None = Field(description="the maximum as configured, where that is changed, too; null = it stays")
    maximum_to: str | None
    before_at: datetime | None = Field(description="when it is needed first; null = it is no raise, or nothing tells")
    binding: Resource = Field(description="the resource that is the shorter one; all numbers are of that")
    donors: tuple[str, ...] = Field(description="queues that give what it gets")


class KeptAnswer(AdviceAnswer):
    """A queue that is left as it is."""

    kept_because: str


class CostAnswer(Answer):
    """Over the time that is decided on, in the unit of work."""

    keep: float = Field(description="of leaving all as it is")
    plan: float = Field(description="with the price of the changes")
    unit: str
    kappa: float | None = Field(description="of all queues; null = they differ, see each")
    unguaranteed: float | None = Field(description="demand above guarantees with the plan; null = not told")
    lent: float | None = Field(description="what of it siblings leave idle")
    waits: float | None = Field(description="the rest, which no plan of guarantees serves")


class StepAnswer(Answer):
    """A state that it has come to."""

    state: ProposalState
    at: datetime
    who: str = Field(description="id of the token; queuecast = nobody has asked for it")
    name: str
    reason: str
    source: str | None = Field(description="the address that it came from; for administrators")


class FileAnswer(Answer):
    """One file of a proposal."""

    name: str
    sha256: str
    size: int = Field(description="in bytes")
    links: dict[str, str]


class DecisionSummary(Answer):
    """One decision in a list."""

    decision_id: str
    state: State = Field(description="asked = it is being made; nothing = there is nothing to decide on, as the sentence says")
    cluster: str
    parent: str = Field(description="empty = of queues without a tree")
    partition: str = Field(description="default = without a label")
    project: str = Field(description="of queues without a tree; else empty")
    sentence: str
    queues: tuple[str, ...] = Field(description="those that are changed")
    before_at: datetime | None = Field(description="when the first change is needed; null = nothing tells")
    created_at: datetime
    valid_until: datetime | None
    follows: str | None = Field(description="the decision about a parent above that it counts on: it has to be in force first")
    cost: CostAnswer | None
    proposed_by: str = Field(description="id of the token of who has asked for it; queuecast = a job's end did")
    proposed_by_name: str
    links: dict[str, str]


class DecisionPage(Answer):
    """Decisions, newest first."""

    decisions: list[DecisionSummary]
    next_cursor: str | None = Field(description="cursor of the next page; null = this is the last")


class ReplaySummary(Answer):
    """What the rule would have cost on the past of the queues that are changed, before it was advised."""

    days: int = Field(description="of that past")
    policy: float | None = Field(description="its cost ÷ that of doing nothing; null = doing nothing would have cost nothing")
    do_nothing: float = 1.0
    wrong_cuts: int = Field(description="days that began with a lower capacity, which demand passed and not the one before")
    queues: int = Field(description="how many were replayed")


class DecisionAnswer(DecisionSummary):
    """One decision: the plan, its reasons, what became of it, and what may be done with it."""

    issued_at: datetime | None = Field(description="of the forecasts")
    start_at: datetime | None = Field(description="of the time that is decided on, which ends at valid_until")
    tree_hash: str = Field(description="of how the queues were configured; empty = there is no tree")
    because: tuple[str, ...] = Field(description="the plan explained, and what of it is not known")
    changes: tuple[ChangeAnswer, ...]
    kept: tuple[KeptAnswer, ...]
    replay: ReplaySummary | None = Field(description="null = nothing of their past was replayed yet")
    look_again_at: datetime | None = Field(description="when the next one is made at the latest; null = when somebody asks")
    put_at: datetime | None = Field(description="when it was sent to the cluster; null = never")
    steps: tuple[StepAnswer, ...] = Field(description="what became of it, the first first: its audit trail")
    effects: tuple[Effect, ...] = Field(description="what came of it, days after it was in force")
    forecast_jobs: tuple[str, ...] = Field(description="ids of the jobs that it was made from, of those that you may see")
    policy_version: int | None = Field(description="of the policy that it was made by")
    files: tuple[FileAnswer, ...] = Field(description="those that are given out now")
    files_reason: str | None = Field(description="why none is; null = they are")
    actions: dict[str, str | None] = Field(description="what you may do with it now: null = it is possible, else why not")


class ExportAnswer(Answer):
    """What is handed over with a decision."""

    decision_id: str
    state: ProposalState
    files: tuple[FileAnswer, ...]


class ValidatedAnswer(Answer):
    """What the cluster has against a decision."""

    decision_id: str
    is_accepted: bool = Field(description="whether it would take it up")
    words: str = Field(description="its own, where it would not")
