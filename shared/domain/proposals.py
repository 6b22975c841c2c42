"""Proposals: what is to be changed below one queue, before when, what it costs not to, and what has become of it.

A proposal freezes what it was made from: how the tree was configured, which forecasts, what policy. What a person decides, and
what the cluster shows later, is added to its `steps`; nothing else of it ever changes but its effect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from shared.domain.audits import AUTOMATIC
from shared.domain.capacities import Mode, Resources
from shared.domain.owners import owned_by_others, with_owners
from shared.domain.policies import Group, Policy
from shared.domain.property_change import PropertyChange
from shared.domain.proposal_states import ProposalState, may_follow, why_not
from shared.domain.recommendations import Recommendation, Resource
from shared.domain.timegrid import MINUTE
from shared.errors import ProposalForbids, SecondPersonNeeded

MAX_REASON = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedChange:
    """What one queue is to have instead.

    mode: None = it is of no tree, and its capacity is in the unit of its forecast.
    present, proposed: as configured: percent of the parent, weight, MB.
    present_resources, proposed_resources: what that comes to with the nodes that there are; None = not known.
    maximum_before, maximum_after: as configured, where the maximum is changed too; "" = it stays.
    before_at: when it is needed first; None = it is no raise, or nothing tells.
    memory, vcores: with what it has and with what is planned; vcores: None = nothing is forecast of them.
    donors: queues that give what it gets.
    """

    queue: str
    mode: Mode | None
    present: float
    proposed: float
    present_resources: Resources | None = None
    proposed_resources: Resources | None = None
    maximum_before: str = ""
    maximum_after: str = ""
    before_at: datetime | None = None
    binding: Resource = Resource.MEMORY
    memory: Recommendation
    vcores: Recommendation | None = None
    donors: tuple[str, ...] = ()

    @property
    def is_raise(self) -> bool:
        """Whether the queue gets more."""
        return self.proposed > self.present

    @property
    def binding_recommendation(self) -> Recommendation:
        """Of the resource that is the shorter one."""
        return self.vcores if self.binding is Resource.VCORES and self.vcores is not None else self.memory


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCost:
    """Over the horizon, in the unit of work: of leaving all as it is, and of the plan with the price of its changes.

    unguaranteed: demand above guarantees with the plan; lent: what of it siblings leave idle; waits: the rest. None = not told.
    """

    keep: float
    plan: float
    unit: str
    unguaranteed: float | None = None
    lent: float | None = None
    waits: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A state that it has come to, and by whom: id and name of the token; AUTOMATIC = nobody has asked for it.

    source: the address that it came from; "" = no request. It is for the audit trail alone.
    tree_hash: of how the tree was configured then; "" = nobody has looked.
    """

    state: ProposalState
    at: datetime
    who: str = AUTOMATIC
    name: str = AUTOMATIC
    reason: str = ""
    source: str = ""
    tree_hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What came of a proposal that was put into force, so many days later; costs in the unit of work, for that time.

    expected: J that was forecast. real: J that it was. without: J that it would have been with the capacities before.
    wrong_cuts: queues whose demand has passed what they have now, and not what they had.
    """

    days: int
    made_at: datetime
    expected: float
    real: float
    without: float
    wrong_cuts: tuple[str, ...] = ()
    hours_above: float = 0.0
    hours_above_without: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What is proposed for the children of `parent` in one partition; of queues without a tree the parent is "".

    issued_at: of the forecasts. start_at, end_at: the window that it was decided for; valid until its end.
    tree_hash: of how the parent, those above it and its children were configured; "" = there is no tree.
    follows: the decision about a parent above, which has to be in force first; None = none.
    forecast_jobs: ids of the jobs whose forecasts it was made from.
    job: name of the jobs whose queues these are, where there is no tree: a project may forecast several kinds of them.
    sentence: what is to be done in one sentence. because: the plan explained, and what of it is not known.
    changes: what is to be changed. kept: the other queues, each with why it is left.
    patch: the same as the scheduler's configuration has it; () = it is none of YARN's.
    look_again_at: when the next one is made at the latest; None = when somebody asks.
    proposed_by: id of the token of who asked for it by hand; AUTOMATIC = a job's end did.
    put_at: when it was sent to the cluster, once; None = never.
    undoes: the decision whose inverse it is; "" = it is a new one.
    """

    decision_id: str
    project: str
    cluster: str
    parent: str
    partition: str
    state: ProposalState
    created_at: datetime
    issued_at: datetime
    start_at: datetime
    end_at: datetime
    tree_hash: str = ""
    follows: str | None = None
    policy: Policy
    forecast_jobs: tuple[str, ...] = ()
    job: str = ""
    sentence: str
    because: tuple[str, ...] = ()
    changes: tuple[ProposedChange, ...] = ()
    kept: tuple[Recommendation, ...] = ()
    cost: PlanCost
    patch: tuple[PropertyChange, ...] = ()
    look_again_at: datetime | None = None
    proposed_by: str = AUTOMATIC
    proposed_by_name: str = AUTOMATIC
    put_at: datetime | None = None
    undoes: str = ""
    steps: tuple[Step, ...] = ()
    effects: tuple[Effect, ...] = ()

    @property
    def group(self) -> Group:
        """The queues that were decided on."""
        return Group(self.project, self.cluster, self.parent, self.partition)

    @property
    def queues(self) -> tuple[str, ...]:
        """The queues that are changed."""
        return tuple(change.queue for change in self.changes)

    @property
    def about(self) -> frozenset[str]:
        """All queues that were decided on, with those that are left as they are."""
        return frozenset([*self.queues, *(each.queue for each in self.kept)])

    @property
    def is_by_hand(self) -> bool:
        """Whether a person has asked for it."""
        return self.proposed_by != AUTOMATIC

    def reached(self, state: ProposalState) -> Step | None:
        """The last step to a state; None = it was never in it."""
        return next((step for step in reversed(self.steps) if step.state is state), None)


