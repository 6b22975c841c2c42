"""A queue's series as callers read it: actual values and a forecast on one time axis."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pydantic import Field

from api.schema.answers import Answer, ForecastTold
from api.schema.changes import ToldChange
from shared.domain.reports import RunFailure


class SeriesPoint(Answer):
    """One step of a queue's series; null = not known."""

    timestamp: datetime = Field(description="start of the step")
    actual: float | None = None
    prediction: float | None = None
    lower_bound: float | None = None
    upper_bound: float | None = None
    quantiles: Mapping[str, float] | None = Field(None, description="of a step of the forecast, by level: q0.05, q0.5")
    components: Mapping[str, float] | None = Field(
        None, description="what a step of the forecast is made of, by name: level, day; they add up to the prediction"
    )


class Series(ForecastTold):
    """Actual values and one forecast of a queue on one time axis, without holes from the first known step to the last."""

    queue: str
    job_id: str
    last_failure: RunFailure | None = Field(description="of a later run, which has left this forecast the last good one")
    gone: str | None = Field(None, description="why its cluster does not have the queue any more; null = it has, or nobody knows")
    configuration_changes: tuple[ToldChange, ...] = Field(
        description="of the queue, seen in the part that is shown, newest first; of a YARN cluster that the caller may see"
    )
    points: list[SeriesPoint]
