"""The proposal that undoes another one which is in force: its inverse, as a plan of its own, so that it has four eyes too."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from shared.connections.yarn import readers
from shared.decisions import check_undoing
from shared.domain.decision_requests import DecisionRequest
from shared.domain.policies import Policy
from shared.domain.proposal_states import ProposalState
from shared.domain.proposals import PlanCost, Proposal, ProposedChange, Step
from shared.domain.queue_tree import QueueTree
from shared.domain.recommendations import Recommendation
from shared.errors import ProposalForbids
from shared.yarn.fingerprint import fingerprint
from shared.yarn.patch import inverse
from worker.decisions.handover import NamedFile
from worker.decisions.sentence import told
from worker.job.decided_files import configured_of
from worker.job.resources import Resources

VALID = timedelta(days=1)
FEW = 3  # queues that the sentence names


def undoing(resources: Resources, request: DecisionRequest, now: datetime) -> tuple[Proposal, NamedFile | None]:
    """The inverse of what is in force, and the file that its cluster is configured by.

    Raises ProposalNotFound for one that is gone, ProposalForbids where its cluster does not show it any more.
    """
    store = resources.store
    original, kept = store.proposals.get(request.undoes), store.trees.newest(request.cluster)
    check_undoing(original, kept)
    if kept is None:  # cannot be: the check has refused it
        raise ProposalForbids(decision_id=original.decision_id)
    made = undone(original, request, kept.tree, store.policies.of(original.group), now)
    reader = next(
        (each for each in readers(resources.settings.all_connections).values() if each.cluster == request.cluster), None
    )
    return made, None if reader is None else configured_of(reader).file


def undone(original: Proposal, request: DecisionRequest, tree: QueueTree, policy: Policy, now: datetime) -> Proposal:
    """What undoes a proposal, as things stand; its numbers are those of the original, the other way round."""
    cost = original.cost
    step = Step(state=ProposalState.PROPOSED, at=now, who=request.asked_by, name=request.name)
    return replace(
        original,
        decision_id=request.decision_id,
        state=step.state,
        created_at=now,
        start_at=now,
        end_at=now + VALID,
        tree_hash=fingerprint(tree, original.parent, original.partition),
        follows=None,
        policy=policy,
        sentence=_sentence(original),
        because=(f"It undoes {original.decision_id}; its numbers are those of then, the other way round.",),
        changes=tuple(map(_back, original.changes)),
        cost=PlanCost(keep=cost.plan, plan=cost.keep, unit=cost.unit),
        patch=inverse(original.patch),
        look_again_at=None,
        proposed_by=request.asked_by,
        proposed_by_name=request.name,
        put_at=None,
        undoes=original.decision_id,
        steps=(step,),
        effects=(),
    )


def _back(change: ProposedChange) -> ProposedChange:
    return replace(
        change,
        present=change.proposed,
        proposed=change.present,
        present_resources=change.proposed_resources,
        proposed_resources=change.present_resources,
        maximum_before=change.maximum_after,
        maximum_after=change.maximum_before,
        before_at=None,
        memory=_swapped(change.memory),
        vcores=None if change.vcores is None else _swapped(change.vcores),
        donors=(),
    )


def _swapped(said: Recommendation) -> Recommendation:
    because = "it had this before, and somebody asks for it back"
    return replace(said, before=said.after, after=said.before, target=said.present, because=because, notes=(), turns=())


def _sentence(original: Proposal) -> str:
    named = [f"{each.queue} back to {told(each.present, each)}" for each in original.changes[:FEW]]
    more = len(original.changes) - len(named)
    return f"Undo {original.decision_id}: {', '.join(named)}{f' and {more} more' if more else ''}."
