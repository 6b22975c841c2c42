"""What a request says of special times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema

from api.schema import fields
from api.schema.forms import Form
from shared.connections.files import FilePath
from shared.domain.occasions import Event, EventFile, Excluded, moment_or_day, moments_of
from shared.domain.places import Place

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


class EventFileBody(Form):
    """An iCal file of known special times, recurring ones included, which is read whenever something is forecast."""

    ical: FilePath = Field(description="path of the file below the connection's folder, such as maintenance.ics")
    name: fields.Label = Field("", description="a connection of kind files; default: that of the source")
    kind: fields.Label = Field("", description="of all its events; default: each event's name")

    def to_file(self, source: str) -> EventFile:
        """As the rest of Queuecast knows it."""
        return EventFile(place=Place(name=self.name or source, path=self.ical), kind=self.kind)


def _event_or_file(value: object) -> str:
    is_file = isinstance(value, EventFileBody) or (isinstance(value, Mapping) and "ical" in value)
    return fields.SEVERAL if is_file else fields.ONE


SpecialTimes = Annotated[
    Annotated[EventBody, Tag(fields.ONE)] | Annotated[EventFileBody, Tag(fields.SEVERAL)], Discriminator(_event_or_file)
]
