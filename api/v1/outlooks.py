"""What is to be expected of a queue, and what if its limits, its demand or its cluster were otherwise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Self

from pydantic import Field

from api.edge.context import Services
from api.edge.document import Answers
from api.edge.policy import READ
from api.edge.routing import route
from api.schema.answers import Answer
from api.schema.queries import OutlookQuery
from api.v1.children import Missing, child_names, children_of
from api.v1.choice import chosen_forecast
from api.v1.expected import Expected
from api.v1.known_limits import KnownLimits
from api.v1.moves import Asked, Move, Moving
from shared.domain.excess import Rows
from shared.domain.forecasts import Forecast
from shared.domain.outlook import why_untold
from shared.domain.units import Unit, work_of
from shared.domain.whatif import Changed, changed, sentence
from shared.errors import InvalidRequest


class ChildrenExpected(Answer):
    """What the children of a queue come to together: their paths drawn together and added up, against the queue's own limits."""

    queues: tuple[str, ...] = Field(description="those that are in the sum")
    missing: tuple[Missing, ...] = Field(description="those that are not, and why")
    reason: str | None = Field(description="why nothing is added up; null = it is")
    now: Expected | None
    then: Expected | None = Field(description="with what is asked for; null = nothing was")


class OutlookAnswer(Answer):
    """Chances, hours, shortfall and slack of a queue, counted on the joint paths of its forecast; with a what-if also then."""

    queue: str
    metric: str
    cluster: str
    where: str
    project: str
    job: str
    job_id: str
    issued_at: datetime
    unit: Unit | None = Field(description="of limits, levels and peaks; null = nobody knows")
    work_unit: str = Field(description="of demand, shortfall, slack and what is lent: GB·h where the unit is megabytes")
    reason: str | None = Field(description="why nothing can be told; null = it can")
    now: Expected | None = Field(description="with the limits that are known")
    then: Expected | None = Field(description="with what is asked for; null = nothing was")
    sentence: str | None = Field(description="what the change does, for people")
    notes: tuple[str, ...] = Field((), description="what a person should know about the change")
    children: ChildrenExpected | None = Field(
        description="the sum of its children, as the same run has forecast them; null = it has none, or nothing can be told"
    )
    moved: Move | None = Field(
        description="with `parent`: what becomes of the parents that it leaves and comes to, and of its siblings there"
    )


@route("GET", "/v1/queues/<path:queue>/outlook", READ, Answers(OutlookAnswer, refuses=(409,)))
def show_outlook(services: Services, queue: str, query: OutlookQuery) -> OutlookAnswer:
    """Show how likely, for how long and by how much a queue exceeds what it has, and what if that were otherwise.

    Counted on the joint paths of its newest forecast, in the steps still ahead; nothing is fitted. Any of `capacity`, `ceiling`,
    `scale`, `nodes` and `parent` makes it a what-if, and the answer has both, `now` and `then`.
    """
    forecast = services.store.forecasts.with_paths(chosen_forecast(services, queue, query))
    return outlook_answer(services, forecast, query, datetime.now(UTC))


def outlook_answer(services: Services, forecast: Forecast, query: OutlookQuery, now: datetime) -> OutlookAnswer:
    """The outlook of a forecast that was read with its paths."""
    most_steps = _steps(forecast, query)
    reason, work_unit = why_untold(forecast, now), work_of(forecast.unit)[1]
    rows = forecast.paths.rows() if forecast.paths and reason is None else [forecast.prediction]
    asked = Then.of(services, forecast, rows, query)  # also to refuse what is not accepted
    if reason is not None:
        nothing = dict.fromkeys(("now", "then", "sentence", "children", "moved"))
        return OutlookAnswer.showing(forecast, work_unit=work_unit, reason=reason, **nothing)
    expected = Expected.of(Changed(forecast=forecast, rows=rows, notes=()), now, most_steps)
    changes = Expected.of(asked.changed, now, most_steps) if query.change or query.parent else None
    return OutlookAnswer.showing(
        forecast,
        work_unit=work_unit,
        reason=None,
        now=expected,
        then=changes,
        sentence=sentence(expected.whole, changes.whole, forecast.unit) if changes else None,
        notes=asked.changed.notes,
        children=children_expected(services, forecast, query, now),
        moved=asked.moved(forecast, query, now, most_steps),
    )


