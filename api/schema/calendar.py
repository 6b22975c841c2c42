"""What a request says of special times."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from api.schema import fields
from api.schema.forms import Form
from shared.domain.occasions import Event, Excluded, moment_or_day, moments_of

DayOrMoment = Annotated[
    datetime | date,
    BeforeValidator(moment_or_day),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}),
]


class ExcludedBody(Form):
    """A time known to be bad."""

    name: fields.FilledLabel
    start: DayOrMoment = Field(description="a day of `timezone`, or a moment with its zone")
    end: DayOrMoment = Field(description="likewise; a day is part of it, a moment is not")

    def to_excluded(self, timezone: str) -> Excluded:
        """As the rest of Queuecast knows it; raises ValueError for one that does not end after it begins."""
        start, end = moments_of(self.start, self.end, timezone)
        return Excluded(name=self.name, start=start, end=end)


class EventBody(ExcludedBody):
    """A known special time, past or to come."""

    kind: fields.Label = Field("", description="events of one kind are expected to do alike; default: the name")

    def to_event(self, timezone: str) -> Event:
        """As the rest of Queuecast knows it; raises ValueError for one that does not end after it begins."""
        given = self.to_excluded(timezone)
        return Event(name=given.name, start=given.start, end=given.end, kind=self.kind)
