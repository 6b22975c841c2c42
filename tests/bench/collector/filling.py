"""What lies in the files of a collector before it is measured: the hours of a day, and five minutes of four weeks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from shared.domain.collected import DEFAULT
from shared.domain.queue_tree import QueueTree
from tests.bench.collector.watching import STEP
from tests.worker.collect.moved_clock import CLUSTER
from worker.collect.rollups import LENGTH, rollups
from worker.collect.sampler import queue_samples
from worker.collect.sinks._arrow import GROUP_ROWS, of_rows, sorted_once, write_groups
from worker.collect.sinks.parquet import GROUPS
from worker.collect.tables import QUEUES, ROLLUPS, Table

if TYPE_CHECKING:
    import pyarrow as pa

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEKS = 29  # days


def fill_hours(folder: Path, trees: Sequence[QueueTree], until: datetime, hours: int) -> None:
    """Files of the hours before a moment: each like the made one, with other demands."""
    first = until - hours * HOUR
    rows = [row for place, tree in enumerate(trees) for row in queue_samples(tree, CLUSTER, first + place * STEP)]
    made = sorted_once(QUEUES, [of_rows(QUEUES, rows)])
    for hour in range(hours):
        part = _varied(_later(QUEUES, made, hour * HOUR), ("demand_memory_mb",))
        _write(folder, QUEUES, f"{first + hour * HOUR:%Y-%m-%dT%H}", part, GROUPS[HOUR])


def fill_days(folder: Path, tree: QueueTree, midnight: datetime) -> None:
    """Files of days of five minutes before this one: a made-up value in every cell that is told."""
    import pyarrow as pa

    day = midnight - DAY
    made = of_rows(ROLLUPS, rollups(queue_samples(tree, CLUSTER, day)))
    whole = sorted_once(ROLLUPS, [_later(ROLLUPS, made, place * LENGTH) for place in range(DAY // LENGTH)])
    for place in range(WEEKS):
        floats = [each.name for each in whole.schema if each.type == pa.float64()]
        part = _varied(_later(ROLLUPS, whole, -place * DAY), floats)
        _write(folder, ROLLUPS, f"{day - place * DAY:%Y-%m-%d}", part)


def _later(table: Table, part: pa.Table, by: timedelta) -> pa.Table:
    import pyarrow.compute as pc

    place = part.schema.get_field_index(table.time)
    field = part.schema.field(place)
    return part.set_column(place, field, pc.add(part[place], by).cast(field.type))


def _varied(part: pa.Table, names: Sequence[str]) -> pa.Table:
    """With numbers between half and one and a half of what they are."""
    import pyarrow.compute as pc

    for place, field in _fields(part, names):
        wanted = pc.round(pc.multiply(part[place], pc.add(pc.random(part.num_rows), 0.5)), 2)
        part = part.set_column(place, field, pc.round(wanted).cast(field.type) if str(field.type) == "int64" else wanted)
    return part


def _fields(part: pa.Table, names: Sequence[str]) -> Iterator[tuple[int, pa.Field]]:
    places = [part.schema.get_field_index(name) for name in names]
    return ((place, part.schema.field(place)) for place in places)


def _write(folder: Path, table: Table, name: str, part: pa.Table, rows: int = GROUP_ROWS) -> None:
    place = folder / table.name / CLUSTER / DEFAULT
    place.mkdir(parents=True, exist_ok=True)
    with (place / f"{name}.parquet").open("wb") as out:
        write_groups(table, out, iter([part]), rows)
