"""Proposals that the cluster shows, 1, 3 and 7 days later: scored with the actual values that jobs have read meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from shared.domain.decision_notices import notice_of_effect
from shared.domain.excess import SECONDS_PER_HOUR
from shared.domain.proposal_states import ProposalState
from shared.domain.proposals import Effect, Proposal
from shared.store import Store
from worker.decisions.effects import AFTER_DAYS, Happened, effect_of

REACH = timedelta(days=45)  # of the look back at proposals, by when they were made
LATE = timedelta(days=2)  # after which what is not known by then is not waited for

log = structlog.get_logger(__name__)


def score_effects(store: Store, now: datetime) -> int:
    """Score what is due; how many effects were."""
    scored = 0
    for proposal in store.proposals.seen_since(now - REACH):
        for effect in _due(store, proposal, now):
            if store.proposals.change(proposal.decision_id, partial(_with, effect=effect)) is None:
                continue
            scored += 1
            store.notices.add(notice_of_effect(proposal, effect, now))
            numbers = {"expected": round(effect.expected, 1), "real": round(effect.real, 1), "without": round(effect.without, 1)}
            log.info("effect scored", decision_id=proposal.decision_id, days=effect.days, wrong=len(effect.wrong_cuts), **numbers)
    return scored


def _with(known: Proposal, effect: Effect) -> Proposal | None:
    """The proposal with a further effect; None = that is known."""
    if any(each.days == effect.days for each in known.effects):
        return None
    return replace(known, effects=(*known.effects, effect))


def _due(store: Store, proposal: Proposal, now: datetime) -> Iterator[Effect]:
    step = proposal.reached(ProposalState.SEEN)
    if step is None:
        return
    for days in AFTER_DAYS:
        end = step.at + timedelta(days=days)
        is_scored = any(effect.days == days for effect in proposal.effects)
        if is_scored or not end <= now <= end + LATE:
            continue
        effect = effect_of(proposal, days, dict(_happened(store, proposal, step.at, end)), now)
        if effect is not None:
            yield effect


def _happened(store: Store, proposal: Proposal, start: datetime, end: datetime) -> Iterator[tuple[str, Happened]]:
    """Of each queue that was changed and whose series is known still."""
    for change in proposal.changes:
        found = [each for job_id in proposal.forecast_jobs for each in store.forecasts.find(change.queue, job_id=job_id)]
        forecast = next((each for each in found if each.unit is change.memory.unit), None)
        if forecast is None:
            continue
        points = store.actuals.get(forecast.series_id, start, end)
        values = [point.value for point in points if point.value is not None]
        hours = forecast.step_seconds / SECONDS_PER_HOUR
        steps = max(1, round((end - start).total_seconds() / forecast.step_seconds))
        yield change.queue, Happened(values=values, hours=hours, steps=steps)
