"""The overview as a tree: each queue below its parents, by the dots in its name.

root            3 below, the worst of them: likely at limit
  etl           has a forecast of its own, and 2 below
    nightly
    hourly
  adhoc
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from api.dashboard.overview import Row, risk_of

Path = tuple[str, str, str]  # project, cluster, name
MAX_DEPTH = 7  # that is indented


@dataclass(slots=True, kw_only=True)
class Place:
    """A name in the tree. rows: forecasts of it, several where jobs or targets differ; () = it is a parent only."""

    path: Path
    depth: int
    rows: list[Row] = field(default_factory=list)
    below: list[Place] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path[2].rpartition(".")[2] or self.path[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the list. below: how many queues with a forecast are below it; worst: the one of those most at risk."""

    depth: int
    name: str
    path: Path
    row: Row | None
    below: int = 0
    worst: Row | None = None


def has_parents(rows: Iterable[Row]) -> bool:
    """Whether names are paths."""
    return any("." in row.forecast.queue.strip(".") for row in rows)


def entries_of(rows: Sequence[Row]) -> list[Entry]:
    """Lines for all of them and their parents; those below one parent are in the order in which the rows come."""
    top, known = list[Place](), dict[Path, Place]()
    for row in rows:
        project, cluster, queue = row.key
        _place(top, known, (project, cluster, queue)).rows.append(row)
    return [entry for place in top for entry in _entries(place)]


def page_of(entries: Sequence[Entry], first: int, size: int) -> list[Entry]:
    """So many lines from `first` on, after the parents of the first one, which stand on an earlier page."""
    shown = [*entries[first : first + size]]
    above, depth = list[Entry](), shown[0].depth if shown else 0
    for entry in reversed(entries[:first]):
        if entry.depth < depth:
            above.insert(0, entry)
            depth = entry.depth
    return above + shown


def _place(top: list[Place], known: dict[Path, Place], path: Path) -> Place:
    if path in known:
        return known[path]
    project, cluster, name = path
    parent = name.rpartition(".")[0]
    above = _place(top, known, (project, cluster, parent)) if parent else None
    known[path] = place = Place(path=path, depth=above.depth + 1 if above else 0)
    (above.below if above else top).append(place)
    return place


def _entries(place: Place) -> Iterator[Entry]:
    inside = [row for child in place.below for row in _all_rows(child)]
    entry = Entry(
        depth=min(place.depth, MAX_DEPTH),
        name=place.name,
        path=place.path,
        row=None,
        below=len({row.key for row in inside}),
        worst=max(inside, key=risk_of, default=None),
    )
    yield from [replace(entry, row=row) for row in place.rows] or [entry]
    for child in place.below:
        yield from _entries(child)


def _all_rows(place: Place) -> Iterator[Row]:
    yield from place.rows
    for child in place.below:
        yield from _all_rows(child)
