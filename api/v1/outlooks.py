"""What is to be expected of a queue, and what if its limits, its demand or its cluster were otherwise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Self

from pydantic import Field

from api.edge.context import Services
from api.edge.document import Answers
from api.edge.limits_now import as_now
from api.edge.policy import READ
from api.edge.routing import route
from api.schema.answers import Answer
from api.schema.queries import OutlookQuery
from api.v1.children import Missing, child_names, children_of
from api.v1.choice import chosen_forecast
from api.v1.expected import Expected
from api.v1.exposure import Among, Exposure, side_of
from api.v1.known_limits import GONE, KnownLimits
from api.v1.moves import Asked, Move, Moving
from shared.domain.distribution import Rows
from shared.domain.forecasts import Forecast
from shared.domain.outlook import why_untold
from shared.domain.units import Unit, work_of
from shared.domain.whatif import Changed, about_cut, about_room, changed, sentence
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
    notes: tuple[str, ...] = Field((), description="what a person should know about the limits of now, and about the change")
    children: ChildrenExpected | None = Field(
        description="the sum of its children, as the same run has forecast them; null = it has none, or nothing can be told"
    )
    exposure: Exposure | None = Field(description="what preemption may take; null = nothing can be told")
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
    """The outlook of a forecast that was read with its paths, with the limits that its queue has now."""
    issued, forecast = forecast, as_now(services, forecast)
    most_steps = _steps(forecast, query)
    is_newest = None if forecast.paths else issued == services.store.forecasts.newest(issued.series_id, issued.job)
    reason, work_unit = why_untold(forecast, now, is_newest=is_newest), work_of(forecast.unit)[1]
    rows = forecast.paths.rows() if forecast.paths and reason is None else [forecast.prediction]
    then = Then.of(services, issued, forecast, rows, query)  # also to refuse what is not accepted
    if reason is not None:
        nothing = dict.fromkeys(("now", "then", "sentence", "children", "exposure", "moved"))
        return OutlookAnswer.showing(forecast, work_unit=work_unit, reason=reason, **nothing)
    expected = Expected.of(Changed(forecast=forecast, rows=rows, notes=()), now, most_steps)
    changes = Expected.of(then.changed, now, most_steps) if then.is_other else None
    scale = query.change.scale
    asked = Asked(forecast=forecast, changed=then.changed.forecast, scale=scale, now=now, most_steps=most_steps)
    return OutlookAnswer.showing(
        forecast,
        work_unit=work_unit,
        reason=None,
        now=expected,
        then=changes,
        sentence=sentence(expected.whole, changes.whole, forecast.unit) if changes else None,
        notes=then.changed.notes,
        children=children_expected(services, forecast, query, now),
        **then.around(services, rows, asked),
    )


@dataclass(frozen=True, kw_only=True)
class Then:
    """The queue as it would be, and where."""

    changed: Changed
    moving: Moving | None
    limits: KnownLimits
    is_other: bool  # than now

    @classmethod
    def of(cls, services: Services, issued: Forecast, forecast: Forecast, rows: Rows, query: OutlookQuery) -> Self:
        """issued: the forecast with the limits of when it was issued. Raises InvalidRequest, naming the field."""
        limits = KnownLimits.of(services, forecast, query.change.lost)
        notes = (*limits.since(issued), *about_cut(issued, rows, forecast.maximum), *limits.notes)
        if query.parent is None:
            parent = _parent_guarantee(services, forecast, query, limits)
            then = changed(forecast, rows, query.change, parent, limits.kept(forecast.queue))
            whole = limits.parent_in_own(forecast) if parent is None else parent
            whole = None if whole is None else whole * limits.kept(forecast.queue.rpartition(".")[0]).guaranteed
            notes = (*notes, *about_room(then.forecast, whole, is_asked=query.change.capacity is not None))
            then = replace(then, notes=(*notes, *then.notes))
            return cls(changed=then, moving=None, limits=limits, is_other=bool(query.change))
        moving = Moving.of(services, forecast, query.parent, limits)
        then = changed(forecast, rows, query.change, moving.new.has.guaranteed, limits.kept(query.parent))
        then = replace(then, notes=(*notes, *then.notes))
        then = moving.fitting(then, is_asked=query.change.capacity is not None)
        return cls(changed=then, moving=moving, limits=limits, is_other=True)

    def around(self, services: Services, rows: Rows, asked: Asked) -> dict[str, object]:
        """What is told of the queue among those around it, by the answer's fields; rows: its paths now."""
        forecast, then = asked.forecast, self.changed
        side, why = (self.moving.old, None) if self.moving else side_of(services, forecast, self.limits)
        has = side.before.children if side else {}
        before = Among(forecast=forecast, rows=rows, others=has, side=side, why=why).told(asked)
        there = self.moving.new if self.moving else side
        branch = there.after if there else None
        gets = (branch.when_it_comes(then.forecast.guaranteed) if self.moving else branch.children) if branch else {}
        after = Among(forecast=then.forecast, rows=then.rows, others=gets, side=there, why=why)
        return {
            "exposure": Exposure(now=before, then=after.told(asked, asked.scale) if self.is_other else None),
            "moved": self.moving.told(asked) if self.moving else None,
        }


def children_expected(services: Services, forecast: Forecast, query: OutlookQuery, now: datetime) -> ChildrenExpected | None:
    """What the children of the forecast's queue come to; None = it has none."""
    if not (of_run := child_names(services, forecast, forecast.queue)):
        return None
    limits = KnownLimits.of(services, forecast, query.change.lost)
    found = children_of(services, forecast, limits.below(forecast.queue, of_run))
    gone = (Missing(queue=name, reason=f"it {GONE}") for name in of_run if limits.is_gone(name))
    found = replace(found, missing=(*found.missing, *gone))
    if found.joint is None:
        return ChildrenExpected.showing(found, now=None, then=None)
    most_steps, rows = _steps(forecast, query), found.joint.total()
    counted = found.joint.counted(forecast)
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
    """What the queue's parent is guaranteed, as the cluster's tree says, else its own newest forecast of the same metric.

    None = nothing says it.
    """
    parent = forecast.queue.rpartition(".")[0]
    is_relative = forecast.unit is not None and forecast.unit.full is not None  # percentages are then its own
    if is_relative or (query.change.capacity is None and not query.change.has_shares):
        return None
    if not parent:
        return None if query.change.has_shares else limits.now(forecast.queue, forecast).guaranteed  # the cluster's
    found = services.store.forecasts.newest_of_each(
        parent, metric=forecast.metric, cluster=forecast.cluster, projects=[forecast.project]
    )
    alike = [each for each in found if (each.where, each.unit) == (forecast.where, forecast.unit) and each.guaranteed is not None]
    return limits.now(parent, max(alike, key=lambda each: each.issued_at, default=None)).guaranteed
