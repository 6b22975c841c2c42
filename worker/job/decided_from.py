"""Which forecasts answer a person, who names queues and perhaps a horizon: of one cluster, as far ahead as asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shared.domain.decision_requests import DecisionRequest
from shared.domain.exceedance import steps_over
from shared.domain.excess import SECONDS_PER_HOUR
from shared.domain.forecasts import Forecast
from shared.domain.identifiers import listed
from shared.errors import InvalidRequest
from worker.job.decided_asked import HOURS


def by_worth(forecasts: Sequence[Forecast], request: DecisionRequest, now: datetime) -> list[Forecast]:
    """Those that tell of what is ahead, the best first: the newest that reaches as far as is asked, else what reaches furthest.

    Where no horizon is named a forecast of a day counts as one all day long.

    Raises:
        InvalidRequest: no cluster is named, and they are of several.
    """
    current = [each for each in forecasts if steps_over(each, now) < each.horizon_steps]
    clusters = sorted({each.cluster for each in current})
    if len(clusters) > 1:
        raise InvalidRequest(f"name one, --cluster NAME: there are forecasts with limits of {listed(clusters)}", field="cluster")
    seconds = (request.horizon_hours or HOURS) * SECONDS_PER_HOUR

    def rank(each: Forecast) -> tuple[float, datetime, datetime]:
        over = 0 if request.horizon_hours is None else steps_over(each, now)
        reach = (each.horizon_steps - over) * each.step_seconds
        return min(float(reach + each.step_seconds), seconds), each.issued_at, each.created_at

    return sorted(current, key=rank, reverse=True)
