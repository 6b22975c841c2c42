"""Decisions on queues without a tree, from what a job has forecast to the proposal that is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from shared.domain.calibration import Calibration
from shared.domain.decision_requests import Outcome, asked_by_hand, asked_by_job
from shared.domain.forecasts import WindowForecast
from shared.domain.policies import Freeze, Group, Policy, QueueClass, QueueRule
from shared.domain.proposal_states import ProposalState
from shared.domain.proposals import Proposal
from shared.domain.recipes import Winner, search_of
from shared.domain.recommendations import Confidence
from shared.domain.timetables import Segment, TimetableVerdict
from shared.store.replays import Evidence
from tests.factories import MONDAY, a_job, a_request, a_score
from tests.worker.job.decided import MB, NOW, STEPS, demand, ended_job, keep_queue, shape
from worker.job.deciding import decide
from worker.job.resources import Resources

GROUP = Group("capacity forecasting", "files:", "")


def decided(here: Resources, **changes: object) -> list[Proposal]:
    job = ended_job(here.store, **changes)
    decide(here, asked_by_job(job, NOW).decision_id, NOW)
    return here.store.proposals.find()


def test_a_queue_that_is_short_is_raised_and_one_with_too_much_is_lowered(here: Resources) -> None:
    keep_queue(here.store, "root.etl", 100 * MB, 105 * MB)
    keep_queue(here.store, "root.adhoc", 100 * MB, 300 * MB, seed=2)
    keep_queue(here.store, "root.bi", 100 * MB, 132 * MB, seed=3)
    (proposal,) = decided(here)
    changes = {change.queue: change for change in proposal.changes}
    assert proposal.state is ProposalState.PROPOSED
    assert changes.keys() == {"root.etl", "root.adhoc"}
    assert changes["root.etl"].proposed > 120 * MB
    assert changes["root.adhoc"].proposed == 231_000.0  # a quarter less, no more
    assert changes["root.etl"].memory.confidence is Confidence.GOOD
    assert proposal.sentence.startswith("Raise root.etl to ")
    assert " beyond what it has (" in proposal.sentence
    assert proposal.cost.plan < proposal.cost.keep
    assert proposal.end_at == MONDAY + timedelta(days=1)
    assert [each.queue for each in proposal.kept] == ["root.bi"]
    told = {(each.kind.value, each.told.get("breach", {}).get("queue")) for each in here.store.notices.due(NOW, 10)}
    assert ("proposal_made", None) in told
    assert ("breach_expected", "root.etl") in told
    assert ("breach_expected", "root.adhoc") not in told


def test_what_is_decided_twice_is_one_proposal(here: Resources) -> None:
    keep_queue(here.store, "root.etl", 100 * MB, 105 * MB)
    (first,) = decided(here)
    asked = here.store.decision_requests.get(asked_by_job(here.store.jobs.get(first.forecast_jobs[0]), NOW).decision_id)
    assert asked.outcome is Outcome.DECIDED
    again = replace(asked, outcome=None, due_at=NOW)
    assert here.store.decision_requests.replace(asked, again)
    decide(here, asked.decision_id, NOW + timedelta(minutes=5))
    assert here.store.proposals.find() == [first]


def test_of_queues_without_limits_nothing_is_made(here: Resources) -> None:
    keep_queue(here.store, "root.etl", 100 * MB, 105 * MB, guaranteed=None)
    job = ended_job(here.store)
    asked = asked_by_job(job, NOW).decision_id
    decide(here, asked, NOW)
    assert here.store.proposals.find() == []
    assert here.store.decision_requests.get(asked).outcome is Outcome.NOTHING


def test_a_change_that_would_not_have_paid_is_left_with_the_reason(here: Resources) -> None:
    """Its forecasts have always said more than came."""
    newest = keep_queue(here.store, "root.etl", 100 * MB, 125 * MB, said=160 * MB)
    (proposal,) = decided(here)
    assert proposal.state is ProposalState.KEPT
    assert proposal.changes == ()
    assert proposal.kept[0].kept_because.startswith("Leave it: changes as advised would have cost ")
    kept = here.store.replays.get(newest.series_id, newest.job)
    assert kept is not None
    assert kept.evidence is Evidence.ISSUED
    assert kept.verdict is not None
    assert not kept.verdict.is_offered
    assert kept.verdict.days == 28


def test_where_the_past_has_called_for_no_change_it_does_not_speak_against_one(here: Resources) -> None:
    """Only what is forecast now wants more."""
    quiet = keep_queue(here.store, "root.etl", 100 * MB, 131 * MB)
    loud = keep_queue(here.store, "root.loud", 160 * MB, 131 * MB, seed=4)
    here.store.forecasts.save(replace(quiet, paths=loud.paths))
    here.store.forecasts.save(replace(loud, guaranteed=None))
    (proposal,) = decided(here)
    (change,) = proposal.changes
    assert change.is_raise
    assert change.memory.confidence is Confidence.THIN
    assert "its past has called for no change" in change.memory.doubts[0]


def test_of_a_queue_with_a_short_past_the_change_is_told_with_thin_confidence(here: Resources) -> None:
    newest = keep_queue(here.store, "root.etl", 100 * MB, 105 * MB, told=4)
    (proposal,) = decided(here)
    (change,) = proposal.changes
    assert change.memory.confidence is Confidence.THIN
    assert change.memory.doubts == ("its past could be replayed on 3 days only",)
    kept = here.store.replays.get(newest.series_id, newest.job)
    assert kept is not None
    assert not kept.verdict.is_offered  # type: ignore[union-attr] # there is one


def test_at_most_as_many_queues_change_as_the_policy_has_and_none_while_it_is_frozen(here: Resources) -> None:
    for number in range(3):
        keep_queue(here.store, f"root.q{number}", 100 * MB, (105 - 10 * number) * MB, seed=number)
    policy = Policy(**GROUP._asdict(), max_changes=1, version=1)
    assert here.store.policies.replace(here.store.policies.of(GROUP), policy)
    (proposal,) = decided(here)
    assert [change.queue for change in proposal.changes] == ["root.q2"]
    assert [each.kept_because for each in proposal.kept] == [
        "one plan changes 1 queue, and others save more; `max_changes` of the policy says how many"
    ] * 2
    frozen = replace(policy, version=2, freezes=(Freeze(start_at=MONDAY, end_at=MONDAY + timedelta(days=2), reason="the sale"),))
    assert here.store.policies.replace(policy, frozen)
    asked = asked_by_hand(GROUP, NOW, "t1", "ops")
    here.store.decision_requests.add(asked)
    decide(here, asked.decision_id, NOW)
    by_hand = here.store.proposals.get(asked.decision_id)
    assert by_hand.state is ProposalState.KEPT
    assert "nothing is changed until" in by_hand.sentence
    assert (by_hand.proposed_by, by_hand.proposed_by_name) == ("t1", "ops")
    assert here.store.proposals.get(proposal.decision_id).state is ProposalState.SUPERSEDED


def test_a_critical_queue_is_lowered_when_two_forecasts_agree_only(here: Resources) -> None:
    keep_queue(here.store, "root.etl", 100 * MB, 300 * MB)
    rule = QueueRule(queue="root.etl", queue_class=QueueClass.CRITICAL)
    policy = Policy(**GROUP._asdict(), queues=(rule,), version=1)
    assert here.store.policies.replace(here.store.policies.of(GROUP), policy)
    (proposal,) = decided(here)
    assert [change.proposed for change in proposal.changes] == [231_000.0]


def test_where_nothing_is_issued_yet_the_folds_of_the_search_are_replayed(here: Resources) -> None:
    newest = keep_queue(here.store, "root.etl", 100 * MB, 105 * MB, told=1)
    job = ended_job(here.store)
    windows = tuple(
        WindowForecast(
            origin_at=MONDAY + timedelta(days=day),
            actual=tuple(demand(STEPS * day + hour, 100 * MB, 1) for hour in range(STEPS)),
            prediction=shape(100 * MB),
            measures=a_score().measures,
        )
        for day in range(-14, 0)
    )
    winner = Winner(
        search=search_of(job.request),
        queue="root.etl",
        job_id=job.job_id,
        searched_at=MONDAY,
        created_at=MONDAY,
        score=replace(a_score(), windows=windows),
        recipe=(),
    )
    here.store.winners.save(winner)
    decide(here, asked_by_job(job, NOW).decision_id, NOW)
    (proposal,) = here.store.proposals.find()
    assert [change.queue for change in proposal.changes] == ["root.etl"]
    kept = here.store.replays.get(newest.series_id, newest.job)
    assert kept is not None
    assert (kept.evidence, kept.verdict and kept.verdict.days) == (Evidence.BACKTEST, 13)


def test_chances_that_do_not_hold_stop_cuts_and_not_raises(here: Resources) -> None:
    keep_queue(here.store, "root.etl", 100 * MB, 105 * MB)
    keep_queue(here.store, "root.adhoc", 100 * MB, 300 * MB, seed=2)
    here.store.calibrations.tell(Calibration(checked_at=NOW, days=100, dates=14, error=0.3, lost_at=NOW))
    (proposal,) = decided(here)
    assert [change.queue for change in proposal.changes] == ["root.etl"]
    assert ["what was told as likely has not held lately" in each.kept_because for each in proposal.kept] == [True]


def test_a_job_without_a_decision_stays_what_it_is_and_who_asks_hears_of_a_fault(here: Resources) -> None:
    asked = asked_by_hand(GROUP, NOW, "t1", "ops")
    here.store.decision_requests.add(asked)
    decide(here, asked.decision_id, NOW)
    found = here.store.decision_requests.get(asked.decision_id)
    assert (found.outcome, found.error.startswith("nothing is forecast of them yet")) == (Outcome.NOTHING, True)
    decide(here, "nobody", NOW)


def test_of_jobs_that_name_no_cluster_a_person_may_ask_without_one(here: Resources) -> None:
    keep_queue(here.store, "root.etl", 100 * MB, 105 * MB)
    ended_job(here.store)
    asked = asked_by_hand(GROUP._replace(cluster=""), NOW, "t1", "ops")
    here.store.decision_requests.add(asked)
    decide(here, asked.decision_id, NOW)
    by_hand = here.store.proposals.get(asked.decision_id)
    assert ([change.queue for change in by_hand.changes], by_hand.proposed_by) == (["root.etl"], "t1")


def test_of_several_clusters_a_person_is_asked_to_name_one(here: Resources) -> None:
    keep_queue(here.store, "root.etl", 100 * MB, 105 * MB)
    keep_queue(here.store, "root.etl", 100 * MB, 105 * MB, cluster="files:cap.csv")
    asked = asked_by_hand(GROUP._replace(cluster=""), NOW, "t1", "ops")
    here.store.decision_requests.add(asked)
    decide(here, asked.decision_id, NOW)
    found = here.store.decision_requests.get(asked.decision_id)
    assert found.outcome is Outcome.FAILED
    assert "name one, --cluster NAME: there are forecasts with limits of files:, files:cap.csv" in found.error


def test_a_person_is_told_by_what_reaches_as_far_as_is_asked(here: Resources) -> None:
    newest = keep_queue(here.store, "root.etl", 100 * MB, 105 * MB)
    job = ended_job(here.store)
    trial = replace(newest, job="a trial", job_id="trial", step_seconds=60, created_at=NOW)
    here.store.forecasts.save(replace(trial, issued_at=MONDAY))
    for seconds, hours in enumerate((None, 24.0, 216.0)):
        asked = asked_by_hand(GROUP, NOW + timedelta(seconds=seconds), "t1", "ops", hours)
        here.store.decision_requests.add(asked)
        decide(here, asked.decision_id, NOW)
        made = here.store.proposals.get(asked.decision_id)
        assert made.forecast_jobs == (job.job_id,)
        shortened = [line for line in made.because if "no forecast of its queues reaches further" in line]
        assert shortened == (
            ["It is for 24 h, and not for the 216 h that were asked for: no forecast of its queues reaches further."]
            if hours == 216.0
            else []
        )


def test_what_a_job_tells_of_earlier_days_is_no_answer_to_what_is_to_be_changed_now(here: Resources) -> None:
    newest = keep_queue(here.store, "root.etl", 100 * MB, 105 * MB)
    earlier = a_request(cluster="files:", target="memory_mb", as_of=MONDAY)
    here.store.jobs.add(a_job(job_id=newest.job_id, request=earlier, created_at=MONDAY + timedelta(days=3)))
    asked = asked_by_hand(GROUP, NOW, "t1", "ops")
    here.store.decision_requests.add(asked)
    decide(here, asked.decision_id, NOW)
    assert here.store.decision_requests.get(asked.decision_id).outcome is Outcome.NOTHING


def test_a_decision_may_be_made_with_another_policy_and_says_so(here: Resources) -> None:
    keep_queue(here.store, "root.etl", 100 * MB, 105 * MB)
    keep_queue(here.store, "root.adhoc", 100 * MB, 300 * MB, seed=2)
    ended_job(here.store)
    holds = Policy(**GROUP._asdict(), version=3, owners=("t9",))
    here.store.policies.replace(here.store.policies.of(GROUP), holds)
    asked = asked_by_hand(GROUP, NOW, "t1", "ops", policy=replace(holds, version=0, owners=(), max_changes=1))
    here.store.decision_requests.add(asked)
    decide(here, asked.decision_id, NOW)
    made = here.store.proposals.get(asked.decision_id)
    assert len(made.changes) == 1
    assert made.because[0] == "Made with another policy than the one that holds: max_changes 5 → 1."
    assert (made.policy.owners, made.policy.version) == (("t9",), 3)
    assert here.store.policies.of(GROUP).max_changes == 5


def test_a_timetable_that_would_have_paid_is_told_by_the_clock(here: Resources) -> None:
    keep_queue(here.store, "root.etl", 100 * MB, 105 * MB)
    (first,) = decided(here)
    assert not any("timetable" in line for line in first.because)
    [kept] = here.store.replays.of([each.series_id for each in here.store.forecasts.newest_of_each()], first.job).values()
    assert kept.verdict is not None
    offered = TimetableVerdict(
        days=21,
        ratio=0.78,
        switches_a_day=2.0,
        is_offered=True,
        sentence="A timetable would have cost 78.0 % of one constant a day on 21 days of its past, changes paid.",
        segments=(Segment(first=0, end=6, capacity=120 * MB), Segment(first=6, end=24, capacity=80 * MB)),
    )
    here.store.replays.save([replace(kept, verdict=replace(kept.verdict, timetable=offered))])
    asked = asked_by_hand(GROUP, NOW, "t1", "ops")
    here.store.decision_requests.add(asked)
    decide(here, asked.decision_id, NOW)
    told = here.store.proposals.get(asked.decision_id).because[-1]
    assert told == f"root.etl: {offered.sentence.rstrip('.')}: 00:00–06:00 120 GB, 06:00–00:00 80 GB."
