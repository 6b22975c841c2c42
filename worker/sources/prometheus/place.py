"""What is true of a place whatever the queue: its columns and labels, what is wrong with those asked for, what to say of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from difflib import get_close_matches

from shared.connections.prometheus import METRIC, METRIC_LABEL, PrometheusConnection
from shared.domain.identifiers import is_column, listed
from shared.errors import DataError, EmptySeries, SourceNotFound, UnreadableData
from worker.sources.base import Query, raise_all
from worker.sources.prometheus.asking import Metrics
from worker.sources.prometheus.selectors import Selector, label_of, selector_of

TIME_NAMES = {"timestamp", "time"}  # samples have no names for it, and requests say `timestamp` unless they say otherwise
COUNTER = "counter"
MAX_NAMED = 10
NO_LOCAL_TIMES = "`samples_timezone` changes nothing here: Prometheus' timestamps are moments, not times of a clock on the wall"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricPlace:
    """A metric, or one whose label names columns, and what there is in the history asked for.

    columns: the names of columns. labels: those of its series.
    """

    metrics: Metrics
    query: Query
    columns: tuple[str, ...]
    labels: frozenset[str]
    said: tuple[str, ...] = ()
    advice: tuple[str, ...] = field(default=())

    @property
    def chosen(self) -> tuple[str, ...]:
        """The columns to read; raises UnreadableData for too many that nobody has named."""
        return self.query.chosen(self._unnamed)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is not read, in plain words."""
        note = self.query.note_unnamed(len(self._unnamed))
        zone = self.query.samples_timezone not in {None, "UTC"}
        return (*self.said, *([note] if note else []), *([NO_LOCAL_TIMES] if zone else []))

    @property
    def _unnamed(self) -> list[str]:
        """The columns that nobody has named, when none are; those that may be the queue's limits come along in any case."""
        others = [name for name in self.columns if name != self.query.target and is_column(name)]
        return others if self.query.columns is None else [name for name in others if self.query.may_be_limit(name)]

    def raise_faults(self) -> None:
        """Raises SourceNotFound, with all that is wrong: columns and labels that are not there."""
        raise_all(list(self._faults()))

    def _faults(self) -> Iterator[DataError]:
        there_are = f"there are {listed(self.columns)}" if self.columns else "it has none"
        metric, query = self.query.place.given[METRIC], self.query
        if query.time_field not in TIME_NAMES:
            yield SourceNotFound(
                f"found no time {query.time_field!r}; that of samples is `timestamp`, columns are {listed(self.columns)}"
            )
        for name in (name for name in query.required if name not in self.columns):
            yield SourceNotFound(f"found no column {name!r} in {metric!r}, {there_are}")
        for name in dict.fromkeys((*query.queue_fields, *query.where)):
            if name not in self.labels:
                where = ", which `where` names" if name in query.where else ""
                yield SourceNotFound(f"found no label {name!r}{where} in {metric!r}, there are {listed(sorted(self.labels))}")


def place_of(connection: PrometheusConnection, metrics: Metrics, query: Query) -> MetricPlace:
    """The place of a query; raises EmptySeries where it has no series in the history, SourceNotFound, UnreadableData."""
    _ = metrics.is_open  # raises within seconds where nothing answers
    metric, label = str(query.place.given[METRIC]), query.place.given.get(METRIC_LABEL)
    span = (query.known_from, query.end)
    whole = Selector(labels={"__name__": (metric,)})
    labels = metrics.labels(whole, span)
    if not labels:
        raise _why_no_series(connection, metrics, query)
    if label is not None:
        columns = [name for name in metrics.values(label, whole, span) if name] if label in labels else []
        raise_all(
            [SourceNotFound(f"found no label {label!r} in {metric!r}, there are {listed(sorted(labels))}")] if not columns else []
        )
    else:
        columns = _metrics_named(connection, metrics, query, span)
    return MetricPlace(
        metrics=metrics,
        query=query,
        columns=tuple(sorted(columns)),
        labels=frozenset(labels),
        advice=tuple(_counted(metrics, metric)),
    )


def has_in(place: MetricPlace) -> Callable[[str], bool]:
    """Whether the place has a label or a column of a name."""
    return {*place.labels, *place.columns}.__contains__


def _metrics_named(
    connection: PrometheusConnection, metrics: Metrics, query: Query, span: tuple[datetime, datetime]
) -> list[str]:
    """Where each metric is a column: that of the place, and the others that are asked for, which must be readable as well."""
    metric = str(query.place.given[METRIC])
    if query.target not in {None, metric}:
        raise SourceNotFound(
            f"found no column {query.target!r} in {metric!r}: a metric's value is called by its name; say `target`: {metric!r},"
            f" or in `{METRIC_LABEL}` which label's values are the columns, such as used_capacity or memory"
        )
    others = [name for name in query.required if name != metric]
    for name in others:
        if not connection.may_read(name):
            raise UnreadableData(f"the column {name!r} is a metric beyond what {query.place.name} is read in: {connection.reach}")
    there = metrics.values("__name__", Selector(labels={"__name__": (metric, *others)}), span)
    for name in others:
        if name not in there:
            raise SourceNotFound(
                f"found no metric {name!r} in the history, and each column is one{_near(connection, metrics, name)}"
            )
    return [name for name in (metric, *others) if name in there]


def _why_no_series(connection: PrometheusConnection, metrics: Metrics, query: Query) -> DataError:
    metric = str(query.place.given[METRIC])
    if metric in metrics.values("__name__", Selector(labels={"__name__": (metric,)}), None):
        return EmptySeries(f"found no sample of {metric!r} in {query.history}")
    return SourceNotFound(f"metric {metric!r} not found{_near(connection, metrics, metric)}")


def _near(connection: PrometheusConnection, metrics: Metrics, name: str) -> str:
    """Names that may be meant, of those that may be read, as a message ends."""
    known = [metric for metric in metrics.values("__name__", None, None) if connection.may_read(metric)]
    near = get_close_matches(name, known, MAX_NAMED) or known
    return f", there are {listed(near, MAX_NAMED)}" if near else ", and no other that may be read"


def _counted(metrics: Metrics, metric: str) -> Iterator[str]:
    """What to say of a counter."""
    if metric.endswith("_total") or metrics.kind(metric) == COUNTER:
        yield (
            f"{metric} is a counter, which only grows until its process starts again: record its rate by a rule of Prometheus'"
            f" (`rate({metric}[5m])`), and forecast that"
        )


def why_nothing(query: Query) -> EmptySeries:
    """There is no series of the queue that has samples in the history asked for."""
    kept = " that `where` keeps" if query.where else ""
    return EmptySeries(f"found no sample of {query.target or 'any column'!r}{kept} in {query.history}", queue=query.queue)


def of_queues(place: MetricPlace, column: str | None, names: Sequence[str]) -> Selector:
    """The series of a column of these queues."""
    return selector_of(place.query, column, names)


def nobodys(place: MetricPlace, column: str) -> Selector:
    """The series of a column that name no queue."""
    field, kept = label_of(place.query.queue_field), selector_of(replace(place.query, queue=""), column)
    return kept.of(field, [text for text in kept.labels.get(field, [""]) if not text])
