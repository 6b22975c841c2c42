"""Whether chances have held: what was told as likely against what came, of one queue and of all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Self

from pydantic import Field

from api.edge.context import Services
from api.edge.document import Answers
from api.edge.identity import caller
from api.edge.policy import READ
from api.edge.routing import route
from api.schema import fields
from api.schema.answers import Answer
from api.schema.queries import Query
from shared.domain.accuracy import MONTH_DAYS
from shared.domain.calibration import ByCell, Calibration, Verified, peak_pit, verified
from shared.errors import InvalidRequest


class Chances(Answer):
    """Of the first day of each forecast, one forecast a day: the chance of a breach that it told, and whether it came."""

    levels: tuple[Verified, ...] = Field(description="those of which anything was scored; chances are 0–1")
    peak_pit: tuple[int, ...] = Field(
        description="days by where their highest value lay in what was forecast of it, in tenths from lowest to highest: "
        "of a right forecast each has as many"
    )

    @classmethod
    def of(cls, cells: ByCell) -> Self:
        """From the sums of each cell."""
        return cls(levels=verified(cells), peak_pit=peak_pit(cells))


class PooledQuery(Query):
    """Which forecasts, by when they were issued."""

    from_at: fields.Moment | None = Field(None, alias="from", description=f"default: {MONTH_DAYS} days before `to`")
    to_at: fields.Moment | None = Field(None, alias="to", description="default: now")

    def period(self) -> tuple[datetime, datetime]:
        """[from, to); raises InvalidRequest where nothing lies in it."""
        to_at = self.to_at or datetime.now(UTC)
        from_at = self.from_at or to_at - timedelta(days=MONTH_DAYS)
        if from_at >= to_at:
            raise InvalidRequest(f"from {from_at.isoformat()} is not before to {to_at.isoformat()}", field="from")
        return from_at, to_at


class PooledAccuracy(Answer):
    """How well chances have held, over all queues that the caller may see."""

    from_at: datetime
    to_at: datetime
    chances: Chances
    calibration: Calibration | None = Field(
        description="the verdict over all queues of the last month: while `lost_at` is set, chances are told in words only; "
        "null = nothing was scored yet"
    )


@route("GET", "/v1/accuracy", READ, Answers(PooledAccuracy))
def show_pooled_accuracy(services: Services, query: PooledQuery) -> PooledAccuracy:
    """Show how well the chances that forecasts told have held, over all queues.

    A forecast's first day is scored as soon as a later job has read what happened.
    """
    from_at, to_at = query.period()
    chances = chances_of(services, from_at, to_at, projects=caller().projects)
    return PooledAccuracy(from_at=from_at, to_at=to_at, chances=chances, calibration=services.store.calibrations.verdict())


def chances_of(
    services: Services,
    from_at: datetime,
    to_at: datetime,
    *,
    series: Sequence[str] | None = None,
    job: str | None = None,
    projects: Sequence[str] | None = None,
) -> Chances:
    """Of the days in [from_at, to_at), of the series of one queue and a job or pooled."""
    return Chances.of(services.store.calibrations.by_cell(from_at, to_at, series=series, job=job, projects=projects))
