"""What preemption may take of a queue, counted on its siblings' paths where they are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import Field

from api.edge.context import Services
from api.schema.answers import Answer
from api.v1.children import Missing, child_names, why_not_added
from api.v1.known_limits import KnownLimits
from api.v1.moves import Asked, Side
from shared.domain.distribution import Rows
from shared.domain.excess import days_ahead
from shared.domain.exposure import Exposed, exposed, idle_steps
from shared.domain.forecasts import Forecast
from shared.domain.joint import times
from shared.domain.moving import Limits

MAX_SIBLINGS = 50  # whose paths are read each time that somebody looks at a queue
SIBLINGS, OWN = "siblings", "own"


class ExposureSide(Answer):
    """What may be taken, and how that is known."""

    counted_on: str = Field(
        description="siblings: what is used above the guarantee while all siblings together want less than theirs, with their "
        "paths drawn together; own: all that is used above the guarantee"
    )
    siblings: tuple[str, ...] = Field(description="whose paths were counted on")
    reason: str | None = Field(description="why siblings' paths were not; null = they were")
    missing: tuple[Missing, ...] = Field(description="siblings whose paths are not known, and why")
    exposed: Exposed | None = Field(description="in all that is asked about; null = what is guaranteed is not known")


class Exposure(Answer):
    """What preemption may take, as things are, and as they would be."""

    now: ExposureSide
    then: ExposureSide | None = Field(description="null = nothing else was asked for")


@dataclass(frozen=True, kw_only=True)
class Among:
    """A queue among its siblings.

    rows: its own paths. others: what its siblings have then. side: the parent with all of them; why: there is none.
    """

    forecast: Forecast
    rows: Rows
    others: Mapping[str, Limits]
    side: Side | None
    why: str | None = None

    def told(self, asked: Asked, scale: float = 1.0) -> ExposureSide:
        """scale: of the queue's paths among those of its siblings."""
        days = days_ahead(self.forecast, asked.now, asked.most_steps)
        steps = range(days[0].start, days[-1].stop)
        reason = next(self._reasons(), None)
        joint = self.side.found.joint if self.side else None
        if reason is None and joint is not None and self.side is not None:
            guaranteed = sum(limits.guaranteed or 0.0 for limits in self.others.values())
            idle = idle_steps(self.side.rest, guaranteed)
            found = exposed(self.forecast, times(joint.rows_of(self.forecast.queue), scale), steps, idle)
            return ExposureSide(counted_on=SIBLINGS, siblings=tuple(self.others), reason=None, missing=(), exposed=found)
        found = exposed(self.forecast, self.rows, steps)
        missing = self.side.found.missing if self.side else ()
        return ExposureSide(counted_on=OWN, siblings=(), reason=reason, missing=missing, exposed=found)

    def _reasons(self) -> Iterator[str]:
        """Why siblings' paths are not counted on."""
        if self.side is None:
            yield self.why or "it has no parent"
            return
        if (found := self.side.found).joint is None:
            yield found.reason or "nothing is known of its siblings"
        if not self.others:
            yield "no sibling of it is known"
        if found.missing:
            yield "the paths of some siblings are not known"
        if any(limits.guaranteed is None for limits in self.others.values()):
            yield "what some siblings are guaranteed is not known"


def side_of(services: Services, forecast: Forecast, limits: KnownLimits) -> tuple[Side | None, str | None]:
    """The queue's parent with its children; None = with the reason why that is not looked at."""
    parent = forecast.queue.rpartition(".")[0]
    if not parent:
        return None, "it has no parent"
    if (reason := why_not_added(forecast)) is not None:
        return None, reason
    others = {*limits.below(parent, child_names(services, forecast, parent))} - {forecast.queue}
    if not others:
        return None, "no sibling of it is known"
    if len(others) > MAX_SIBLINGS:
        return None, f"it has {len(others)} siblings, more than the {MAX_SIBLINGS} whose paths are read at once"
    return Side.of(services, forecast, parent, limits), None
