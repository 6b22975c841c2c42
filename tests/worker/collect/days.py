"""Rows of a cluster as the collector's files have them once their days are over, without waiting for a day of small ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from shared.domain.collected import QueueSample
from worker.collect.sinks._arrow import of_rows, sorted_once, write_groups
from worker.collect.tables import Rollup, Table

Sample = QueueSample | Rollup


def write_days(folder: Path, table: Table, rows: Iterable[Sample]) -> None:
    """One file for each day and partition, below the folder of a connection of kind files."""
    days = defaultdict[Path, list[Sample]](list)
    for row in rows:
        days[folder / table.name / row.cluster / row.partition / f"{row.timestamp:%Y-%m-%d}.parquet"].append(row)
    for file, own in days.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as out:
            write_groups(table, out, iter([sorted_once(table, [of_rows(table, own)])]))
