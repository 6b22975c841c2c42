"""PrometheusSource: a metric of a Prometheus, or of what speaks its HTTP API; whole steps are made in the server where it can."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain

import numpy as np

from shared.connections.prometheus import PrometheusConnection
from shared.errors import DataError, EmptySeries
from worker.sources import sources
from worker.sources._covariates import fitted, fitted_names
from worker.sources.base import MAX_TOGETHER, Query, Reading, ScannedSource, SourceView, check_count, fitting_together
from worker.sources.prometheus.asking import Metrics
from worker.sources.prometheus.ends import PRESENT, Nameless, oldest_of
from worker.sources.prometheus.place import MetricPlace, has_in, of_queues, place_of
from worker.sources.prometheus.pushed import can_push, usual_queues
from worker.sources.prometheus.samples import read_samples
from worker.sources.prometheus.selectors import label_of, name_in, selector_of

MAX_ASKED = 8_000  # characters of names in a question: servers take twice as much and more
MAX_LOOKS = 1_000  # windows in which the ends of a history are looked for


@sources.register("prometheus")
class PrometheusSource(ScannedSource):
    """Queues are the values of the labels `queue_field`; columns are metrics by their names, or the values of a label of one.

    Two samples of one series and time cannot be. Markers of staleness are no samples: a series that ends leaves a gap.
    """

    def __init__(self, connection: PrometheusConnection) -> None:
        self._connection = connection
        self._metrics = Metrics(connection.server())

    def queues(self, query: Query) -> list[str]:
        """Every queue that has samples near the history, sorted; raises SourceNotFound with what there is instead."""
        return self._queues(self._place(query))

    def check(self, query: Query) -> SourceView:
        """Look at names, labels and the ends of the history; says all that is wrong at once."""
        place = self._place(query)
        queues, columns = self._queues(place), place.chosen
        start_at, end_at = self._span(place, columns)
        notes = (*place.notes, *place.advice)
        return SourceView(queues=tuple(queues), columns=columns, start_at=start_at, end_at=end_at, notes=notes)

    def scan(self, query: Query, names: Sequence[str]) -> Iterator[tuple[str, Reading | DataError]]:
        """What `read` gives or raises for each of the queues, a few hundred in one question.

        Raises:
            SourceNotFound, EmptySeries, UnreadableData: of the place as a whole.
        """
        place = place_of(self._connection, self._metrics, query)
        at_place = fitted_names(query, names, lambda: has_in(place))
        place = replace(place, query=at_place.query)
        place.raise_faults()
        yield from at_place.as_asked(lambda own: chain.from_iterable(_readings(place, some) for some in _in_parts(own)))

    def together(self, query: Query, queues: int) -> int:
        """As many as may be kept at a time; none where each sample is needed."""
        if not can_push(query):
            return 0
        columns = len(self._place(query).chosen)
        return min(queues, fitting_together(query, columns), MAX_TOGETHER)

    def _place(self, query: Query) -> MetricPlace:
        place = place_of(self._connection, self._metrics, query)
        own, said = fitted(query, lambda: has_in(place))
        place = replace(place, query=own, said=said)
        place.raise_faults()
        return place

    def _queues(self, place: MetricPlace) -> list[str]:
        query, span = place.query, (place.query.known_from, place.query.end)
        every = of_queues(place, query.target, ())
        if len(query.queue_fields) == 1:
            names = {name for name in self._metrics.values(label_of(query.queue_field), every, span) if name}
        else:
            found = self._metrics.series(every, span)
            check_count(found, query.queue_field)
            names = {name for labels in found if (name := name_in(query, labels))}
        check_count(names, query.queue_field)
        if not names:
            kept = " that `where` keeps" if query.where else ""
            raise EmptySeries(f"found no sample{kept} with a label {query.queue_field!r} in {query.history}")
        return sorted(names)

    def _span(self, place: MetricPlace, columns: Sequence[str]) -> tuple[datetime | None, datetime | None]:
        """First and last sample of the first column in the history asked for, as exactly as it matters."""
        query = place.query
        seconds = max(60, int((query.end - query.start).total_seconds()) // MAX_LOOKS)
        count = -((query.start - query.end) // timedelta(seconds=seconds))
        selector = selector_of(query, columns[0], [query.queue] if query.queue else [])
        steps = self._metrics.steps(f"sum({PRESENT})", selector, query.start, seconds, count)
        there = np.flatnonzero(steps[0].values > 0) if steps else np.empty(0)
        if not len(there):
            return None, None
        first, last = (query.start + timedelta(seconds=seconds * int(place)) for place in (there[0], there[-1]))
        return first, last


def _readings(place: MetricPlace, names: Sequence[str]) -> Iterator[tuple[str, Reading | DataError]]:
    """Of a few queues: those that are as they should be together, each of the others by itself."""
    usual, oldest = usual_queues(place, names), oldest_of(place, names)
    nobodys = Nameless(place, place.chosen[0])
    for name in names:
        query = replace(place.query, queue=name)
        try:
            found = usual.get(name) or read_samples(place, query)
            yield (
                name,
                replace(
                    found,
                    oldest_at=oldest.get(name),
                    losses=(*found.losses, *nobodys.losses(query, found.rows)),
                    notes=place.notes,
                    advice=place.advice,
                ),
            )
        except DataError as error:
            yield name, error


def _in_parts(names: Sequence[str]) -> Iterator[list[str]]:
    """The names, so many at a time as a question may have."""
    part: list[str] = []
    for name in names:
        if part and sum(map(len, part)) + len(name) > MAX_ASKED:
            yield part
            part = []
        part.append(name)
    if part:
        yield part
