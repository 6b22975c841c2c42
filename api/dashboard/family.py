"""A queue among its relatives on its page: the sum of its children, and what if it were below another parent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from api.edge.context import Services
from api.edge.limits_now import as_now
from api.edge.refusals import field_problems
from api.schema.queries import OutlookQuery
from api.v1.children import why_not_added
from api.v1.known_limits import KnownLimits
from api.v1.outlooks import ChildrenExpected, OutlookAnswer, children_expected, outlook_answer
from shared.domain.forecasts import Forecast
from shared.domain.moving import may_move
from shared.domain.outlook import Outlook, outlooks
from shared.errors import InvalidRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What the page shows.

    own: the queue's outlook, beside the sum of its `children`; None = there is no sum.
    parents: where it may come, of the queues that the same run knows. move: with one of them; problem: why not.
    """

    own: Outlook | None = None
    children: ChildrenExpected | None = None
    parents: Sequence[str] = ()
    move: OutlookAnswer | None = None
    problem: str | None = None


def family_of(services: Services, forecast: Forecast, parent: str | None, capacity: str | None, now: datetime) -> Family:
    """Of a forecast with paths on which something can be counted; parent, capacity: as they were written into the form."""
    present = as_now(services, forecast)
    children = children_expected(services, present, OutlookQuery(), now)
    has_sum = children is not None and children.now is not None and forecast.paths is not None
    move, problem = _moved(services, forecast, parent, capacity, now) if parent else (None, None)
    return Family(
        own=outlooks(present, forecast.paths.rows(), now)[0] if has_sum and forecast.paths else None,
        children=children,
        parents=_parents(services, forecast) if why_not_added(forecast) is None else (),
        move=move,
        problem=problem,
    )


def _parents(services: Services, forecast: Forecast) -> list[str]:
    """Of those that the run knows, those that the cluster's tree still has."""
    known = {name.rpartition(".")[0] for name in services.store.reports.queues(forecast.job_id)} - {""}
    limits = KnownLimits.of(services, forecast, 0.0)
    return sorted(parent for parent in known if may_move(forecast.queue, parent) and not limits.is_gone(parent))


def _moved(
    services: Services, forecast: Forecast, parent: str, capacity: str | None, now: datetime
) -> tuple[OutlookAnswer | None, str | None]:
    given = {"parent": parent} | ({"capacity": capacity} if capacity else {})
    try:
        return outlook_answer(services, forecast, OutlookQuery.model_validate(given), now), None
    except ValidationError as error:
        return None, "; ".join(item.line() for item in field_problems(error, OutlookQuery))
    except InvalidRequest as error:
        return None, error.detail
