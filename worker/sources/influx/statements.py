"""What InfluxDB is asked, as pure data: InfluxQL whose names are quoted, and the values that travel beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from shared.connections.influxdb import POLICY
from shared.domain.places import Place
from shared.domain.samples import Aggregation, Scalar
from shared.domain.timegrid import to_epoch
from shared.drivers.influx import quoted_field, quoted_measurement
from shared.errors import UnreadableData
from worker.sources._names import splits
from worker.sources._resampling import P95
from worker.sources.base import NO_LIMIT, Query

Kinds = Mapping[str, set[str]]  # field → its types: one that was text once and is a number now has two; `TAG` may be among them
TAG = "tag"  # among the types of a field: a tag has its name, too
HUGE = 9e18  # beyond it lies what YARN writes in 64 bits where there is no limit
NUMERIC = frozenset({"float", "integer", "unsigned"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Those that a query means: where they lie, the condition that they meet, and what the `$name`s in it stand for."""

    measurement: str
    conditions: tuple[str, ...]
    values: Mapping[str, Scalar]

    def select(self, columns: str, *further: str, group_by: str = "", tail: str = "") -> str:
        """The statement that reads `columns` of those of them that meet further conditions."""
        met = " AND ".join(f"({condition})" for condition in (*self.conditions, *further))
        where = f" WHERE {met}" if met else ""
        groups = f" GROUP BY {group_by}" if group_by else ""
        return f"SELECT {columns} FROM {self.measurement}{where}{groups}{tail}"  # noqa: S608 - quoted names, values apart


def measurement_of(place: Place) -> str:
    """The measurement as a statement names it."""
    return quoted_measurement(str(place.measurement), place.given.get(POLICY))


def points_of(query: Query, kinds: Kinds) -> Points:
    """The queue's points ("" = those of every queue) that `where` keeps, whatever their time."""
    values: dict[str, Scalar] = {}
    conditions = [*_of_queue(query, kinds, values), *_kept(query, kinds, values)]
    return Points(measurement=measurement_of(query.place), conditions=tuple(conditions), values=values)


def within(query: Query) -> str:
    """Both ends always: without an upper one the server stops at now."""
    return f"time >= {to_epoch(query.start)}s AND time < {to_epoch(query.end)}s"


def number(name: str, kinds: Kinds) -> str:
    """The field as the server is asked for it; of mixed types, a time with only texts is an error to it unless they are cast."""
    return quoted_field(name) if kinds[name] <= NUMERIC else f"{quoted_field(name)}::float"


def steps_statements(query: Query, points: Points, columns: Sequence[str], kinds: Kinds, *, by: str = "") -> str:
    """What is asked for whole steps; the rows have `v0`, `n0`, `low0`, `high0` …: value, count and ends of the columns.

    One for all columns; where numbers stand for "no value" one for each, as a condition is about whole points.

    Args:
        by: tags to keep apart, `*` = all.
    """
    statements = []
    groups = [[place] for place in range(len(columns))] if query.missing_values else [list(range(len(columns)))]
    for group in groups:
        selected = [part for place in group for part in _step(query, columns[place], place, kinds)]
        gaps = [without_missing(query, columns[place], kinds) for place in group if query.missing_values]
        times = f"time({query.step_seconds}s)" + (f", {by}" if by else "")
        tail = " fill(none)" + (f" tz('{zone}')" if (zone := query.grid.day_timezone) else "")
        statements.append(points.select(", ".join(selected), within(query), *gaps, group_by=times, tail=tail))
    return ";".join(statements)


def possible(query: Query, name: str, kinds: Kinds) -> tuple[str, str]:
    """The conditions that a field has a possible number, and that it has none: YARN's "no limit", and what is outside of the
    physical range of the target.
    """
    low, high = query.physical_range if name == query.target else (None, None)
    field = number(name, kinds)
    none = [("!=", "=", value) for value in NO_LIMIT if value < HUGE]
    ends = [(">=", "<", low), ("<=", ">", high), *none, ("<", ">=", HUGE)]
    inside = [f"{field} {is_in} {_literal(end)}" for is_in, _, end in ends if end is not None]
    outside = [f"{field} {is_out} {_literal(end)}" for _, is_out, end in ends if end is not None]
    return " AND ".join(inside), " OR ".join(outside)


