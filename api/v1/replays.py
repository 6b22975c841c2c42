"""Replays over HTTP: what a rule would have done on a queue's past, beside doing nothing and all baselines."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from api.edge.context import Services
from api.edge.document import Answers
from api.edge.policy import READ
from api.edge.routing import route
from api.schema.answers import Answer
from api.schema.decisions import ReplaySummary
from api.schema.queries import SeriesChoice
from api.v1.choice import chosen_forecast
from shared.domain.proposals import Proposal
from shared.domain.replays import DO_NOTHING, FrontierPoint, ReplayVerdict, RuleFigures
from shared.domain.units import Unit, work_of
from shared.errors import ReplayNotFound
from shared.store.replays import Evidence

MAX_QUEUES = 50  # of a decision whose replays are added up


class ReplayAnswer(Answer):
    """What a rule would have done on the past of one queue."""

    queue: str
    metric: str
    cluster: str
    where: str
    project: str
    job: str
    unit: Unit | None
    work_unit: str
    made_at: datetime
    evidence: Evidence = Field(description="what was replayed")
    sentence: str = Field(description="whether the rule is offered, and why; or why nothing could be replayed")
    is_offered: bool
    kappa: float | None = Field(description="null, as all that follows: nothing could be replayed")
    days: int | None
    hours: float | None
    present: float | None = Field(description="what doing nothing had, in the unit of the forecast")
    changes_a_day: float | None
    chosen: RuleFigures | None = Field(description="of the rule")
    beside: tuple[RuleFigures, ...] = Field(description="of doing nothing, and of all baselines")
    frontier: tuple[FrontierPoint, ...] = Field(description="of the rule, by the level that it aims at")


@route("GET", "/v1/queues/<path:queue>/replay", READ, Answers(ReplayAnswer, refuses=(409,)))
def show_replay(services: Services, queue: str, query: SeriesChoice) -> ReplayAnswer:
    """Show what changes as they are advised would have cost on a queue's own past, against doing nothing and all baselines."""
    forecast = chosen_forecast(services, queue, query)
    kept = services.store.replays.get(forecast.series_id, forecast.job)
    if kept is None:
        raise ReplayNotFound("it is replayed when a decision is made about it: POST /v1/decisions", queue=queue)
    verdict = kept.verdict
    names = ("kappa", "days", "hours", "present", "changes_a_day", "chosen")
    told: dict[str, object] = {name: getattr(verdict, name, None) for name in names}
    return ReplayAnswer.showing(
        forecast,
        **told,
        work_unit=work_of(forecast.unit)[1],
        made_at=kept.made_at,
        evidence=kept.evidence,
        sentence=verdict.sentence if verdict else kept.reason,
        is_offered=verdict is not None and verdict.is_offered,
        beside=verdict.beside if verdict else (),
        frontier=verdict.frontier if verdict else (),
    )


def replayed(services: Services, proposal: Proposal) -> ReplaySummary | None:
    """What replays of the queues that a proposal changes come to together; None = there are none."""
    looked_at = (verdict_of(services, proposal, queue) for queue in proposal.queues[:MAX_QUEUES])
    verdicts = [verdict for verdict in looked_at if verdict is not None]
    if not verdicts:
        return None
    chosen, nothing = (
        sum(costs) for costs in zip(*((each.chosen.cost, each.of(DO_NOTHING).cost) for each in verdicts), strict=True)
    )
    return ReplaySummary(
        days=max(verdict.days for verdict in verdicts),
        policy=chosen / nothing if nothing else None,
        wrong_cuts=sum(verdict.chosen.wrong_cuts for verdict in verdicts),
        queues=len(verdicts),
    )


def verdict_of(services: Services, proposal: Proposal, queue: str) -> ReplayVerdict | None:
    """What the replay of a queue says that a proposal changes; None = there is none."""
    for job_id in proposal.forecast_jobs:
        for forecast in services.store.forecasts.find(queue=queue, job_id=job_id):
            kept = services.store.replays.get(forecast.series_id, forecast.job)
            if kept is not None and kept.verdict is not None:
                return kept.verdict
    return None
