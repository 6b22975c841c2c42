"""One queue's samples, one by one: merged where its series are one thing, refused where they are several."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.domain.losses import Loss
from shared.errors import EmptySeries, UnreadableData
from worker.prepare.step_times import ends_of, starts_of
from worker.sources._lost import BROKEN, lost_cells, outside_range
from worker.sources._moments import as_index
from worker.sources._numbers import read_numbers
from worker.sources._resampling import resample
from worker.sources._several import concurrent, looked_at, refuse_unasked
from worker.sources.base import Query, Reading
from worker.sources.prometheus.asking import Samples
from worker.sources.prometheus.place import MetricPlace, of_queues, why_nothing
from worker.sources.prometheus.selectors import name_in

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Points:
    """Samples as `refuse_unasked` takes them."""

    tags: Mapping[str, str]
    rows: Sequence[tuple[float, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """A column's samples, one of each moment.

    usable: by time, NaN where there is no number of use. rows: samples in the history, those of one moment each.
    """

    usable: pd.Series
    rows: int
    losses: tuple[Loss, ...]


def read_samples(place: MetricPlace, query: Query) -> Reading:
    """The history of one queue; raises EmptySeries, UnreadableData."""
    columns = {name: _column(place, query, name) for name in place.chosen}
    first = columns[query.target or next(iter(columns))]
    inside = {name: column.usable[column.usable.index >= pd.Timestamp(query.start)] for name, column in columns.items()}
    judged = pd.DataFrame({name: inside[name] for name in query.judged(columns)}).dropna(how="all")
    losses = tuple(loss for column in columns.values() for loss in column.losses)
    if judged.empty:
        raise _why_empty(query, first, losses)
    samples = pd.DataFrame({name: column.usable for name, column in columns.items()})
    frame = resample(samples, start=query.start, end=query.end, grid=query.grid, aggregation=query.aggregation)
    moments = len(inside[query.target or next(iter(columns))])
    unasked = [name for name in frame if name not in query.required]
    return Reading(
        frame=frame.drop(columns=[name for name in unasked if frame[name].isna().all()]),
        rows=first.rows,
        duplicates=first.rows - moments,
        non_finite=moments - int(inside[query.target or next(iter(columns))].notna().sum()),
        newest_at=judged.index[-1].to_pydatetime() if query.target else None,
        losses=losses,
    )


def _column(place: MetricPlace, query: Query, name: str) -> _Column:
    found = place.metrics.samples(of_queues(place, name, [query.queue]), query.known_from, query.end)
    own = [samples for samples in found if name_in(query, samples.labels) == query.queue]
    if len(own) > 1 and name in query.judged([name]):
        _refuse_several(query, own)
    at = np.concatenate([samples.at for samples in own]) if own else np.empty(0, dtype=np.int64)
    values = np.concatenate([samples.values for samples in own]) if own else np.empty(0)
    order = np.argsort(at, kind="stable")
    cells = pd.Series(values[order], index=as_index(1_000 * at[order]))
    rows = int((cells.index >= pd.Timestamp(query.start)).sum())
    return _judged(cells[~cells.index.duplicated(keep="last")], query, name, rows)


def _judged(cells: pd.Series, query: Query, name: str, rows: int) -> _Column:
    """The numbers of use; what is lost of the history is told, but for values that say that there is none."""
    import pyarrow as pa

    numbers = read_numbers(pa.chunked_array([pa.array(cells.to_numpy(), pa.float64())]), query.csv)
    values = np.where(np.isin(numbers.values, query.missing_values), np.nan, numbers.values)
    low, high = query.physical_range if name == query.target else (None, None)
    is_outside = (values < (-np.inf if low is None else low)) | (values > (np.inf if high is None else high))
    inside = np.asarray(cells.index >= pd.Timestamp(query.start))
    total = int((np.isfinite(values) | numbers.is_broken)[inside].sum())
    usable = cells.where(np.isfinite(values) & ~is_outside)
    ends = usable[inside].set_axis(ends_of(query.grid, pd.DatetimeIndex(cells.index[inside])) - pd.Timedelta(microseconds=1))
    broken, outside = (list(_lost(cells[mask & inside])) for mask in (numbers.is_broken, is_outside))
    losses = [lost_cells(BROKEN, name, broken, ends, advice="accepted are finite numbers", total=total)] if broken else []
    losses += [outside_range(query, outside, ends, total=total)] if outside else []
    return _Column(usable=usable, rows=rows, losses=tuple(losses))


def _lost(cells: pd.Series) -> Iterator[tuple[pd.Timestamp, str]]:
    for at, value in cells.items():
        yield pd.Timestamp(str(at)), f"{value:.16g}"


def _refuse_several(query: Query, own: Sequence[Samples]) -> None:
    """Raises UnreadableData where the queue's series are several things, such as partitions, or replicas that do not agree."""
    series = [(samples, pd.Series(samples.values, index=as_index(1_000 * samples.at))) for samples in own]
    tables = {
        tuple(sorted(samples.labels.items())): cells.replace([np.inf, -np.inf], np.nan)
        .groupby(starts_of(query.grid, pd.DatetimeIndex(cells.index)))
        .mean()
        .to_frame("value")
        for samples, cells in series
    }
    steps = looked_at(concurrent(tables, "value"))
    points = [
        _Points(
            tags=samples.labels, rows=list(zip((samples.at[mask] / 1_000).tolist(), samples.values[mask].tolist(), strict=True))
        )
        for samples, cells in series
        for mask in [np.asarray(starts_of(query.grid, pd.DatetimeIndex(cells.index)).isin(steps))]
    ]
    if steps:
        refuse_unasked(query, tables, "value", points)


def _why_empty(query: Query, column: _Column, losses: Sequence[Loss]) -> EmptySeries | UnreadableData:
    if losses:
        return UnreadableData(losses[0].text, queue=query.queue)
    if column.rows:
        what = query.target or "any column"
        return EmptySeries(f"none of the {column.rows:,} values of {what!r} is a finite number", queue=query.queue)
    return why_nothing(query)
