"""A query of covariates at a place that may lack columns of `where` and `queue_field`, which the usage has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from shared.domain.identifiers import listed
from shared.errors import DataError
from worker.sources._names import splits
from worker.sources.base import Query, Reading

Read = tuple[str, Reading | DataError]  # of which queue, and what was read of it


def fitted(query: Query, has: Callable[[], Callable[[str], bool]]) -> tuple[Query, tuple[str, ...]]:
    """The query with those of these columns that the place has, and what to say of the others; as it is, where it has a target.

    Of `["queue", "partition"]` a place without partitions is asked for `root.etl` where the usage is that of `root.etl/gpu`.

    Args:
        has: gives whether the place has a column; not asked for where nothing depends on it.
    """
    if query.target is not None or not (query.where or len(query.queue_fields) > 1):
        return query, ()
    is_there = has()
    where = {name: values for name, values in query.where.items() if is_there(name)}
    fields = tuple(filter(is_there, query.queue_fields)) or query.queue_fields[:1]
    own = replace(query, where=where, queue_fields=fields, queue=_name(query, fields))
    lacking = dict.fromkeys(name for name in (*query.where, *query.queue_fields) if name not in {*where, *fields})
    if not lacking:
        return own, ()
    read_as = f", read for {own.queue!r}" if own.queue != query.queue else ""
    return own, (
        f"covariates of {query.place.name} have no column {listed(lacking)}, so `where` and `queue_field` do without{read_as}",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Several queues at a place.

    query: of all of them. names: each as it is asked for, its own query there, and what to say of that.
    """

    query: Query
    names: Sequence[tuple[str, Query, tuple[str, ...]]]

    def as_asked(self, read: Callable[[list[str]], Iterable[Read]]) -> Iterator[Read]:
        """What is read of the queues there, under each name that it is asked for by, with what to say of that.

        Args:
            read: gives what there is of these queues, as they are called there, each of them once.
        """
        called: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
        for name, own, said in self.names:
            called.setdefault(own.queue, []).append((name, said))
        for there, reading in read([*called]) if called else ():
            for name, said in called[there]:
                yield name, reading if isinstance(reading, DataError) else replace(reading, notes=(*said, *reading.notes))


def fitted_names(query: Query, names: Sequence[str], has: Callable[[], Callable[[str], bool]]) -> Fitted:
    """As `fitted`, of each of the queues: a column is asked for once."""
    known = cache(lambda: cache(has()))
    every, _ = fitted(replace(query, queue=""), known)
    return Fitted(query=every, names=[(name, *fitted(replace(query, queue=name), known)) for name in names])


def _name(query: Query, fields: tuple[str, ...]) -> str:
    """What the queue is called by these of its fields, where its name tells it."""
    if not query.queue or fields == query.queue_fields:
        return query.queue
    ways = splits(query.queue, len(query.queue_fields))
    filled = [way for way in ways if all(way)] or [way for way in ways if not any(way[1:])]
    if len(filled) != 1:
        return query.queue
    return "/".join(part for name, part in zip(query.queue_fields, filled[0], strict=True) if name in fields and part)
