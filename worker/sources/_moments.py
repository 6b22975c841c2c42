"""When a queue's rows were taken, whoever kept them: files, and documents whose timestamps are texts or numbers.

Nothing is guessed for all rows together: each is of the kind that it is written in, and two kinds are an error that names both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.domain.losses import Loss
from shared.domain.timegrid import MINUTE, to_epoch
from shared.errors import UnreadableData
from worker.sources._lost import MAX_EXAMPLE, TIMES
from worker.sources._times import ACCEPTED_TIMES, Kind, Times, to_utc
from worker.sources.base import Query

MICROSECONDS = 1_000_000

Instants = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Of rows in the order in which they were written.

    at: microseconds since 1970, UTC. is_readable: whether a row has a time at all. is_known: whether it counts, as it is in the
    history or may still hold in it. is_inside: whether it is in the history.
    """

    at: Instants
    is_readable: Bools
    is_known: Bools
    is_inside: Bools

    def of(self, place: int) -> datetime:
        """When one row was taken."""
        moment: datetime = as_index(self.at[[place]])[0].to_pydatetime()
        return moment


def moments_of(times: Sequence[Times], query: Query) -> Moments:
    """Of rows of several files, or one collection; those of a clock on the wall are of the zone said, else of UTC."""
    at = np.concatenate([utc(some, query.samples_timezone) for some in times])
    is_readable = np.concatenate([some.kinds for some in times]) != Kind.UNREADABLE
    known, start, end = (to_epoch(moment) * MICROSECONDS for moment in (query.known_from, query.start, query.end))
    is_known = is_readable & (at >= known) & (at < end)
    return Moments(at=at, is_readable=is_readable, is_known=is_known, is_inside=is_known & (at >= start))


def utc(times: Times, zone: str | None) -> Instants:
    """The moments of UTC, where those of a clock on the wall are of the zone; None = of UTC."""
    is_local = times.kinds == Kind.LOCAL
    if zone in {None, "UTC"} or not is_local.any():
        return times.moments
    moments = times.moments.copy()
    moments[is_local] = to_utc(moments[is_local], str(zone))
    return moments


def as_index(at: Instants) -> pd.DatetimeIndex:
    """Microseconds since 1970 as times."""
    return pd.DatetimeIndex(at.view("datetime64[us]")).as_unit("ns").tz_localize("UTC")


def refuse_two_kinds(times: Times, examples: Mapping[Kind, str], query: Query, **ids: str) -> None:
    """Raises UnreadableData when timestamps are written in two ways: a guess would be one for each.

    Those with a time zone and those without are one kind where `samples_timezone` says whose the latter are.
    """
    kinds, counts = np.unique(times.kinds[times.kinds != Kind.UNREADABLE], return_counts=True)
    has_zone = {*kinds} == {Kind.ZONED, Kind.LOCAL}
    if len(kinds) < 2 or (has_zone and query.samples_timezone):
        return
    order = np.argsort(-counts, kind="stable")
    found = " and ".join(
        f"{counts[place]:,} {Kind(kinds[place]).words} such as {examples[Kind(kinds[place])][:MAX_EXAMPLE]!r}" for place in order
    )
    rare = as_index(times.moments[times.kinds == kinds[order[-1]]])
    ways = "; or say in `samples_timezone` in which zone those without were written" if has_zone else ""
    raise UnreadableData(
        f"found {found}, the latter from {rare.min():{MINUTE}} to {rare.max():{MINUTE}}; accepted is one kind in every row{ways}",
        **ids,
        queue=query.queue,
        column=query.time_field,
    )


def refuse_no_times(rows: Moments, example: str | None, query: Query, **ids: str) -> None:
    """Raises UnreadableData when there are rows and none of them has a time that can be read."""
    if rows.is_readable.any() or not len(rows.is_readable):
        return
    found = f"but for example {example[:MAX_EXAMPLE]!r}" if example else "all are empty"
    reason = f"found no timestamp in {len(rows.is_readable):,} rows, {found}; accepted are {ACCEPTED_TIMES}"
    raise UnreadableData(reason, **ids, queue=query.queue, column=query.time_field)


def lost_times(rows: Moments, example: str | None, query: Query) -> Iterator[Loss]:
    """Rows whose time cannot be read, between rows whose can: oldest first, or newest first."""
    lost, known = np.flatnonzero(~rows.is_readable), np.flatnonzero(rows.is_readable)
    if not len(lost):
        return
    is_falling = rows.at[known[0]] > rows.at[known[-1]]
    before, after = known[known < lost[0]], known[known > lost[-1]]
    around = (before[-1] if len(before) else known[0], after[0] if len(after) else known[-1])
    first_at, last_at = sorted(rows.of(int(place)) for place in around)
    yield Loss(
        what=TIMES,
        column=query.time_field,
        count=len(lost),
        total=int(rows.is_inside.sum()) + len(lost),
        first_at=first_at,
        last_at=last_at,
        example=example[:MAX_EXAMPLE] if example else None,
        advice=f"accepted are {ACCEPTED_TIMES}",
        is_at_end=not len(before if is_falling else after),
    )


def notes_on_times(times: Iterable[Times], query: Query) -> Iterator[str]:
    """What was assumed about timestamps."""
    for kind in sorted(_kinds(times) - {Kind.UNREADABLE, Kind.ZONED}):
        if kind is Kind.LOCAL:
            yield f"timestamps carry no time zone and were taken as {query.samples_timezone or 'UTC'}"
        else:
            yield f"timestamps are numbers and were read as {kind.name.lower()} since 1970"


def advice_on_times(times: Iterable[Times], query: Query) -> Iterator[str]:
    """What to say of times without a zone, where the request names another zone than the one that was assumed."""
    if query.samples_timezone is None and query.timezone != "UTC" and Kind.LOCAL in _kinds(times):
        yield (
            f"timestamps carry no time zone and were taken as UTC, although `timezone` is {query.timezone}: say in"
            " `samples_timezone` in which zone they were written"
        )


def _kinds(times: Iterable[Times]) -> set[Kind]:
    return {Kind(kind) for some in times for kind in np.unique(some.kinds)}
