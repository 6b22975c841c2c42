"""Usage from one source, companions from others: one frame per queue, aligned on the step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shared.domain.places import Place
from shared.errors import SourceNotFound
from worker.sources.base import Query, Reading


def companion_query(query: Query, place: Place) -> Query:
    """What to read of the same queue and steps at another place: all its numbers, and no target."""
    return replace(query, place=place, target=None, columns=None)


def merge(usage: Reading, companions: Sequence[tuple[Place, Reading]], columns: Sequence[str] | None, target: str) -> Reading:
    """The usage with the companions' columns beside it.

    A step that a companion lacks is a gap there; steps that only a companion has are left out. A name that is taken gets its
    place in front: `nodes_used_memory`. Rows, duplicates and values that are not finite are those of the usage.

    Args:
        columns: those to keep beside the target; None = all.

    Raises:
        SourceNotFound: a column asked for is in none of the sources.
    """
    frame, notes = usage.frame, list(usage.notes)
    for place, reading in companions:
        prefix = place.collection or place.measurement or place.name
        taken = {name: f"{prefix}_{name}" for name in reading.frame.columns if name in frame.columns}
        frame = frame.join(reading.frame.rename(columns=taken), how="left")
        notes += [f"{prefix}: {note}" for note in reading.notes]
    if columns is not None:
        missing = [name for name in columns if name not in frame.columns]
        if missing:
            raise SourceNotFound(f"found no column {missing[0]!r}, there are {', '.join(frame.columns)}")
        frame = frame[[target, *columns]]
    return replace(usage, frame=frame, notes=tuple(notes))
