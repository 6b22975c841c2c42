"""One queue's samples as what a source gives: whole steps, and everything that was lost on the way, counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain

import numpy as np
import pandas as pd

from shared.domain.identifiers import listed
from shared.domain.losses import Loss
from shared.domain.samples import Aggregation
from shared.domain.timegrid import MINUTE
from shared.domain.units import Unit, unit_of
from shared.errors import EmptySeries
from worker.prepare.step_times import ends_of
from worker.sources._decimals import all_in_doubt
from worker.sources._lost import BROKEN, TEXTS, lost_cells, outside_range
from worker.sources._moments import advice_on_times, as_index, lost_times, moments_of, notes_on_times
from worker.sources._resampling import last_of_each_moment, resample
from worker.sources.base import Query, Reading
from worker.sources.files.columns import Column
from worker.sources.files.covariates import most_related
from worker.sources.files.parts import Part
from worker.sources.files.ragged import LINE
from worker.sources.files.samples import Samples, read_samples, unreadable

WHOLE = (Unit.BYTES, Unit.MEGABYTES, Unit.VCORES, Unit.COUNT)  # units of which nobody has a thousandth
LINES = "lines with too few or too many cells"
QUOTED = "lines inside of a quote that nobody closed"
ADVICE = {
    LINES: "text with the sign between cells in it belongs into quotes",
    QUOTED: "quotes belong in pairs: look at the line before",
}


def reading_of(parts: Sequence[Part], query: Query) -> tuple[Reading, Samples]:
    """What the parts of a queue come to; raises EmptySeries, UnreadableData."""
    samples = read_samples(parts, query)
    inside = samples.frame(samples.rows.is_inside)
    unique = last_of_each_moment(inside)
    judged = [name for name in query.judged(unique.columns) if name in unique.columns]
    moments = len(unique)
    usable = unique.index[np.flatnonzero(np.any([np.isfinite(unique[name].to_numpy()) for name in judged], axis=0))]
    losses = tuple(_losses(parts, samples, query))
    if usable.empty:
        raise EmptySeries(_why_empty(parts, samples, losses, query), last_at=_newest(parts, samples), queue=query.queue)
    if query.aggregation is Aggregation.TIME_WEIGHTED_MEAN:  # what was said before the history holds in it
        unique = last_of_each_moment(samples.frame(samples.rows.is_known))
    steps = resample(unique, start=query.start, end=query.end, grid=query.grid, aggregation=query.aggregation)
    frame, note = most_related(steps, query)
    times = [part.times for part in parts]
    reading = Reading(
        frame=frame,
        rows=len(inside),
        duplicates=len(inside) - moments,
        non_finite=moments - len(usable),
        newest_at=usable[-1].to_pydatetime(),
        oldest_at=_oldest(parts, samples, query),
        losses=losses,
        notes=tuple(chain(notes_on_times(times, query), _notes(samples), [note] if note else [])),
        advice=tuple(chain(advice_on_times(times, query), _doubts(samples, query))),
    )
    return reading, samples


def _losses(parts: Sequence[Part], samples: Samples, query: Query) -> Iterator[Loss]:
    for name, column in samples.columns.items():
        for what, mask, advice in (
            (TEXTS, column.is_text, "accepted are numbers; say in `csv` by which signs they are written, or mend them"),
            (BROKEN, column.is_broken, "accepted are finite numbers"),
        ):
            if lost := _cells(samples, name, mask & samples.rows.is_inside):
                yield lost_cells(what, name, lost, _usable(samples, column, query), advice=advice, total=column.filled)
        if name == query.target and (lost := _cells(samples, name, column.is_outside & samples.rows.is_inside)):
            yield outside_range(query, lost, _usable(samples, column, query), total=column.filled)
    yield from lost_times(samples.rows, unreadable(parts), query)
    yield from _lost_lines(LINES, [part.lines for part in parts if part.lines], samples, query)
    yield from _lost_lines(QUOTED, [part.quoted for part in parts if part.quoted], samples, query)


def _usable(samples: Samples, column: Column, query: Query) -> pd.Series:
    """What is left of a column. A value counts until its step ends: what is lost after it in that step leaves the end whole."""
    ends = ends_of(query.grid, as_index(samples.rows.at[samples.rows.is_inside])) - pd.Timedelta(microseconds=1)
    return pd.Series(column.values[samples.rows.is_inside], index=ends)


def _cells(samples: Samples, name: str, mask: np.ndarray) -> list[tuple[pd.Timestamp, str]]:
    places = np.flatnonzero(mask)
    if not len(places):
        return []
    column = samples.columns[name]
    return list(zip(as_index(samples.rows.at[places]), [column.written(int(place)) for place in places], strict=True))


def _lost_lines(what: str, lines: Sequence[Part], samples: Samples, query: Query) -> Iterator[Loss]:
    """Lines of the queue that are no rows; where their time can be read only those in the history."""
    if not lines:
        return
    moments = moments_of([some.times for some in lines], query)
    is_counted = ~moments.is_readable | moments.is_inside
    if not is_counted.any():
        return
    known, newest = as_index(moments.at[moments.is_inside]), as_index(samples.rows.at[samples.rows.is_inside])
    yield Loss(
        what=what,
        count=int(is_counted.sum()),
        total=int(samples.rows.is_inside.sum() + is_counted.sum()),
        first_at=known.min().to_pydatetime() if len(known) else None,
        last_at=known.max().to_pydatetime() if len(known) else None,
        example=[text for some in lines for text in some.cells[LINE].to_pylist()][int(np.argmax(is_counted))],
        advice=ADVICE[what],
        is_at_end=bool(len(known) and len(newest) and known.max() >= ends_of(query.grid, newest)[-1]),
    )


def _why_empty(parts: Sequence[Part], samples: Samples, losses: Sequence[Loss], query: Query) -> str:
    if count := int(samples.rows.is_inside.sum()):
        reason = f"none of the {count:,} values of {query.target or 'any column'!r} is a finite number"
    else:
        reason = _where(parts, samples, query)
    return "; ".join([*(loss.text for loss in losses), reason])


def _newest(parts: Sequence[Part], samples: Samples) -> datetime | None:
    """Of rows outside of the history, when there are none in it."""
    if samples.rows.is_inside.any() or not (ends := _ends(parts, samples)):
        return None
    newest: datetime = as_index(np.array([max(last for _, last, _ in ends)]))[0].to_pydatetime()
    return newest


def _ends(parts: Sequence[Part], samples: Samples) -> list[tuple[int, int, int]]:
    """First and last moment of rows in and outside of the history, and how many there are."""
    moments = samples.rows.at[samples.rows.is_readable]
    near = [(int(moments.min()), int(moments.max()), len(moments))] if len(moments) else []
    return [*(part.outside for part in parts if part.outside[2]), *near]


def _where(parts: Sequence[Part], samples: Samples, query: Query) -> str:
    """Where its rows lie, if not in the history."""
    if not (ends := _ends(parts, samples)):
        return "found no row of it"
    first, last, count = min(end[0] for end in ends), max(end[1] for end in ends), sum(end[2] for end in ends)
    first_at, last_at = as_index(np.array([first, last]))
    return f"found {count:,} rows from {first_at:{MINUTE}} to {last_at:{MINUTE}}, none in {query.history}"


def _oldest(parts: Sequence[Part], samples: Samples, query: Query) -> datetime | None:
    """The first row before the history, which was seen by the way."""
    ends = _ends(parts, samples)
    oldest_at = as_index(np.array([min(end[0] for end in ends)]))[0].to_pydatetime() if ends else query.start
    return oldest_at if query.earlier and oldest_at < query.start else None


def _notes(samples: Samples) -> Iterator[str]:
    if samples.texts:
        yield f"columns of text that nobody asked for: left out {listed(samples.texts)}"
    for said in dict.fromkeys(column.said for column in samples.columns.values() if column.said):
        yield f"{said} in {listed([name for name, column in samples.columns.items() if column.said == said], 5)}"


def _doubts(samples: Samples, query: Query) -> Iterator[str]:
    column = samples.columns.get(query.target or "")
    if column is None:
        return
    doubt = column.doubt
    is_said = query.csv.decimal or query.csv.thousands
    if not doubt and not is_said and unit_of(str(query.target), np.nanmax(column.values, initial=0.0)) in WHOLE:
        doubt = all_in_doubt(column.texts)
    if doubt:
        yield f'{query.target}: {doubt}; if the point stands between thousands, say `csv`: {{"thousands": "."}}'