@dataclass(frozen=True, kw_only=True)
class Then:
    """The queue as it would be, and where."""

    changed: Changed
    moving: Moving | None

    @classmethod
    def of(cls, services: Services, forecast: Forecast, rows: Rows, query: OutlookQuery) -> Self:
        """Raises InvalidRequest, naming the field."""
        limits = KnownLimits.of(services, forecast, query.change.lost)
        if query.parent is None:
            parent = _parent_guarantee(services, forecast, query, limits)
            then = changed(forecast, rows, query.change, parent, limits.kept(forecast.queue))
            return cls(changed=replace(then, notes=(*then.notes, *limits.notes)), moving=None)
        moving = Moving.of(services, forecast, query.parent, limits)
        then = changed(forecast, rows, query.change, moving.new.has.guaranteed, limits.kept(query.parent))
        then = replace(then, notes=(*then.notes, *limits.notes))
        return cls(changed=moving.fitting(then, is_asked=query.change.capacity is not None), moving=moving)

    def moved(self, forecast: Forecast, query: OutlookQuery, now: datetime, most_steps: int | None) -> Move | None:
        """What becomes of those around the queue; None = it stays where it is."""
        if self.moving is None:
            return None
        scale = query.change.scale
        return self.moving.told(
            Asked(forecast=forecast, changed=self.changed.forecast, scale=scale, now=now, most_steps=most_steps)
        )


def children_expected(services: Services, forecast: Forecast, query: OutlookQuery, now: datetime) -> ChildrenExpected | None:
    """What the children of the forecast's queue come to; None = it has none."""
    names = child_names(services, forecast, forecast.queue)
    if not names:
        return None
    found = children_of(services, forecast, names)
    if found.joint is None:
        return ChildrenExpected.showing(found, now=None, then=None)
    most_steps, rows = _steps(forecast, query), found.joint.total()
    counted = found.joint.counted(forecast)
    limits = KnownLimits.of(services, forecast, query.change.lost)
    parent, kept = _parent_guarantee(services, forecast, query, limits), limits.kept(forecast.queue)
    then = changed(counted, rows, query.change, parent, kept) if query.change and not query.parent else None
    return ChildrenExpected.showing(
        found,
        now=Expected.of(Changed(forecast=counted, rows=rows, notes=()), now, most_steps),
        then=Expected.of(then, now, most_steps) if then else None,
    )


def _steps(forecast: Forecast, query: OutlookQuery) -> int | None:
    """How many steps are asked about; None = all."""
    if query.horizon is None:
        return None
    if (steps := query.horizon.seconds // forecast.step_seconds) < 1:
        detail = f"{query.horizon} is shorter than a step of the forecast, which has {forecast.step_seconds} seconds"
        raise InvalidRequest(f"{detail}; accepted are lengths from there on", field="horizon")
    return steps


def _parent_guarantee(services: Services, forecast: Forecast, query: OutlookQuery, limits: KnownLimits) -> float | None:
    """What the queue's parent is guaranteed, as its own newest forecast of the same metric says, else the cluster's tree.

    None = nothing says it.
    """
    parent = forecast.queue.rpartition(".")[0]
    is_relative = forecast.unit is not None and forecast.unit.full is not None  # percentages are then its own
    if not parent or is_relative or not query.change.has_shares:
        return None
    found = services.store.forecasts.newest_of_each(
        parent, metric=forecast.metric, cluster=forecast.cluster, projects=[forecast.project]
    )
    alike = [each for each in found if (each.where, each.unit) == (forecast.where, forecast.unit) and each.guaranteed is not None]
    return limits.now(parent, max(alike, key=lambda each: each.issued_at, default=None)).guaranteed
