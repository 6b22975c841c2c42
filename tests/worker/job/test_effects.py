"""What came of proposals: scored with actual values, 1, 3 and 7 days after the cluster showed them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.decision_requests import asked_by_job
from shared.domain.notices import NoticeKind
from shared.domain.policies import Group
from shared.domain.proposal_states import ProposalState
from shared.domain.proposals import Effect, Proposal, Step
from shared.domain.reports import Point
from shared.store import Store
from tests.factories import MONDAY
from tests.worker.job.decided import MB, NOW, STEPS, demand, ended_job, keep_queue
from worker.job.decided_facts import MAX_WRONG, wrong_cuts
from worker.job.deciding import decide
from worker.job.effects import score_effects
from worker.job.resources import Resources

DAY = timedelta(days=1)


def in_force(here: Resources) -> Proposal:
    """A queue that was short was given more."""
    newest = keep_queue(here.store, "root.etl", 100 * MB, 105 * MB)
    job = ended_job(here.store)
    decide(here, asked_by_job(job, NOW).decision_id, NOW)
    (proposal,) = here.store.proposals.find()
    seen = replace(proposal, state=ProposalState.SEEN, steps=(*proposal.steps, Step(state=ProposalState.SEEN, at=MONDAY)))
    here.store.proposals.change(proposal.decision_id, lambda _: seen)
    hours = range(8 * STEPS)
    points = [Point(timestamp=MONDAY + timedelta(hours=hour), value=demand(hour, 100 * MB, 1)) for hour in hours]
    here.store.actuals.save(newest.series, points)
    return seen


def test_what_it_cost_is_told_beside_what_was_forecast_and_what_it_would_have_cost(here: Resources) -> None:
    proposal = in_force(here)
    assert score_effects(here.store, MONDAY + DAY / 2) == 0
    assert score_effects(here.store, MONDAY + DAY) == 1
    assert score_effects(here.store, MONDAY + DAY) == 0
    (effect,) = here.store.proposals.get(proposal.decision_id).effects
    assert effect.days == 1
    assert effect.real < effect.without
    assert effect.real == pytest.approx(effect.expected, rel=0.5)
    assert effect.hours_above < effect.hours_above_without
    assert effect.wrong_cuts == ()
    told = [each for each in here.store.notices.due(MONDAY + 2 * DAY, 10) if each.kind is NoticeKind.EFFECT_SCORED]
    assert [each.told["effect"]["days"] for each in told] == [1]
    assert score_effects(here.store, MONDAY + 7 * DAY) == 1
    assert [each.days for each in here.store.proposals.get(proposal.decision_id).effects] == [1, 7]


def test_nothing_is_scored_whose_values_are_not_there_yet(here: Resources) -> None:
    proposal = in_force(here)
    assert score_effects(here.store, MONDAY + 3 * DAY) == 2
    late = replace(proposal, decision_id="late", steps=(Step(state=ProposalState.SEEN, at=MONDAY + 8 * DAY),))
    here.store.proposals.add(late)
    assert score_effects(here.store, MONDAY + 9.5 * DAY) == 0


def test_after_too_many_wrong_cuts_nothing_is_lowered_and_that_is_said(here: Resources) -> None:
    keep_queue(here.store, "root.adhoc", 100 * MB, 300 * MB, seed=2)
    proposal = in_force(here)
    wrong = tuple(f"root.q{number}" for number in range(MAX_WRONG + 1))
    add_effect(here.store, proposal, wrong)
    group = Group("capacity forecasting", "files:", "")
    assert wrong_cuts(here.store, group, NOW) == wrong
    asked = replace(
        asked_by_job(here.store.jobs.get(proposal.forecast_jobs[0]), NOW), asked_by="t1", name="ops", decision_id="again"
    )
    here.store.decision_requests.add(asked)
    decide(here, "again", NOW)
    again = here.store.proposals.get("again")
    assert "root.adhoc" not in again.queues
    assert again.because[0].startswith("nothing is lowered: 3 cuts of the last four weeks were wrong (root.q0, root.q1, root.q2)")


def add_effect(store: Store, proposal: Proposal, wrong: tuple[str, ...]) -> None:
    effect = Effect(days=1, made_at=NOW, expected=1.0, real=1.0, without=1.0, wrong_cuts=wrong)
    store.proposals.change(proposal.decision_id, lambda known: replace(known, effects=(effect,)))
