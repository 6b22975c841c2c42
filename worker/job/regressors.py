"""Columns whose future is known, read up to the end of what is to be forecast. Of them alone anything is read beyond the cutoff.

usage, covariates    ├───────────────────┤ issued_at
regressors           ├───────────────────┼───────────┤ the end of the horizon
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pandas as pd

from shared.domain.jobs import JobRequest
from shared.domain.places import Place
from shared.domain.samples import Limits
from shared.domain.timegrid import MAX_TIME
from shared.errors import EmptySeries, SourceNotFound
from worker.sources.base import Query, Reading

Read = Callable[[Query], Reading]


def with_regressors(request: JobRequest, reading: Reading, query: Query, read: Read) -> Reading:
    """The reading with the request's regressors apart: from the first place that has each.

    Args:
        query: of the usage.
        read: one place.

    Raises:
        SourceNotFound: no place has a column of that name. And whatever else sources raise, but EmptySeries: a queue without
            values of a regressor is forecast without it.
    """
    if not request.regressors:
        return reading
    end = request.grid.step_start(query.end, request.horizon_steps(query.end) + 1) if query.end < MAX_TIME else query.end
    whole = replace(query, target=None, end=end, limits=Limits(), queues_from_columns=False)
    frame, losses, missing = pd.DataFrame(), list(reading.losses), list(request.regressors)
    faults: list[SourceNotFound] = []
    for place in request.data.sources:
        for names, found in _at(place, missing, whole, read):
            if isinstance(found, SourceNotFound):
                faults.append(found)
                continue
            missing = [name for name in missing if name not in names]
            if isinstance(found, Reading):
                frame = frame.join(found.frame[list(names)], how="outer")
                losses += [loss for loss in found.losses if loss.column in names]
    if missing:
        raise SourceNotFound(f"regressor {missing[0]!r}: {faults[0].detail}", **faults[0].ids)
    kept = reading.frame.drop(columns=[name for name in request.regressors if name in reading.frame])
    return replace(reading, frame=kept, regressors=frame, losses=tuple(dict.fromkeys(losses)))


def _at(
    place: Place, names: Sequence[str], query: Query, read: Read
) -> Iterator[tuple[Sequence[str], Reading | SourceNotFound | EmptySeries]]:
    """What a place has of these columns: of all at once, and where one is missing of each by itself."""
    if not names:
        return
    try:
        yield names, read(replace(query, place=place, columns=tuple(names)))
    except (SourceNotFound, EmptySeries) as error:
        if len(names) == 1:
            yield names, error
        else:
            for name in names:
                yield from _at(place, [name], query, read)
