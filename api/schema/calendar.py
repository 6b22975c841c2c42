"""What a request says of special times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, WithJsonSchema

from api.schema import fields
from api.schema.forms import Form
from shared.connections.files import FilePath
from shared.domain.occasions import ICAL, Event, EventFile, Excluded, moment_or_day, moments_of

DayOrMoment = Annotated[
    datetime | date,
    BeforeValidator(moment_or_day),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}),
]


class ExcludedBody(Form):
    """A time known to be bad."""

    name: fields.PlainLabel
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


def _is_calendar(path: str) -> str:
    if not path.lower().endswith(ICAL):
        raise ValueError(f"{path[:60]!r} is not accepted; accepted are paths that end in {ICAL}")
    return path


CalendarPath = Annotated[FilePath, AfterValidator(_is_calendar)]


class EventFileBody(Form):
    """An iCal file of known special times, recurring ones included, which is read whenever something is forecast."""

    ical: CalendarPath = Field(description="path of the file below the connection's folder, such as maintenance.ics")
    name: fields.Label = Field("", description="a connection of kind files; default: that of the source")
    kind: fields.Label = Field("", description="of all its events; default: each event's name")

    def to_file(self, source: str) -> EventFile:
        """As the rest of Queuecast knows it; `source`: the connection that is meant where none is named."""
        return EventFile(ical=self.ical, name=self.name or source, kind=self.kind)


def _event_or_file(value: object) -> str:
    is_file = isinstance(value, EventFileBody) or (isinstance(value, Mapping) and "ical" in value)
    return fields.SEVERAL if is_file else fields.ONE


SpecialTime = Annotated[
    Annotated[EventBody, Tag(fields.ONE)] | Annotated[EventFileBody, Tag(fields.SEVERAL)], Discriminator(_event_or_file)
]
