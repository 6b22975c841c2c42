"""What one decision is made for: who asks, which run of a job, how far ahead, and until when it may take time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from shared.domain.audits import AUTOMATIC
from shared.domain.decision_requests import DecisionRequest
from shared.domain.exceedance import steps_over
from shared.domain.excess import SECONDS_PER_HOUR
from shared.domain.forecasts import Forecast
from shared.domain.jobs import Job
from shared.domain.policies import Group, Policy
from shared.domain.policy_changes import changes
from shared.domain.proposal_states import ProposalState
from shared.domain.proposals import PlanCost, Proposal, ProposedChange, Step, decision_id
from shared.domain.recommendations import Recommendation
from shared.domain.reports import Point
from shared.domain.wording import digits
from shared.errors import ScheduleNotFound
from shared.store.schedules import SCHEDULES
from worker.decisions.question import Question
from worker.decisions.recent import known_until
from worker.decisions.sentence import Clock, sentence_of
from worker.decisions.terms import Facts, Terms
from worker.job.resources import Resources

HOURS = 24.0  # that are decided on where nobody says for how long
REPLAY_SECONDS = 20.0  # for replays that can wait until tomorrow, of one task
MAX_REPLAY_SECONDS = 45.0  # for all, far below the time limit


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One of them."""

    resources: Resources
    request: DecisionRequest
    job: Job
    now: datetime
    began: float = field(default_factory=time.monotonic)

    @property
    def cluster(self) -> str:
        """Whose queues these are; of files and the like their own."""
        return self.request.cluster or self.job.request.cluster

    @property
    def zone(self) -> ZoneInfo:
        """In which times are told."""
        return ZoneInfo(self.resources.settings.display_timezone)

    @property
    def hours(self) -> float:
        """How far ahead it is decided."""
        return self.request.horizon_hours or HOURS

    def has_time(self, seconds: float) -> bool:
        """Whether it has taken less than so long."""
        return time.monotonic() - self.began < seconds

    def steps(self, forecast: Forecast) -> int:
        """How many steps of a forecast are decided on, at least one."""
        return max(1, round(self.hours * SECONDS_PER_HOUR / forecast.step_seconds))

    def can_tell(self, forecast: Forecast) -> bool:
        """Whether it says anything of what is ahead."""
        return forecast.paths is not None and steps_over(forecast, self.now) < forecast.horizon_steps

    def question(self, forecast: Forecast, present: float, terms: Terms, facts: Facts, points: Sequence[Point] = ()) -> Question:
        """About a forecast that can tell, and the last days of its series, in the zone of this instance."""
        past = known_until(forecast, points, self.now)
        asked = Question.of(forecast, present, terms, facts, self.now, steps=self.steps(forecast), past=past)
        return replace(asked, starts=tuple(start.astimezone(self.zone) for start in asked.starts))

    def policy_of(self, group: Group) -> Policy:
        """What holds for these queues, or what whoever asks wants to be counted with instead."""
        known, asked = self.resources.store.policies.of(group), self.request.policy
        if asked is None or asked.group != group:
            return known
        same = {
            name: getattr(known, name) for name in ("owners", "freezes", "version", "changed_at", "changed_by", "changed_by_id")
        }
        return replace(asked, **same)

    def instead(self, policy: Policy) -> tuple[str, ...]:
        """What was counted with in place of what holds; () = with what holds."""
        told = changes(self.resources.store.policies.of(policy.group), policy) if self.request.policy is not None else ""
        return (f"Made with another policy than the one that holds: {told}.",) if told else ()

    def counts(self, policy: Policy) -> bool:
        """Whether the forecasts of the job are those that the policy names."""
        return self.request.is_by_hand or policy.schedule_id is None or policy.schedule_id == self.job.schedule_id

    def shortened(self, window: timedelta, forecast: Forecast) -> tuple[str, ...]:
        """That forecasts do not reach as far as a person has asked; () = they do."""
        hours, told = self.hours, window.total_seconds() / SECONDS_PER_HOUR
        if not self.request.is_by_hand or told > hours - 2 * forecast.step_seconds / SECONDS_PER_HOUR:
            return ()
        why = "no forecast of its queues reaches further"
        return (f"It is for {digits(told)} h, and not for the {digits(hours)} h that were asked for: {why}.",)

    def look_again_at(self) -> datetime | None:
        """When the schedule makes forecasts next; None = there is none, or it is paused."""
        if self.job.schedule_id is None:
            return None
        try:
            schedule = self.resources.store.get(SCHEDULES, self.job.schedule_id)
        except ScheduleNotFound:
            return None
        forecasting = [at for run, at in schedule.next.items() if run.value != "actuals"]
        return None if schedule.is_paused else min(forecasting, default=None)

    def id_of(self, group: Group, issued_at: datetime, job: str = "") -> str:
        """The id of the proposal that is made."""
        return self.request.decision_id if self.request.is_by_hand else decision_id(group, issued_at, AUTOMATIC, job)


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What was decided of the queues of one group.

    forecasts: that it was decided from, at least one. because: what of the plan is to be said beside the queues' own reasons.
    """

    group: Group
    policy: Policy
    forecasts: Sequence[Forecast]
    changes: tuple[ProposedChange, ...]
    kept: tuple[Recommendation, ...]
    because: tuple[str, ...]
    cost: PlanCost
    job: str = ""

    def proposal(self, asked: Asked, **others: object) -> Proposal:
        """It as a proposal; where nothing is to be changed that is closed from the start."""
        state = ProposalState.PROPOSED if self.changes else ProposalState.KEPT
        window = [*(change.memory for change in self.changes), *self.kept]
        look_at, issued_at = asked.look_again_at(), max(forecast.issued_at for forecast in self.forecasts)
        who = {"who": asked.request.asked_by, "name": asked.request.name}
        start_at, end_at = min(each.start_at for each in window), max(each.end_at for each in window)
        told = Proposal(
            decision_id=asked.id_of(self.group, issued_at, self.job),
            **self.group._asdict(),
            state=state,
            created_at=asked.now,
            issued_at=issued_at,
            start_at=start_at,
            end_at=end_at,
            policy=self.policy,
            forecast_jobs=tuple(islice(dict.fromkeys(forecast.job_id for forecast in self.forecasts), 20)),
            job=self.job,
            sentence=sentence_of(self.changes, self.kept, Clock(now=asked.now, look_at=look_at, zone=asked.zone)),
            because=(*asked.instead(self.policy), *self.because, *asked.shortened(end_at - start_at, self.forecasts[0])),
            changes=self.changes,
            kept=self.kept,
            cost=self.cost,
            look_again_at=look_at,
            proposed_by=asked.request.asked_by,
            proposed_by_name=asked.request.name,
            steps=(Step(state=state, at=asked.now, **who),),
        )
        return replace(told, **others)  # type: ignore[arg-type] # fields of a proposal
