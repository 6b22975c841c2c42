"""A measurement that forecasts were written to, as a migration reads, writes and deletes in it: all its fields and tags."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.drivers.influx import (
    ErrorTypes,
    InfluxServer,
    Series,
    query,
    quoted_field,
    quoted_measurement,
    quoted_place,
)
from shared.drivers.influx_write import write_lines
from shared.errors import CredentialsRefused, SinkAway, SinkNotFound, SinkRefused

ERRORS = ErrorTypes(away=SinkAway, missing=SinkNotFound, refused=SinkRefused)
Tags = Mapping[str, str]
NO_TAGS: Tags = {}
CASTS = {"float": float, "integer": int, "string": str, "boolean": bool}  # JSON has one kind of number
MARGIN_SECONDS = 600  # points that their policy drops so soon cannot be written back
_UNIT_SECONDS = {"h": 3_600, "m": 60, "s": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One point."""

    tags: Tags
    time: int
    values: Mapping[str, str | int | float | bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A retention policy; `name` None = what a server has that knows none. What is older than `since` it has dropped, or will."""

    name: str | None = None
    since: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One measurement of a database, in every retention policy."""

    server: InfluxServer
    database: str
    name: str

    def policies(self) -> list[Policy]:
        """Those of the database: a DELETE means all of them."""
        if self.server.version != "1":
            return [Policy()]
        answer = self._ask("SHOW RETENTION POLICIES")
        return [Policy(name=str(row[0]), since=_since(str(row[1]))) for series in answer for row in series.rows]

    def kinds(self) -> dict[str, str]:
        """The fields and their types; none = it is not there. Raises SinkRefused for a field of two types: no work of ours."""
        kinds: dict[str, str] = {}
        answer = self._ask(f"SHOW FIELD KEYS FROM {quoted_place(self.name)}")
        for name, kind in (row for series in answer for row in series.rows):
            if kinds.setdefault(name, kind) != kind or kind not in CASTS:
                found = f"{kinds[name]} and {kind}" if kinds[name] != kind else kind
                raise SinkRefused(f"the field {name!r} of {self.name} is {found}; accepted is one type of {', '.join(CASTS)}")
        return kinds

    def count(self, policy: Policy, when: str = "", *, field: str = "prediction") -> int:
        """How many points have the field."""
        return sum(int(row[1]) for series in self.select(f'count("{field}")', policy, when) for row in series.rows)

    def ends(self, policy: Policy) -> tuple[int, int] | None:
        """When the first and the last point are; None = there is none."""
        answers = [self.select(f'{end}("prediction")', policy) for end in ("first", "last")]
        moments = [int(series.rows[0][0]) for answer in answers for series in answer]
        return (moments[0], moments[1]) if moments else None

    def rows(self, kinds: Mapping[str, str], policy: Policy, when: str, tags: Tags = NO_TAGS) -> Iterator[Row]:
        """The points that match, with the fields of these names and types."""
        fields = ", ".join(map(quoted_field, kinds))
        for series in self.select(fields, policy, when, tags, by="*"):
            own = {name: tag for name, tag in series.tags.items() if tag}
            for time, *cells in series.rows:
                given = {name: cell for name, cell in zip(kinds, cells, strict=True) if cell is not None}
                yield Row(tags=own, time=time, values={name: CASTS[kinds[name]](cell) for name, cell in given.items()})

    def select(self, what: str, policy: Policy, when: str = "", tags: Tags = NO_TAGS, *, by: str = "") -> list[Series]:
        """The answer to a question about the points that match and that the policy still keeps.

        Args:
            when: a condition on `time`. tags: values of tags, "" = points without the tag.
        """
        parts = [when, *_same(tags), *([] if policy.since is None else [f"time >= {policy.since}s"])]
        where = " AND ".join(part for part in parts if part)
        statement = f"SELECT {what} FROM {quoted_measurement(self.name, policy.name)}"  # noqa: S608 - quoted
        return self._ask(statement + (f" WHERE {where}" if where else "") + (f" GROUP BY {by}" if by else ""), tags)

    def write(self, rows: Sequence[Row], policy: Policy) -> None:
        """Write points; those of equal tags and time are replaced."""
        write_lines(self.server, self.database, [_line(self.name, row) for row in rows], ERRORS, policy=policy.name)

    def delete(self, when: str, tags: Tags) -> None:
        """Delete the points that match, in every retention policy."""
        where = " AND ".join([when, *_same(tags)])
        self._ask(f"DELETE FROM {quoted_place(self.name)} WHERE {where}", tags)  # noqa: S608 - quoted

    def empty(self) -> None:
        """Delete all points, in every retention policy. Only an administrator of version 1 makes the names of fields go, too."""
        try:
            self._ask(f"DROP MEASUREMENT {quoted_place(self.name)}")
        except CredentialsRefused:
            self._ask(f"DELETE FROM {quoted_place(self.name)}")  # noqa: S608 - quoted

    def _ask(self, statement: str, tags: Tags = NO_TAGS) -> list[Series]:
        return query(self.server, statement, ERRORS, database=self.database, **tags)


def _same(tags: Tags) -> list[str]:
    return [f'"{name}" = ${name}' for name in tags]


def _line(measurement: str, row: Row) -> str:
    from influxdb_client.client.write.point import Point

    point = Point(measurement).time(row.time, write_precision="s")
    for name, tag in row.tags.items():
        point.tag(name, tag)
    for name, value in row.values.items():
        point.field(name, value)
    return str(point.to_line_protocol())


def _since(duration: str) -> int | None:
    """The oldest moment that a policy of this duration (`168h0m0s`) keeps for a while; None = it keeps everything."""
    seconds = sum(int(count) * _UNIT_SECONDS[unit] for count, unit in re.findall(r"(\d+)([hms])", duration))
    return int(datetime.now(UTC).timestamp()) - seconds + MARGIN_SECONDS if seconds else None
