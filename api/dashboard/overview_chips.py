"""The filters of the overview as chips: each a link that sets one field of the address, with how many queues it leads to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import quote, urlencode

from flask import url_for

from api.dashboard.overview import SHARE, STATES, OverviewQuery, Row, is_asked_for, may_pass
from api.dashboard.words import number

MAX_CHIPS = 12  # of one field whose values come from data; those with most queues
LEVELS = ("level", "state")
FROM_DATA: Mapping[str, str] = {  # field of the query → attribute of the forecast
    "cluster": "cluster",
    "project": "project",
    "target": "metric",
    "job": "job",
    "model": "model",
}
STATE_WORDS = {"over": "no forecast of what is ahead", "stale": "forecast is old", "failed": "last job failed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """One value of a field. address: with it, or where `is_on` without it; queues: how many the list has then."""

    label: str
    address: str
    queues: int
    is_on: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The values of one field. others: how many more there are, which have fewer queues."""

    name: str
    chips: Sequence[Chip]
    others: int = 0


def address_of(query: OverviewQuery, **changes: object) -> str:
    """The page with something changed, from its first part on; None takes a value away."""
    return _address("dashboard.overview", query, changes)


def export_of(query: OverviewQuery) -> str:
    """The same list as a file."""
    return _address("dashboard.overview_csv", query, {"view": None})


def _address(endpoint: str, query: OverviewQuery, changes: Mapping[str, object]) -> str:
    given: dict[str, object] = query.model_dump(mode="json", exclude_defaults=True) | {"page": None, **changes}
    if given.get("reverse") is not None:
        given["reverse"] = "true" if given["reverse"] else None
    asked = urlencode({name: value for name, value in given.items() if value is not None}, quote_via=quote)
    return f"{url_for(endpoint)}?{asked}" if asked else url_for(endpoint)


def hidden_fields(query: OverviewQuery) -> dict[str, object]:
    """What a form keeps of the address, whose own field is the name."""
    given = query.model_dump(mode="json", exclude_defaults=True, exclude={"q", "page"})
    return given | ({"reverse": "true"} if query.reverse else {})


def risk_chips(rows: Sequence[Row], query: OverviewQuery, levels: Iterable[float]) -> list[Chip]:
    """All queues; those that may pass each level, or their share; those whose forecast needs a look."""
    asked = _without(query, LEVELS)
    rows = [row for row in rows if is_asked_for(row, asked)]

    def chip(name: str, value: float | str | None, label: str, is_so: Callable[[Row], bool]) -> Chip:
        is_on = getattr(query, name) == value
        others = {other: None for other in LEVELS if other != name}
        address = address_of(query, **others, **{name: None if is_on else value})
        return Chip(label=label, address=address, queues=len({row.key for row in rows if is_so(row)}), is_on=is_on)

    passing: list[float | str] = [*sorted(levels, reverse=True), SHARE]
    found = [chip("level", level, _level_words(level), partial(may_pass, level=level)) for level in passing]
    found += [chip("state", state, STATE_WORDS[state], is_so) for state, is_so in STATES.items()]
    every = chip("level", None, "all", lambda _: True)
    return [replace(every, is_on=every.is_on and not query.state), *(each for each in found if each.queues or each.is_on)]


def more_chips(rows: Sequence[Row], query: OverviewQuery, jobs: Sequence[str]) -> list[Group]:
    """Of each field in which the queues differ its values.

    Args:
        jobs: names of all jobs; of those whose forecasts were replaced by another job's the list has none until it is asked for.
    """
    matches = [row for row in rows if is_asked_for(row, query)]
    groups = (_group(rows, matches, query, name, jobs if name == "job" else ()) for name in FROM_DATA)
    return [group for group in groups if group is not None]


def _group(rows: Sequence[Row], matches: Sequence[Row], query: OverviewQuery, name: str, values: Sequence[str]) -> Group | None:
    asked_for, queues = getattr(query, name), {value: set[object]() for value in values}
    is_on = asked_for not in {None, ""} or (name == "project" and asked_for == "")
    if is_on:
        asked = _without(query, (name,))
        matches = [row for row in rows if is_asked_for(row, asked)]
    for row in matches:
        queues.setdefault(getattr(row.forecast, FROM_DATA[name]), set()).add(row.key)
    if len(queues) < 2 and not is_on:
        return None
    most = sorted(queues.items(), key=lambda each: (each[0] != asked_for, -len(each[1]), each[0]))
    chips = [
        Chip(
            label=value or "no project",
            address=address_of(query, **{name: None if value == asked_for else value}),
            queues=len(keys),
            is_on=is_on and value == asked_for,
        )
        for value, keys in most[:MAX_CHIPS]
    ]
    return Group(name=name, chips=chips, others=max(0, len(most) - MAX_CHIPS))


def given_chips(query: OverviewQuery) -> Iterator[tuple[str, str]]:
    """What narrows the list, each with the address without it; fields whose chips are always there are left out."""
    for name in ("q", *FROM_DATA):
        value = getattr(query, name)
        if value not in {None, ""} or (name == "project" and value == ""):
            yield f"{'name has' if name == 'q' else name} {value or 'none'}", address_of(query, **{name: None})


def _level_words(level: float | str) -> str:
    if isinstance(level, str):
        return "may use more than their share"
    return "may reach their limit" if level >= 100 else f"may pass {number(level)}\u202f%"


def _without(query: OverviewQuery, names: Sequence[str]) -> OverviewQuery:
    fields = OverviewQuery.model_fields
    return query.model_copy(update={name: fields[name].default for name in names})
