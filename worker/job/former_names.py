"""A renamed queue's history: what is asked of a source under its name is also asked under those that it had before.

root.etl         ▂▃▂▃▂▃│            the rows of the former name count until the first one of the name of now, or until
root.data.etl          │▃▂▃▂        the moment that is said; of a step that both have those of the name of now do
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pandas as pd

from shared.config.settings import Settings
from shared.connections.yarn import may_know
from shared.domain.aliases import Alias
from shared.domain.jobs import JobRequest
from shared.errors import EmptySeries, QueueGone
from shared.store import Store
from worker.job.regressors import Read
from worker.job.resources import Resources
from worker.sources.base import Query, Reading


def former_of(store: Store, settings: Settings, request: JobRequest, queue: str) -> tuple[Alias, ...]:
    """What a queue was called before, the last name first; of a cluster that the request's project may not use nothing."""
    cluster = request.series(queue).cluster
    is_ours = may_know(settings.all_connections.values(), cluster, request.project)
    return store.aliases.former(cluster, queue) if is_ours else ()


def with_former_names(resources: Resources, request: JobRequest, queue: str, read: Read, others: Read | None = None) -> Read:
    """How a queue of the request is read, with what it was called before.

    Args:
        read: one place. others: likewise, of names that are not among those that are read together; None = as `read`.
    """
    return with_names(queue, former_of(resources.store, resources.settings, request, queue), read, others)


def with_names(queue: str, former: Sequence[Alias], read: Read, others: Read | None = None) -> Read:
    """How a queue is read that was called so before, the last name first; the other arguments as for `with_former_names`."""
    if not former:
        return read

    def read_all_names(query: Query) -> Reading:
        return _joined(query, former, read, others or read) if query.queue == queue else read(query)

    return read_all_names


def _joined(query: Query, former: Sequence[Alias], read: Read, others: Read) -> Reading:
    """Raises what is raised under the name of now, where no former name has anything."""
    try:
        joined: Reading | None = read(query)
        missing = None
    except QueueGone:  # what it was before does not bring it back
        raise
    except EmptySeries as error:
        joined, missing = None, error
    for alias in former:
        end = _end(alias, joined)
        if end is not None and end <= query.start:
            break
        try:
            before = others(replace(query, queue=alias.old, is_former=True))
        except EmptySeries:
            continue
        if not (before := _until(before, end)).frame.empty:
            joined = before if joined is None else _before(joined, before, alias)
    if joined is None:
        raise missing or EmptySeries("under none of its names", queue=query.queue)
    return joined


def _end(alias: Alias, later: Reading | None) -> datetime | None:
    """Until when rows of the former name count; None = all do."""
    first = None if later is None or later.frame.empty else later.frame.index[0].to_pydatetime()
    return min((moment for moment in (alias.renamed_at, first) if moment is not None), default=None)


def _until(reading: Reading, end: datetime | None) -> Reading:
    if end is None:
        return reading
    frame, regressors, beside = (_head(each, end) for each in (reading.frame, reading.regressors, reading.beside))
    newest_at = reading.newest_at if reading.newest_at is None else min(reading.newest_at, end)
    return replace(reading, frame=frame, regressors=regressors, beside=beside, newest_at=newest_at)


def _head(frame: pd.DataFrame, end: datetime) -> pd.DataFrame:
    return frame if frame.empty else frame[frame.index < end]


def _before(reading: Reading, earlier: Reading, alias: Alias) -> Reading:
    """The reading with what was read under a former name before it."""
    note = f"{len(earlier.frame)} steps are of {alias.old}, as it was called before"
    return replace(
        reading,
        frame=_one_after_the_other(earlier.frame, reading.frame),
        regressors=_one_after_the_other(earlier.regressors, reading.regressors),
        beside=_one_after_the_other(earlier.beside, reading.beside),
        rows=earlier.rows + reading.rows,
        duplicates=earlier.duplicates + reading.duplicates,
        non_finite=earlier.non_finite + reading.non_finite,
        oldest_at=earlier.oldest_at or reading.oldest_at,
        losses=(*earlier.losses, *reading.losses),
        notes=(*reading.notes, note),
    )


def _one_after_the_other(earlier: pd.DataFrame, later: pd.DataFrame) -> pd.DataFrame:
    """Of a step that both have that of the later one; columns that only the earlier one has are left out."""
    if later.empty or earlier.empty:
        return later if earlier.empty or not later.columns.empty else earlier
    new = earlier[~earlier.index.isin(later.index)].reindex(columns=later.columns)
    return pd.concat([new, later]).sort_index()
