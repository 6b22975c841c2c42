"""When the newest sample of queues was taken, and the oldest before the history; and samples that name no queue."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from shared.domain.losses import Loss
from shared.errors import DataError
from worker.sources._lost import nameless
from worker.sources.base import Query
from worker.sources.prometheus.asking import Samples
from worker.sources.prometheus.place import MetricPlace, nobodys, of_queues
from worker.sources.prometheus.selectors import name_in

HOUR = timedelta(hours=1)
PIECE = timedelta(hours=6)  # in which the oldest sample is looked for, once it is known that there is one
PRESENT = "count_over_time({})"


def newest_of(place: MetricPlace, column: str, steps: Mapping[str, datetime]) -> dict[str, datetime]:
    """By queue, when its newest sample in the step that begins then was taken: mostly in the last hour of it."""
    found: dict[str, datetime] = {}
    for start in set(steps.values()):
        end = place.query.grid.step_start(start, 2)
        for begin in dict.fromkeys((max(start, end - HOUR), start)):
            if left := [name for name, own in steps.items() if own == start and name not in found]:
                found |= _ends(place, place.metrics.samples(of_queues(place, column, left), begin, end), max)
    return found


def oldest_of(place: MetricPlace, names: Sequence[str]) -> dict[str, datetime]:
    """By queue, when its first sample of the weeks before the history was taken, where one was."""
    earlier, column = place.query.earlier, place.query.target
    if earlier is None or column is None:
        return {}
    count = -((earlier.start - earlier.end) // PIECE)
    begin, selector = earlier.end - count * PIECE, of_queues(place, column, names)
    first: dict[str, int] = {}
    found: dict[str, datetime] = {}
    try:
        for steps in place.metrics.steps(PRESENT, selector, begin, int(PIECE.total_seconds()), count):
            name = str(name_in(place.query, steps.labels))
            first[name] = min(first.get(name, count), int(np.argmax(steps.values > 0)))
        for number in set(first.values()):
            own = [name for name in names if first.get(name) == number]
            start = begin + number * PIECE
            found |= _ends(place, place.metrics.samples(of_queues(place, column, own), start, start + PIECE), min)
    except DataError:  # too much for the server: it only adds to what is told
        return {}
    return found


def _ends(place: MetricPlace, found: Sequence[Samples], end: Callable[[datetime, datetime], datetime]) -> dict[str, datetime]:
    ends: dict[str, datetime] = {}
    for samples in found:
        name = str(name_in(place.query, samples.labels))
        for at in (samples.at[0], samples.at[-1]):
            moment = datetime.fromtimestamp(int(at) / 1_000, UTC)
            ends[name] = end(ends.get(name, moment), moment)
    return ends


class Nameless:
    """The samples of a column in the history that name no queue, looked at once for all queues that are read together."""

    def __init__(self, place: MetricPlace, column: str) -> None:
        self._place, self._column, query = place, column, place.query
        self._count = place.metrics.count(nobodys(place, column), query.start, query.end)
        self._ends = self._first_and_last() if self._count else (query.start, query.start)

    def losses(self, query: Query, rows: int) -> Iterator[Loss]:
        """Beside so many rows of the queue."""
        if self._count:
            example = f"the sample of {self._ends[0]:%Y-%m-%dT%H:%M:%SZ}"
            yield nameless(query, self._count, self._ends, example, own=rows, every=self._every)

    def _every(self) -> int:
        query = self._place.query
        return self._place.metrics.count(of_queues(self._place, self._column, ()), query.start, query.end)

    def _first_and_last(self) -> tuple[datetime, datetime]:
        """The steps of both, or the hours where steps are days of a time zone."""
        query = self._place.query
        length = timedelta(seconds=query.step_seconds) if query.grid.zone is None else HOUR
        count = -((query.start - query.end) // length)
        steps = self._place.metrics.steps(
            f"sum({PRESENT})", nobodys(self._place, self._column), query.start, int(length.total_seconds()), count
        )
        there = np.flatnonzero(steps[0].values > 0)
        return query.start + int(there[0]) * length, query.start + int(there[-1]) * length
