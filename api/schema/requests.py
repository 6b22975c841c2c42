"""Bodies as callers write them: checked here, then they become the values of shared/domain/jobs.py.

Every field is obeyed or refused. What needs connections, models or the clock is checked by api/v1/admission.py.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    create_model,
    field_validator,
)

from api.schema import fields
from api.schema.calendar import EventBody, EventFileBody, ExcludedBody, SpecialTime
from api.schema.forms import Form
from api.schema.limits import LimitsBody
from api.schema.samples import SamplesBody
from api.schema.sizes import Size
from shared.config.connection import place_form
from shared.domain.choice import Effort, Metric, SelectionRule
from shared.domain.codec import Document, from_document
from shared.domain.distribution import HIGHEST, LOWEST
from shared.domain.durations import Duration
from shared.domain.jobs import DataPlaces, JobRequest
from shared.domain.occasions import MAX_EVENT_FILES, MAX_EVENTS, Event, EventFile
from shared.domain.places import Place
from shared.domain.samples import NO_LIMIT_IN_PANEL, Aggregation
from shared.domain.texts import ClusterName
from shared.domain.units import Unit

MAX_SOURCES = 5
MAX_QUANTILES = 20
MAX_HORIZON_STEPS = 10_000
MAX_HISTORY_STEPS = 1_000_000  # a year by the minute is about half of it
MAX_MONTH_SECONDS = 31 * 86_400
MAX_PERIOD_SECONDS = 1_200 * MAX_MONTH_SECONDS  # back or ahead: then every time of a job is one that pandas knows
EXAMPLE: Document = {  # what /docs offers to try; it runs on the embedded default
    "job_name": "Resource Forecasting",
    "user_name": "Bob",
    "data": {"source": {"name": "files", "path": "*.csv"}, "destination": {"name": "files"}},
    "aggregation_time_period": "1h",
    "data_ingestion_time_period": "28d",
    "future_prediction_time_period": "3d",
}


class _NamedPlace(Form):
    name: fields.FilledLabel = Field(description="a configured connection; never a URL")


class PlaceBody(create_model("PlaceForm", __base__=_NamedPlace, **place_form())):  # type: ignore[misc] # what kinds ask for
    """Where data lie: the name of a configured connection, and what that kind of connection asks for."""

    def to_place(self) -> Place:
        """The place as the rest of Queuecast knows it."""
        return from_document(Place, dict(self))


class DataBody(Form):
    """Where the history is read and where the forecast is written."""

    source: Annotated[
        Annotated[PlaceBody, Tag(fields.ONE)] | Annotated[tuple[PlaceBody, ...], Size(MAX_SOURCES, 1), Tag(fields.SEVERAL)],
        Discriminator(fields.one_or_several),
        Field(description="one place, or a list: the first has the target, the others add covariates"),
    ]
    destination: PlaceBody


class JobBody(SamplesBody):
    """A job: what to forecast, from which history, how far ahead."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    job_name: fields.Title = Field(description="with queue, target and issue time the key of a forecast")
    job_description: fields.Prose = ""
    user_name: fields.Label = ""
    project: fields.Label = ""
    owner: fields.Label = ""
    cluster: ClusterName = Field("", description="whose queues these are; part of what a queue is; default: the connection's")
    data: DataBody
    aggregation_time_period: fields.Period = Field(description="length of a step, such as 1h; from 1min to 1w")
    data_ingestion_time_period: Duration = Field(
        description="length of the history, such as 28d, from which weeks can be learned"
    )
    future_prediction_time_period: Duration = Field(description="how far ahead, such as 3d")
    model: fields.Models = Field("auto", description="auto, one name, or a list of names")
    hyperparameters: fields.Hyperparameters = Field(
        {}, description="model → hyperparameter → values to try instead of the default grid"
    )
    queues: Annotated[tuple[fields.QueueName, ...], Size(1_000, 1)] = Field(("*",), description="names or globs")
    accept_losses: fields.Flag = Field(False, description="forecast a queue also from what a large loss has left of its data")
    unit: Unit | None = Field(None, description="what the target is counted in; null = guessed from its name and values")
    limits: LimitsBody | None = Field(None, description="what a queue has and what it can get, in the target's unit")
    aggregation: Aggregation = Field(
        Aggregation.MEAN,
        description="how the samples of a step become one value; of a cluster p95 where nothing is said, else mean",
    )
    backtest_windows: Annotated[fields.WholeNumber, Field(ge=1, le=20)] | None = Field(
        None, description="how many side by side; null = one a day of cheap candidates, up to 14, and 3 of others"
    )
    effort: Effort = Field(
        Effort.NORMAL,
        description="what auto tries; fast: arithmetic; normal: dear models too where there is something to gain; thorough: all",
    )
    selection: SelectionRule = Field(
        SelectionRule.LOWEST_MAPE,
        description="lowest_mape: of all candidates; robust: a blend or a cheaper model where the lowest is hardly better",
    )
    metric: Metric = Field(Metric.MAPE, description="what candidates are compared by")
    baselines: fields.Flag = Field(True, description="whether baselines compete; false: only those that are named")
    interval: Annotated[fields.Number, Field(ge=0.5, le=0.99)] = Field(0.9, description="coverage of lower and upper bound")
    quantiles: Annotated[tuple[Annotated[fields.Number, Field(ge=LOWEST, le=HIGHEST)], ...], Size(MAX_QUANTILES)] = Field(
        (), description="levels to deliver beside 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99 and those of the bounds"
    )
    bounds: Annotated[tuple[fields.Number | None, fields.Number | None], Size(2)] = Field(
        (0.0, None), description="physical range; null = open"
    )
    timezone: fields.TimeZone = Field(
        "UTC", description="of days and weeks: those of its wall clock, at whose midnight steps of whole days begin"
    )
    holidays: fields.Holidays = Field(
        None, description="a country such as DE, a part of one such as DE-BY, or a list of these and of dates"
    )
    events: Annotated[tuple[SpecialTime, ...], Size(MAX_EVENTS)] = Field(
        (),
        description="known special times, past and to come: a list of objects with name, start, end, kind, or with ical, kind",
    )
    exclude: Annotated[tuple[ExcludedBody, ...], Size(MAX_EVENTS)] = Field(
        (), description="times known to be bad, of which nothing is learned: a list of objects with name, start, end"
    )
    as_of: fields.Moment | None = Field(None, description="the end of the history; null = now")
    deadline: fields.Deadline = Field(Duration(1, "h"), description="the job ends by then; from 1min to 7d")
    max_candidates: Annotated[fields.WholeNumber, Field(ge=1, le=100_000)] = 2_000

    @field_validator("data_ingestion_time_period")
    @classmethod
    def _history_has_steps(cls, history: Duration, info: ValidationInfo) -> Duration:
        return _check_steps(history, info, most=MAX_HISTORY_STEPS, least=1)

    @field_validator("future_prediction_time_period")
    @classmethod
    def _horizon_has_steps(cls, horizon: Duration, info: ValidationInfo) -> Duration:
        return _check_steps(horizon, info, most=MAX_HORIZON_STEPS)

    @field_validator("limits")
    @classmethod
    def _limits_are_columns_of_their_own(cls, limits: LimitsBody | None, info: ValidationInfo) -> LimitsBody | None:
        for name in ("target", "time_field", "queue_field"):
            known = info.data.get(name) or ()
            taken = {known} if isinstance(known, str) else {*known}
            for column in limits.to_limits().columns if limits else ():
                if column in taken:
                    raise ValueError(f"{column!r} is the {name}; accepted are numbers, and other columns of numbers")
        if limits and info.data.get("queues_from_columns"):
            for column in limits.to_limits().columns:
                raise ValueError(f"{column!r} {NO_LIMIT_IN_PANEL}")
        return limits

    @field_validator("events", "exclude")
    @classmethod
    def _times_end(cls, times: tuple[Form, ...], info: ValidationInfo) -> tuple[Form, ...]:
        for time in times if "timezone" in info.data else ():  # a wrong zone has its own error
            if isinstance(time, ExcludedBody):
                time.to_excluded(info.data["timezone"])
        if (files := sum(isinstance(time, EventFileBody) for time in times)) > MAX_EVENT_FILES:
            raise ValueError(f"found {files} iCal files, accepted are {MAX_EVENT_FILES}")
        return times

    @field_validator("bounds")
    @classmethod
    def _bounds_are_in_order(cls, bounds: tuple[float | None, float | None]) -> tuple[float | None, float | None]:
        lower, upper = bounds
        if lower is not None and upper is not None and lower >= upper:
            raise ValueError(f"the lower bound {lower:g} is not below the upper bound {upper:g}")
        return bounds

    def to_request(self) -> JobRequest:
        """The request as the rest of Queuecast knows it."""
        given = self.data.source
        source = given.to_place() if isinstance(given, PlaceBody) else tuple(place.to_place() for place in given)
        places = DataPlaces(source=source, destination=self.data.destination.to_place())
        limits = self.limits.to_limits() if self.limits else None
        times = {
            "events": tuple(self._special_time(each, places.sources[0].name) for each in self.events),
            "exclude": tuple(time.to_excluded(self.timezone) for time in self.exclude),
        }
        return JobRequest(**(dict(self) | {"data": places, "limits": limits} | times | self.of_samples()))

    def _special_time(self, given: EventBody | EventFileBody, source: str) -> Event | EventFile:
        return given.to_event(self.timezone) if isinstance(given, EventBody) else given.to_file(source)


class CancelBody(Form):
    """Nothing: a job is cancelled as a whole."""


class RetryBody(Form):
    """What to try again."""

    queues: fields.TriedAgain = Field(
        "failed", description="failed: those without a forecast; all: every queue; or a list of names: these alone"
    )


def _check_steps(length: Duration, info: ValidationInfo, *, most: int, least: int = 0) -> Duration:
    """The length, if its number of steps is accepted; steps are not counted without a valid period, which has its own error."""
    period: Duration | None = info.data.get("aggregation_time_period")
    seconds = length.seconds if length.is_fixed else length.count * MAX_MONTH_SECONDS
    if seconds > MAX_PERIOD_SECONDS:
        raise ValueError(f"{length} is longer than the accepted 100 years")
    if period is not None and not least <= seconds // period.seconds <= most:
        raise ValueError(f"{length} has {seconds // period.seconds} steps of {period}; accepted are {least or 1} to {most}")
    return length