def _literal(value: float) -> str:
    """A number as InfluxQL reads it, which knows no exponents."""
    return f"{value:.12f}"


def any_field(query: Query, kinds: Kinds) -> str:
    """The last value of the target, or of any field: what a series has that has points."""
    name = query.target if query.target and query.target in kinds else next(iter(kinds))
    return f"last({quoted_field(name)})"


def _step(query: Query, name: str, place: int, kinds: Kinds) -> Iterator[str]:
    field = number(name, kinds)
    value = f"percentile({field}, {P95})" if query.aggregation is Aggregation.P95 else f"{query.aggregation.value}({field})"
    yield f'{value} AS "v{place}"'
    yield f'count({field}) AS "n{place}"'
    yield f'min({field}) AS "low{place}", max({field}) AS "high{place}"'


def without_missing(query: Query, name: str, kinds: Kinds) -> str:
    """The condition that a field is none of the numbers that mean that there is no value."""
    return " AND ".join(f"{number(name, kinds)} != {_literal(value)}" for value in query.missing_values)


def tag(name: str, kinds: Kinds) -> str:
    """The tag as the server is asked for it, which would take the field of its name."""
    return f"{quoted_field(name)}::tag" if TAG in kinds.get(name, ()) else quoted_field(name)


def _of_queue(query: Query, kinds: Kinds, values: dict[str, Scalar]) -> Iterator[str]:
    """An absent tag is equal to the empty text."""
    if not query.queue:
        return
    ways = []
    for way, parts in enumerate(splits(query.queue, len(query.queue_fields))):
        values |= {f"q{way}_{place}": part for place, part in enumerate(parts)}
        pairs = enumerate(query.queue_fields)
        ways.append(" AND ".join(f"{tag(name, kinds)} = $q{way}_{place}" for place, name in pairs))
    yield " OR ".join(ways)


def _kept(query: Query, kinds: Kinds, values: dict[str, Scalar]) -> Iterator[str]:
    for number_, (name, wanted) in enumerate(query.where.items()):
        types = kinds.get(name, set())
        forms = list(dict.fromkeys(form for value in wanted for form in _forms(name, value, types)))
        texts = list(dict.fromkeys(text_of(value) for value in wanted)) if TAG in types else []
        own = [(quoted_field(name), form) for form in forms] + [(tag(name, kinds), text) for text in texts]
        values |= {f"w{number_}_{place}": form for place, (_, form) in enumerate(own)}
        yield " OR ".join(f"{field} = $w{number_}_{place}" for place, (field, _) in enumerate(own))


def text_of(value: Scalar) -> str:
    """A value of `where` as a tag has it, where all are texts."""
    is_whole = isinstance(value, float) and value.is_integer()
    return f"{value:.0f}" if is_whole else str(value)


def _forms(name: str, value: Scalar, types: set[str]) -> list[Scalar]:
    """A value of `where` as it may stand there: tags are texts, and fields have a type."""
    is_switch = isinstance(value, bool)
    text = text_of(value)
    if not types:
        return [text.lower(), text] if is_switch else [text]
    forms: list[Scalar] = [text.lower() if is_switch else text] if "string" in types else []
    if "boolean" in types and text.lower() in {"true", "false"}:
        forms.append(text.lower() == "true")
    if types & NUMERIC and not is_switch:
        with suppress(ValueError):
            forms.append(float(value))
    if not forms and TAG not in types:
        raise UnreadableData(f"the field {name!r} holds {' and '.join(sorted(types))}, and `where` asks for {value!r}")
    return forms
