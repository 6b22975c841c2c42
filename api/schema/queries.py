"""What callers write into an address or a header: checked like a body, and nothing in it is null."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schema import fields
from api.schema.forms import Form
from shared.domain.codec import Document
from shared.domain.jobs import JobFilter, JobState
from shared.domain.samples import Aggregation
from shared.domain.whatif import MAX_SCALE, MIN_SCALE, Change

MAX_STEP_SECONDS = 2**53  # far beyond any step
MAX_POINTS = 100_000  # of one answered series


def _never_null(schema: Document) -> None:
    """Leave null out of the schema of a query or header: what is not given is left out there, nothing is null."""
    for name, field in schema["properties"].items():
        accepted = [form for form in field.get("anyOf", []) if form != {"type": "null"}]
        if len(accepted) == 1:
            rest = {key: value for key, value in field.items() if key not in {"anyOf", "default"}}
            schema["properties"][name] = rest | accepted[0]


class Query(Form):
    """What callers write into an address."""

    model_config = ConfigDict(json_schema_extra=_never_null)


class JobsQuery(Query):
    """Which jobs to list."""

    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=500, description="next_cursor of the page before")
    state: JobState | None = None
    owner: fields.Label | None = None
    project: fields.Label | None = None
    user_name: fields.Label | None = None
    queue: fields.QueueName | None = Field(None, description="jobs that forecast this queue")
    model: fields.FilledLabel | None = Field(None, description="jobs where this model won")
    hidden: bool = Field(False, description="also jobs of names that are hidden from lists")

    def to_filter(self) -> JobFilter:
        """What the store is asked for."""
        return JobFilter(**self.model_dump(exclude={"limit", "cursor", "hidden"}))


class QueuesQuery(Query):
    """Which queues to list."""

    hidden: bool = Field(False, description="also forecasts of jobs whose names are hidden from lists")


class ProjectQuery(Query):
    """Whose."""

    project: fields.Label = Field("", description="whose; default: the caller's only one, else none")


class SeriesChoice(Query):
    """Which series of a queue; needed where several have its name."""

    cluster: fields.Label | None = Field(None, description="as the queue's forecasts say it")
    project: fields.Label | None = None
    target: fields.ColumnName | None = Field(None, description="the column that is forecast")
    metric: fields.ColumnName | None = Field(None, description="the same as target")
    where: fields.Label | None = Field(None, description="as the queue's forecasts say it")
    step_seconds: int | None = Field(
        None, ge=1, le=MAX_STEP_SECONDS, description="of forecasts; default: those of the newest one"
    )
    aggregation: Aggregation | None = Field(None, description="likewise")
    day_timezone: fields.Label | None = Field(None, description="likewise; empty = their steps are of UTC")
    job: fields.FilledLabel | None = Field(None, description="name of the job; default: that of the newest forecast")
    job_id: fields.FilledLabel | None = Field(
        None, description="the forecast that this very job has made; nothing else counts then"
    )


class PathsChoice(Query):
    """What is told of a forecast's joint paths."""

    paths: bool = Field(False, description="whether to answer the paths themselves, which are kept of newest forecasts")
    level: float | None = Field(None, allow_inf_nan=False, description="a level of which to tell how likely it is exceeded")


class SeriesQuery(SeriesChoice, PathsChoice):
    """Which part of a queue's series to show."""

    from_at: fields.Moment | None = Field(None, alias="from", description="default: a week before the forecast")
    to_at: fields.Moment | None = Field(None, alias="to", description="default: the end of the forecast")
    issued_at: fields.Moment | None = Field(None, description="default: the newest forecast")
    points: int | None = Field(
        None,
        ge=100,
        le=MAX_POINTS,
        description="about so many at most: of neighbouring steps the one with the highest value",
    )
    format: Literal["json", "csv"] = "json"
    unit: Literal["percent"] | None = Field(
        None, description="percent: of what the queue is guaranteed now; default: that of the forecast"
    )


class OutlookQuery(SeriesChoice):
    """What to tell of what is ahead, and what would be otherwise."""

    horizon: fields.Ahead | None = Field(None, description="at most so far ahead, such as 24h; default: all that is forecast")
    capacity: fields.Capacity | None = Field(
        None,
        description="what if so much were guaranteed: a number in the unit of the forecast (48), a share (30%) or a multiple of "
        "what it is now (1.2x); a share is one of the forecast's own percentages, of amounts such as MB it is one of what the "
        "parent is guaranteed",
    )
    ceiling: fields.Capacity | None = Field(None, description="what if that were the most that it can get; likewise")
    scale: float | None = Field(
        None, ge=MIN_SCALE, le=MAX_SCALE, description="what if so many times as much were wanted: 1.2 = a fifth more"
    )
    nodes: fields.LostNodes | None = Field(
        None, description="what if so much of the cluster were lost, such as 10%: guarantees and ceilings shrink with it"
    )

    parent: fields.QueueName | None = Field(
        None,
        description="what if it were below this queue, such as root.other; shares are then of what that is guaranteed, and the "
        "answer has both parents and the siblings there before and after",
    )

    @property
    def change(self) -> Change:
        """What would be otherwise."""
        return Change(capacity=self.capacity, ceiling=self.ceiling, scale=self.scale or 1.0, lost=self.nodes or 0.0)


class SubmitHeaders(BaseModel):
    """Headers of a submitted job."""

    model_config = ConfigDict(json_schema_extra=_never_null)

    idempotency_key: Annotated[str, fields.Text("[!-~]+", 200, "visible ASCII characters")] | None = Field(
        None, alias="Idempotency-Key", description="the same key and request give the same job, however often they are sent"
    )
