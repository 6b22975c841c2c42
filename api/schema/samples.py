"""What a request says of the samples it reads: the columns, the rows that count, and how cells are written."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator, model_validator

from api.schema import fields
from api.schema.forms import Form
from api.schema.sizes import Size
from shared.domain.durations import Duration
from shared.domain.jobs import QUEUE_FIELD
from shared.domain.samples import CsvForm, Fill, FillMethod, Scalar

MAX_QUEUE_FIELDS = 5
MAX_CONDITIONS = 10
MAX_MISSING = 20
MAX_REGRESSORS = 20

Sign = Annotated[str, Field(min_length=1, max_length=1)]


class CsvBody(Form):
    """How CSV files are written; what is not said is guessed from each file, and told."""

    separator: Sign | None = Field(None, description="between cells, such as ; or a tab")
    decimal: Annotated[str, Field(pattern=r"^[.,]$")] | None = Field(None, description="before decimals: . or ,")
    thousands: Annotated[str, Field(pattern=r"^[.,' ]$")] | None = Field(None, description="between thousands, such as .")

    @model_validator(mode="after")
    def _signs_differ(self) -> Self:
        if self.decimal and self.decimal == self.thousands:
            raise ValueError(f"{self.decimal!r} stands before decimals and between thousands; accepted are different signs")
        return self

    def to_form(self) -> CsvForm:
        """As the rest of Queuecast knows it."""
        return CsvForm(**dict(self))


class FillBody(Form):
    """What stands in for steps without a sample."""

    method: FillMethod | None = Field(
        None, description="a line, the previous day, or nothing; null = a line for up to six steps, else the previous day"
    )
    longest: Duration | None = Field(None, description="a longer gap stays one, such as 6h; null = none is too long")

    def to_fill(self) -> Fill:
        """As the rest of Queuecast knows it."""
        return Fill(**dict(self))


class SamplesBody(Form):
    """Which columns and rows of a source are read, and what their cells mean."""

    target: fields.ColumnName = Field(
        "used_capacity", description="the column to forecast; demand_memory_mb where the source is a cluster and nothing is said"
    )
    time_field: fields.ColumnName = "timestamp"
    queue_field: Annotated[
        Annotated[tuple[fields.ColumnName, ...], Size(MAX_QUEUE_FIELDS, 1), Tag(fields.SEVERAL)]
        | Annotated[fields.ColumnName, Tag(fields.ONE)],
        Discriminator(fields.one_or_several),
        Field(description="the column that names the queue, or a list: the values make the name, as in root.etl/gpu"),
    ] = Field(QUEUE_FIELD, validate_default=True)
    columns: Annotated[tuple[fields.ColumnName, ...] | None, Size(100)] = Field(
        None, description="further columns to read; null = all numeric ones"
    )
    regressors: Annotated[tuple[fields.ColumnName, ...], Size(MAX_REGRESSORS)] = Field(
        (), description="columns whose values go beyond the cutoff, such as a planned load"
    )
    where: Annotated[dict[fields.ColumnName, fields.Condition], Size(MAX_CONDITIONS)] = Field(
        {}, description="column → a value or a list of values: only rows that have one of them there"
    )
    samples_timezone: fields.TimeZone | None = Field(None, description="of timestamps that carry none; null = UTC")
    csv: CsvBody | None = Field(None, description="files: how CSV is written; null = guessed")
    missing_values: Annotated[tuple[fields.Number, ...], Size(MAX_MISSING)] = Field(
        (), description="numbers that mean that there is no value, such as -1"
    )
    ingestion_delay: fields.Delay | None = Field(
        None, description="samples younger than this are not there yet: the history ends before; up to 31d"
    )
    fill: FillBody | None = Field(
        None, description="how gaps are filled; null = up to six steps by a line, else by the day before"
    )
    queues_from_columns: fields.Flag = Field(False, description="files: each column but the time is a queue")

    @field_validator("queue_field")
    @classmethod
    def _columns_differ(cls, queue: str | tuple[str, ...], info: ValidationInfo) -> str | tuple[str, ...]:
        queues = (queue,) if isinstance(queue, str) else queue
        named = [name for name in (info.data.get("target"), info.data.get("time_field"), *queues) if name]
        if len(set(named)) < len(named):
            raise ValueError(f"target, time_field and queue_field must be different columns, found {', '.join(named)}")
        return queue

    @field_validator("queues_from_columns")
    @classmethod
    def _panel_has_no_other_columns(cls, is_panel: bool, info: ValidationInfo) -> bool:
        others = {
            "queue_field": info.data.get("queue_field", QUEUE_FIELD) != QUEUE_FIELD,
            "columns": bool(info.data.get("columns")),
            "regressors": bool(info.data.get("regressors")),
        }
        if is_panel and (named := [name for name, is_given in others.items() if is_given]):
            raise ValueError(f"each column but the time is a queue then; accepted is that or `{named[0]}`")
        return is_panel

    @field_validator("regressors")
    @classmethod
    def _regressors_are_others(cls, regressors: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        for name in regressors:
            if name == info.data.get("target"):
                raise ValueError(f"{name!r} is the target, whose future is what is asked for; accepted are other columns")
            if name in (info.data.get("columns") or ()):
                raise ValueError(f"{name!r} is one of `columns`, of which only the past is known; accepted is one of both")
        if len(set(regressors)) < len(regressors):
            raise ValueError("one is named twice; accepted are different columns")
        return regressors

    @field_validator("columns", "regressors")
    @classmethod
    def _columns_are_of_numbers(cls, columns: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        for name in ("time_field", "queue_field"):
            known = info.data.get(name) or ()
            for column in (known,) if isinstance(known, str) else known:
                if column in (columns or ()):
                    raise ValueError(f"{column!r} is the {name}; accepted are columns of numbers")
        return columns

    def of_samples(self) -> dict[str, object]:
        """What of it the rest of Queuecast knows otherwise."""
        where: dict[str, tuple[Scalar, ...]] = {
            name: given if isinstance(given, tuple) else (given,) for name, given in self.where.items()
        }
        fill = self.fill.to_fill() if self.fill else Fill()
        return {"where": where, "csv": self.csv.to_form() if self.csv else CsvForm(), "fill": fill}
