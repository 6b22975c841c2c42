"""The children of a queue, forecast by the same run: what they add up to, beside the queue's own outlook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from api.edge.context import Services
from api.schema.answers import Answer
from shared.domain.forecasts import FROM_PARENT, Forecast
from shared.domain.joint import Joint


class Missing(Answer):
    """A queue that is not in a sum, and why."""

    queue: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Children:
    """The children of a queue: those whose paths can be drawn together, those that are missing, or why none is told of.

    reason: why nothing is counted; None = `joint` is there.
    """

    joint: Joint | None
    missing: tuple[Missing, ...]
    reason: str | None

    @property
    def queues(self) -> tuple[str, ...]:
        """Those in the sum, by name."""
        return tuple(each.queue for each in self.joint.forecasts) if self.joint else ()


def children_of(services: Services, forecast: Forecast, names: Sequence[str]) -> Children:
    """Queues of these names as children of one parent, as the run that made the forecast has forecast them.

    Args:
        forecast: read with its paths. names: at least one.
    """
    if (reason := why_not_added(forecast)) is not None:
        return Children(joint=None, missing=(), reason=reason)
    beside = {each.queue: each for each in services.store.forecasts.beside(forecast, names)}
    missing = [(name, _why_missing(forecast, beside.get(name))) for name in names]
    told = tuple(Missing(queue=name, reason=why) for name, why in missing if why is not None)
    there = sorted((beside[name] for name, why in missing if why is None), key=lambda each: each.queue)  # the same sum for all
    if not there:
        return Children(joint=None, missing=told, reason="none of its children can be added up")
    joint = Joint.of(there)
    return Children(joint=joint if joint.why_untold is None else None, missing=told, reason=joint.why_untold)


def child_names(services: Services, forecast: Forecast, parent: str) -> Sequence[str]:
    """The queues right below one that the run has looked at, in order."""
    return [name for name in services.store.reports.queues(forecast.job_id, parent) if name.rpartition(".")[0] == parent]


def why_not_added(forecast: Forecast) -> str | None:
    """Why values such as these cannot be added up over queues; None = they can."""
    if forecast.unit is None:
        return "what the values are counted in is not known, so they are not added up"
    if forecast.unit.full is not None:
        return "percentages of what each queue has do not add up; amounts such as MB or vcores do"
    return None


def _why_missing(forecast: Forecast, child: Forecast | None) -> str | None:
    if child is None:
        return "this run has no forecast of it"
    if child.unit != forecast.unit:
        return "its values are counted in another unit"
    if child.horizon_steps != forecast.horizon_steps:
        return "its forecast has another length"
    if child.model == FROM_PARENT:
        return "it is too new, and was forecast from its parent"
    if child.paths is None:
        return "its joint paths are not kept: a newer forecast of it is there, or it has more than 400 steps"
    return None if child.paths.drawn_from else "its paths are of an earlier release, which did not name what they came from"
