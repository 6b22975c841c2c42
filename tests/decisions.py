"""Proposals to try things out with."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from shared.domain.capacities import Mode
from shared.domain.policies import Group, Policy
from shared.domain.property_change import PropertyChange
from shared.domain.proposal_states import ProposalState
from shared.domain.proposals import PlanCost, Proposal, ProposedChange, Step, decision_id
from shared.domain.recommendations import Confidence, Expected, Recommendation
from shared.domain.replays import DO_NOTHING, RECOMMENDED, FrontierPoint, ReplayVerdict, RuleFigures
from shared.domain.units import Unit
from tests.factories import MONDAY

DAY = timedelta(days=1)


def expected(capacity: float, *, hours: float = 0.0) -> Expected:
    return Expected(
        capacity=capacity, cost=10.0, likelihood=None, probability=None, hours=hours, shortfall=hours, slack=capacity / 1024
    )


def a_recommendation(queue: str, before: float, after: float, at: datetime = MONDAY) -> Recommendation:
    return Recommendation(
        queue=queue,
        unit=Unit.MEGABYTES,
        start_at=at,
        end_at=at + DAY,
        kappa=10.0,
        before=expected(before, hours=4.0),
        after=expected(after),
        target=after,
        price=1.0,
        confidence=Confidence.GOOD,
        because="02:00–05:00 needs 452 GB on most days",
        kept_because="" if before != after else "no other capacity costs less",
    )


def a_proposed_change(queue: str, present: float, proposed: float, at: datetime = MONDAY) -> ProposedChange:
    return ProposedChange(
        queue=queue,
        mode=Mode.PERCENTAGE,
        present=present,
        proposed=proposed,
        memory=a_recommendation(queue, present * 1024, proposed * 1024, at),
        donors=("root.adhoc",) if proposed > present else (),
    )


def a_proposal(
    *, cluster: str = "prod", parent: str = "root", project: str = "", at: datetime = MONDAY, **others: object
) -> Proposal:
    """ETL gets 46 % instead of 40, and adhoc gives them."""
    group = Group(project, cluster, parent)
    proposal = Proposal(
        decision_id=decision_id(group, at, str(others.get("proposed_by", "queuecast"))),
        **group._asdict(),
        state=ProposalState.PROPOSED,
        created_at=at,
        issued_at=at,
        start_at=at,
        end_at=at + DAY,
        tree_hash="0" * 64,
        policy=Policy(**group._asdict()),
        sentence="Raise etl to 46 % before 2026-01-05 02:00 UTC.",
        changes=(a_proposed_change("root.etl", 40.0, 46.0, at), a_proposed_change("root.adhoc", 60.0, 54.0, at)),
        cost=PlanCost(keep=4020.0, plan=2310.0, unit="GB·h"),
        patch=(
            PropertyChange(queue="root.etl", key="capacity", before="40", after="46"),
            PropertyChange(queue="root.adhoc", key="capacity", before="60", after="54"),
        ),
        steps=(Step(state=ProposalState.PROPOSED, at=at),),
    )
    return replace(proposal, **others)  # type: ignore[arg-type] # whatever a test wants


def figures(rule: str, cost: float, **changes: Any) -> RuleFigures:
    same: dict[str, Any] = {"breach_hours": 4.0, "shortfall": 0.1, "slack": 1.0, "changes": 2, "wrong_cuts": 1}
    return RuleFigures(rule=rule, cost=cost, ratio=cost / 100.0, paid_ratio=cost / 100.0, **same | changes)


def a_verdict(queue: str, cost: float = 84.0) -> ReplayVerdict:
    return ReplayVerdict(
        queue=queue,
        kappa=10.0,
        days=21,
        hours=504.0,
        present=60.0,
        is_offered=True,
        sentence="Changes as advised would have cost 84.0 % of doing nothing.",
        chosen=figures(RECOMMENDED, cost),
        beside=(figures(DO_NOTHING, 100.0),),
        frontier=(FrontierPoint(level=0.9, slack=1.2, breach_share=0.05),),
    )
