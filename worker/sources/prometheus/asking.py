"""A Prometheus as its source asks it: names, whole steps, and samples one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from shared.domain.timegrid import EPOCH
from shared.drivers.prometheus import PrometheusServer, Series, ask, listed, names, reach, series_in
from shared.errors import CredentialsRefused, DataError, UnreadableData
from worker.sources.base import MAX_SAMPLES
from worker.sources.prometheus.selectors import Selector

MAX_POINTS = 10_000  # of a series in an answer: the server gives 11,000
MAX_AT_A_TIME = 200_000  # samples of an answer, which take ten times as much here

Floats = NDArray[np.float64]
Instants = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Samples of one series.

    at: milliseconds since 1970, rising.
    """

    labels: Mapping[str, str]
    at: Instants
    values: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What one function makes of the samples of one series.

    values: one for each step, NaN where it has no sample.
    """

    labels: Mapping[str, str]
    values: Floats


class Metrics:
    """The server of a connection. Moments are whole seconds; windows are [start, end) as everywhere here."""

    def __init__(self, server: PrometheusServer) -> None:
        self._server = server

    @cached_property
    def is_open(self) -> bool:
        """Whether its windows are open at their beginning; raises SourceAway within seconds when nothing answers."""
        return reach(self._server)

    def values(self, label: str, selector: Selector | None, span: tuple[datetime, datetime] | None) -> list[str]:
        """The values of a label, of those series that have samples somewhere near the span."""
        return names(self._server, label, _matched(selector, span))

    def labels(self, selector: Selector, span: tuple[datetime, datetime]) -> list[str]:
        """The labels that these series have."""
        return [name for name in listed(ask(self._server, "labels", _matched(selector, span))) if name != "__name__"]

    def series(self, selector: Selector, span: tuple[datetime, datetime]) -> list[Mapping[str, str]]:
        """The labels of each of these series."""
        found = ask(self._server, "series", _matched(selector, span))
        return found if isinstance(found, list) else []

    def kind(self, metric: str) -> str:
        """What the metric is, as those say who are asked for it now; "" = nobody does."""
        try:
            found = ask(self._server, "metadata", {"metric": metric}, method="GET")
        except (DataError, CredentialsRefused):  # not every server has it, or tells it everybody
            return ""
        told = found.get(metric) if isinstance(found, dict) else None
        return str(told[0].get("type", "")) if told else ""

    def count(self, selector: Selector, start: datetime, end: datetime) -> int:
        """How many samples there are."""
        asked = f"sum(count_over_time({selector.over(self._length(_ms(end) - _ms(start)))}))"
        found = series_in(ask(self._server, "query", {"query": asked, "time": _before(_ms(end))}))
        return int(found[0].samples[0][1]) if found else 0

    def steps(self, expression: str, selector: Selector, start: datetime, seconds: int, count: int) -> list[Steps]:
        """What an expression of a window makes of each of so many steps, by series.

        Args:
            expression: `{}` stands for the window.
        """
        asked, first, found = expression.format(selector.over(self._length(seconds * 1_000))), _ms(start), dict[str, Steps]()
        for begin in range(0, count, MAX_POINTS):
            last = min(count, begin + MAX_POINTS)
            ends = [_before(first + 1_000 * seconds * number) for number in (begin + 1, last)]
            form = {"query": asked, "start": ends[0], "end": ends[1], "step": str(seconds)}
            for series in series_in(ask(self._server, "query_range", form)):
                key = repr(sorted(series.labels.items()))
                own = found.setdefault(key, Steps(labels=series.labels, values=np.full(count, np.nan)))
                at, values = _numbers(series)
                number, late = np.divmod(at + 1 - first, 1_000 * seconds)
                if late.any():
                    raise UnreadableData("the server makes steps of other times than it is asked for")
                own.values[number - 1] = values
        return list(found.values())

    def samples(self, selector: Selector, start: datetime, end: datetime) -> list[Samples]:
        """All samples, in so many answers that none of them is large; raises UnreadableData for too many."""
        total = self.count(selector, start, end)
        if total > MAX_SAMPLES:
            raise UnreadableData(f"found more than the accepted {MAX_SAMPLES:,} samples in the history")
        pieces = -(-total // MAX_AT_A_TIME)
        borders = [start + (end - start) * piece / pieces for piece in range(pieces)] + [end]
        found: dict[str, list[Samples]] = {}
        for begin, last in pairwise(borders):
            for own in self.window(selector, begin, last):
                found.setdefault(repr(sorted(own.labels.items())), []).append(own)
        return [_joined(parts) for _, parts in sorted(found.items())]

    def window(self, selector: Selector, start: datetime, end: datetime) -> Iterator[Samples]:
        """All samples of a few, in one answer."""
        first, last = _ms(start), _ms(end)
        asked = {"query": selector.over(last - first), "time": _before(last)}
        for series in series_in(ask(self._server, "query", asked)):
            at, values = _numbers(series)
            inside = at >= first  # it may have one of the millisecond before
            if inside.any():
                yield Samples(labels=series.labels, at=at[inside], values=values[inside])

    def _length(self, milliseconds: int) -> int:
        """Of the window that holds so many milliseconds, the last one among them."""
        return milliseconds if self.is_open else milliseconds - 1


def _ms(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def _before(milliseconds: int) -> str:
    """The last moment before this one, in seconds."""
    return f"{(milliseconds - 1) / 1_000:.3f}"


def _matched(selector: Selector | None, span: tuple[datetime, datetime] | None) -> dict[str, str | Sequence[str]]:
    given: dict[str, str | Sequence[str]] = {} if selector is None else {"match[]": [selector.text]}
    if span:
        given |= {"start": _before(_ms(span[0]) + 1), "end": _before(_ms(span[1]))}
    return given


def _numbers(series: Series) -> tuple[Instants, Floats]:
    at = np.array([round(1_000 * moment) for moment, _ in series.samples], dtype=np.int64)
    return at, np.array([value for _, value in series.samples], dtype=np.float64)


def _joined(parts: Sequence[Samples]) -> Samples:
    at, values = (np.concatenate([getattr(part, name) for part in parts]) for name in ("at", "values"))
    return Samples(labels=parts[0].labels, at=at, values=values)
