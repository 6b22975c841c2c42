"""One queue of a cluster, from two looks at what is kept: the target with covariates, and beside it what tells how to take it.

asked for p95     first look: 95 % quantiles       second look: means of the target, of what is used and waits, saturated steps
asked for mean    first look: means, with those    second look: 95 % quantiles of the target
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta

import pandas as pd

from shared.config.connection import Connection
from shared.connections.yarn import YarnConnection
from shared.domain.collected import ROLLUPS_NAME, QueueSample
from shared.domain.samples import Aggregation
from shared.domain.timegrid import MINUTE
from shared.errors import QueueGone
from worker.sources.base import Query, Reading, plain
from worker.sources.yarn.kept import AMOUNTS, COVARIATES, ROLLED, SATURATED, STEP_SECONDS, Kept, asked_of, kept_for

ROOT = "root"
COLUMNS = frozenset(each.name for each in fields(QueueSample))
SILENT = timedelta(minutes=15)  # after which a queue is gone of which nothing is told, while others are


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """What is asked of the place for a query.

    first_names, second_names: columns there → what they are called here. signs: → what they are called beside the target.
    """

    query: Query
    kept: Kept
    first: Query
    second: Query | None
    first_names: dict[str, str]
    second_names: dict[str, str]
    signs: dict[str, str]

    @property
    def has_means(self) -> bool:
        """Whether the first look has them."""
        return self.query.aggregation is Aggregation.MEAN


def looks_for(query: Query, connection: YarnConnection, kept_at: Connection, now: datetime) -> Looks:
    """The looks for one queue, or for all of them."""
    kept, target, mean = kept_for(query, connection, kept_at, now), query.target, query.aggregation is Aggregation.MEAN
    signs = {} if target is None else _signs(target, kept.table)
    covariates = tuple(name for name in COVARIATES if query.columns is None and name != target)
    wished = (*covariates, *(signs if mean else ()))
    of_second, other = () if mean else tuple(signs), Aggregation.P95 if mean else Aggregation.MEAN
    has_second = target is not None and (kept.table != ROLLUPS_NAME or target in ROLLED)
    second = asked_of(replace(query, columns=()), kept, connection, other, of_second) if has_second else None
    known = (*((target,) if target else ()), *(query.columns or ()))
    return Looks(
        query=query,
        kept=kept,
        first=asked_of(query, kept, connection, query.aggregation, wished),
        second=second,
        first_names=kept.names((*known, *wished), query.aggregation),
        second_names=kept.names((*known[:1], *of_second), other),
        signs=signs,
    )


def _signs(target: str, table: str) -> dict[str, str]:
    signs = {SATURATED[table]: "saturated", "apps_pending": "waiting"}
    if target in AMOUNTS:
        rest = target.partition("_")[2]
        signs |= {f"used_{rest}": "used", f"pending_{rest}": "pending"}
    signs.pop(target, None)
    return signs


def reading_of(looks: Looks, first: Reading, second: Reading | None) -> Reading:
    """The queue's reading; raises QueueGone where it is stopped."""
    frame, target = first.frame.rename(columns=looks.first_names), looks.query.target
    reading = replace(first, frame=frame, newest_at=_newest(looks, first), notes=(looks.kept.says, *first.notes))
    if target is None:
        return reading
    if not looks.query.is_former:
        refuse_stopped(frame, looks.query)
    further = pd.DataFrame() if second is None else second.frame.rename(columns=looks.second_names)
    source = frame if looks.has_means else further
    beside = pd.DataFrame({short: source[name] for name, short in looks.signs.items() if name in source})
    if target in further:
        beside = beside.join(further[target].rename("p95" if looks.has_means else "mean"), how="outer")
    named = (target, *(looks.query.columns or ()), *looks.query.limits.columns)
    known = frame.dropna(axis="columns", how="all")
    kept = [name for name in frame if name in named or (name in known and (name not in looks.signs or name in COVARIATES))]
    return replace(reading, frame=frame[kept], beside=beside.dropna(axis="columns", how="all"))


def _newest(looks: Looks, reading: Reading) -> datetime | None:
    """When the newest sample was taken: of five minutes at their end, so that no step waits for those that are being taken."""
    if reading.newest_at is None or looks.kept.table != ROLLUPS_NAME:
        return reading.newest_at
    return reading.newest_at + timedelta(seconds=STEP_SECONDS - 1)


def refuse_stopped(frame: pd.DataFrame, query: Query) -> None:
    """Raises QueueGone where its limits are told later than what it uses: of a stopped queue nothing else is."""
    limits = [name for name in map(str, frame) if plain(name).startswith(("guaranteed", "maximum"))]
    told, used = frame[limits].dropna(how="all").index, frame[query.target].dropna().index
    if len(told) and len(used) and told[-1] > used[-1]:
        since = query.grid.step_start(used[-1].to_pydatetime(), 2)
        raise QueueGone(f"stopped since {since:{MINUTE}}", last_at=since, queue=query.queue)


def is_silent(reading: Reading, query: Query) -> bool:
    """Whether nothing is told of the queue at the end of the history; what it was called before may be silent."""
    if query.is_former or query.queue == ROOT:
        return False
    return reading.newest_at is not None and reading.newest_at < query.end - SILENT


def refuse_gone(reading: Reading, root: Reading | None, query: Query) -> None:
    """Raises QueueGone where more is known of the root than of the queue: it is not there any more."""
    newest, until = reading.newest_at, None if root is None else root.newest_at
    if newest is not None and until is not None and newest < until - SILENT:
        told = f"gone: the newest that is told of it is of {newest:{MINUTE}}, and of others of {until:{MINUTE}}"
        raise QueueGone(told, last_at=newest, queue=query.queue)


def of_root(query: Query) -> Query:
    """The root at the end of the same history."""
    start = query.grid.bucket_start(query.end - timedelta(days=1))
    return replace(query, queue=ROOT, columns=(), wished=(), start=max(query.start, start))


def of_target(query: Query) -> Query:
    """The target alone."""
    return replace(query, columns=(), wished=())


def of_limits(query: Query) -> Query:
    """What a queue has in the same history, which is told of stopped ones, too."""
    return replace(query, target="guaranteed_memory_mb", columns=(), wished=())


def is_collected(column: str) -> bool:
    """Whether samples have such a column."""
    return column in COLUMNS