def decision_id(group: Group, issued_at: datetime, proposed_by: str, job: str = "") -> str:
    """The id of the decision about these queues: one that is made twice is the same.

    Args:
        job: as in a proposal.
    """
    digest = sha256("\n".join([*group, issued_at.isoformat(), proposed_by, *filter(None, [job])]).encode())
    return f"{issued_at:%Y%m%dT%H%M%S}-{digest.hexdigest()[:10]}"


def moved(proposal: Proposal, step: Step) -> Proposal:
    """The proposal with a further step; raises ProposalForbids where that does not follow.

    One that could not be applied, and of which nothing was changed, may be applied again: it was never sent, as it were.
    """
    if not may_follow(proposal.state, step.state):
        raise ProposalForbids(why_not(proposal.state, step.state), decision_id=proposal.decision_id)
    at = max([step.at, *(before.at for before in proposal.steps[-1:])])  # whoever comes second may have looked at the clock first
    was_in_vain = proposal.state is ProposalState.APPLYING and step.state is ProposalState.EXPORTED
    put_at = None if was_in_vain else proposal.put_at
    return replace(proposal, state=step.state, steps=(*proposal.steps, replace(step, at=at)), put_at=put_at)


def check_approval(
    proposal: Proposal, token_id: str, now: datetime, policies: Sequence[Policy], names: Mapping[str, str] | None = None
) -> None:
    """Whether whoever has this token may approve it now, by the policies as they are now: its own first, and those above.

    Raises:
        SecondPersonNeeded: who has asked for it does not approve it, and where owners are named nobody else does.
        ProposalForbids: it is over, or nothing may be changed now.
    """
    if proposal.is_by_hand and proposal.proposed_by == token_id:
        raise SecondPersonNeeded("you have asked for it yourself", decision_id=proposal.decision_id)
    if theirs := owned_by_others(policies, token_id, proposal.queues):
        told = with_owners(policies, theirs, names or {})
        raise SecondPersonNeeded(f"policies name others as owners of {told}", decision_id=proposal.decision_id)
    check_in_time(proposal, now, policies[0])


def check_in_time(proposal: Proposal, now: datetime, policy: Policy) -> None:
    """Raises ProposalForbids: what it was made for is over, or nothing may be changed now."""
    if now >= proposal.end_at:
        raise ProposalForbids(f"it was for the time until {proposal.end_at:{MINUTE}}", decision_id=proposal.decision_id)
    if (freeze := policy.frozen_at(now)) is not None:
        why = f" ({freeze.reason})" if freeze.reason else ""
        raise ProposalForbids(f"nothing is changed until {freeze.end_at:{MINUTE}}{why}", decision_id=proposal.decision_id)


def superseded(proposals: Sequence[Proposal], newer: Proposal) -> tuple[Proposal, ...]:
    """Those about any of the same queues that nobody has approved yet, each with the step that the newer one means for it.

    What a person asks for takes the place of all that was made before it, whatever it was made from.
    """
    step = Step(state=ProposalState.SUPERSEDED, at=newer.created_at, reason=f"by {newer.decision_id}")
    return tuple(
        moved(proposal, step)
        for proposal in proposals
        if proposal.state is ProposalState.PROPOSED
        and proposal.decision_id != newer.decision_id
        and proposal.group == newer.group
        and (proposal.job == newer.job or not proposal.about.isdisjoint(newer.about))
        and (proposal.issued_at <= newer.issued_at or (newer.is_by_hand and proposal.created_at <= newer.created_at))
    )
