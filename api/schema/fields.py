"""The texts, numbers and times that requests are made of, each with what it accepts.

Nothing is converted silently: "3" is no number, 1 is no text, and a time without a zone is no moment.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Strict,
    Tag,
    WithJsonSchema,
)

from api.schema.sizes import Size
from shared.domain import identifiers
from shared.domain.durations import Duration
from shared.domain.jobs import Hyperparameter
from shared.domain.samples import DELAYS
from shared.domain.texts import COUNTRY, DAY, MAX_DATES, SHORT, UNPLAIN, Text, holidays_of
from shared.domain.timegrid import MAX_TIME, MIN_TIME
from shared.domain.whatif import AMOUNT, AMOUNTS, Amount, parse_lost
from shared.domain.wording import json_kind

MAX_MODELS = 50
MAX_TRIED_AGAIN = 1_000  # queues by name
MAX_GRID_VALUES = 1_000  # of all hyperparameters of a request
MAX_WHOLE_NUMBER = 2**53  # beyond it JSON's numbers lose digits
ZONES_OF_NO_PLACE = {"localtime", "Factory"}  # listed by the operating system, but no IANA names of a place
ONE, SEVERAL = "(one)", "(several)"  # tags of unions; pydantic puts them into the `loc` of errors, where refusals.py drops them
EXAMPLES = {  # field → a value that says more than that a list or an object is accepted
    "queues": '["root.*"]',
    "columns": '["allocated_mb"]',
    "regressors": '["planned_load"]',
    "bounds": "[0, 100]",
    "hyperparameters": '{"seasonal_naive": {"days": [1, 7]}}',
}
MOMENT_FORM = (
    "ISO 8601 with a time zone, such as 2026-01-05T00:00:00Z (in an address, + is written %2B), "
    f"from {MIN_TIME.year} to {MAX_TIME.year - 1}"
)

# Of a file; what a database may be asked for is told at admission.
COLUMN = Text(rf"[^{UNPLAIN}]+", identifiers.MAX_NAME, "names without control characters")

_time_zones = cache(available_timezones)  # it reads a folder


def _queue(name: str) -> str:
    """What may name a queue, or be a glob of such names."""
    if reason := identifiers.why_no_queue(name):
        raise ValueError(f"{name[:60]!r} is not accepted: {reason}")
    return name


def _seen(text: str) -> str:
    if not identifiers.alike(text):
        raise ValueError(f"{text[:60]!r} is not accepted: nothing of it is to be seen")
    return text


def _time_zone(name: str) -> str:
    if name not in _time_zones() or name in ZONES_OF_NO_PLACE:
        raise ValueError(f"{name[:60]!r} is no time zone; accepted are IANA names such as Europe/Berlin")
    return name


def _moment(value: object) -> datetime:
    """The moment in UTC."""
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
        if moment.tzinfo is not None and MIN_TIME <= moment < MAX_TIME:
            return moment.astimezone(UTC)
    except ValueError:
        pass  # refused below, like a time without a zone
    shown = repr(value[:40]) if isinstance(value, str) else json_kind(value)
    raise ValueError(f"{shown} is no moment; accepted is {MOMENT_FORM}")


def _models(value: object) -> object:
    """One name stands for a list of one; the names themselves are checked next."""
    if isinstance(value, str | list):
        Size(MAX_MODELS, 1).check(value)
        return [value] if isinstance(value, str) and value != "auto" else value
    raise ValueError("accepted are auto, the name of a model, or a list of names")


def one_or_several(value: object) -> str:
    """The discriminator of a field that takes one value or a list: only errors of the list carry an index."""
    return SEVERAL if isinstance(value, list | tuple) else ONE


def _hyperparameter(value: object) -> object:
    match value:
        case bool():
            return value
        case float() if math.isfinite(value):
            return value
        case int() if abs(value) <= MAX_WHOLE_NUMBER:
            return value
        case str():
            return SHORT.check(value)
    raise ValueError("accepted are finite numbers, short texts, true and false")


def _condition(value: object) -> object:
    """What a cell may have to be; "" = nothing is in it."""
    return value if value == "" else _hyperparameter(value)


def _limit(value: object) -> object:
    """A number above zero, or the name of a column."""
    match value:
        case None:
            return None
        case str():
            return COLUMN.check(value)
        case int() | float() if not isinstance(value, bool) and math.isfinite(value) and value > 0:
            return float(value)
    raise ValueError("accepted are numbers above zero, and names of columns")


def _grids(value: object) -> object:
    """Limits the number of values of all hyperparameters together; wrong types are found by the checks that follow."""
    grids = [grid for grid in value.values() if isinstance(grid, dict)] if isinstance(value, dict) else []
    count = sum(len(values) if isinstance(values, list) else 1 for grid in grids for values in grid.values())
    if count > MAX_GRID_VALUES:
        raise ValueError(f"found {count} values in all, accepted are at most {MAX_GRID_VALUES}")
    return value


def _between(least: Duration, most: Duration) -> AfterValidator:
    def check(duration: Duration) -> Duration:
        duration.refuse_outside(least, most)
        return duration

    return AfterValidator(check)


def _two_forms(one: Mapping[str, object], many: Mapping[str, object], most: int, least: int = 0) -> WithJsonSchema:
    """The schema of a field that takes one text or a list."""
    return WithJsonSchema({"anyOf": [one, {"type": "array", "items": many, "minItems": least, "maxItems": most}]})


_MODEL = {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,62}$"}
# A job's name becomes a tag of InfluxDB: never empty, no backslash at its end.
_TITLE = rf"([^\s{UNPLAIN}][^{UNPLAIN}]*)?[^\s\\{UNPLAIN}]"

Label = Annotated[str, Text(f"[^{UNPLAIN}]*", 200, "texts without control characters")]
FilledLabel = Annotated[str, SHORT]  # also of what was stored before
PlainLabel = Annotated[str, Text(f"[^{UNPLAIN}]+", 200, "texts without control characters, not empty")]
QueueName = Annotated[str, SHORT, AfterValidator(_queue)]
Prose = Annotated[
    str, Text(r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*", 2_000, "texts without control characters but line breaks")
]
Title = Annotated[
    str,
    Text(_TITLE, 200, "texts without control characters, without spaces around them, not ending in a backslash"),
    AfterValidator(_seen),
]
ModelName = Annotated[str, Text(_MODEL["pattern"][1:-1], 63, "small letters, digits and _, beginning with a letter")]
ColumnName = Annotated[str, COLUMN]
Models = Annotated[
    Annotated[tuple[ModelName, ...], Tag(SEVERAL)] | Annotated[Literal["auto"], Tag(ONE)],
    Discriminator(one_or_several),
    BeforeValidator(_models),
    _two_forms(_MODEL, _MODEL, MAX_MODELS, 1),
]
TriedAgain = Annotated[
    Annotated[tuple[QueueName, ...], Size(MAX_TRIED_AGAIN, 1), Tag(SEVERAL)] | Annotated[Literal["failed", "all"], Tag(ONE)],
    Discriminator(one_or_several),
]
Holidays = Annotated[
    tuple[date | str, ...] | str | None,
    BeforeValidator(lambda given: None if given is None else holidays_of(given)),
    _two_forms(
        {"type": ["string", "null"], "pattern": f"^{COUNTRY}$"}, {"type": "string", "pattern": f"^({DAY}|{COUNTRY})$"}, MAX_DATES
    ),
]
TimeZone = Annotated[str, Field(max_length=64), AfterValidator(_time_zone)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Period = Annotated[Duration, _between(Duration(1, "min"), Duration(1, "w"))]
Deadline = Annotated[Duration, _between(Duration(1, "min"), Duration(7, "d"))]
Delay = Annotated[Duration, _between(*DELAYS)]
Ahead = Annotated[Duration, _between(Duration(1, "min"), Duration(400, "d"))]
Capacity = Annotated[
    Amount,
    BeforeValidator(lambda given: Amount.parse(str(given))),
    WithJsonSchema({"type": "string", "pattern": f"^{AMOUNT}$", "description": AMOUNTS}),
]
LostNodes = Annotated[
    float, BeforeValidator(lambda given: parse_lost(str(given))), WithJsonSchema({"type": "string", "pattern": r"^[0-9.]+%$"})
]
Flag = Annotated[bool, Strict()]
WholeNumber = Annotated[int, Strict()]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
ConditionValue = Annotated[Hyperparameter, BeforeValidator(_condition)]
Condition = Annotated[
    Annotated[tuple[ConditionValue, ...], Size(100, 1), Tag(SEVERAL)] | Annotated[ConditionValue, Tag(ONE)],
    Discriminator(one_or_several),
]
Limit = Annotated[
    float | str | None,
    BeforeValidator(_limit),
    WithJsonSchema(
        {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string", "maxLength": COLUMN.most}, {"type": "null"}]}
    ),
]
HyperparameterValue = Annotated[Hyperparameter, BeforeValidator(_hyperparameter)]
Hyperparameters = Annotated[
    dict[
        ModelName,
        Annotated[dict[ModelName, Annotated[tuple[HyperparameterValue, ...], Size(100, 1)]], Size(50)],
    ],
    BeforeValidator(_grids),
    Size(50),
]
