"""The program that puts hours and days of Parquet files together: `python -m worker.collect.sinks.days`, and what it is to do."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

from worker.collect.apart import step_back
from worker.collect.sinks.parquet import ParquetSamples
from worker.collect.tables import TABLES


def main(folder: str, name: str, cluster: str, now: str) -> None:
    """Put together what is over."""
    step_back()
    [table] = [each for each in TABLES if each.name == name]
    ParquetSamples(Path(folder)).put_together(table, cluster, datetime.fromisoformat(now))


if __name__ == "__main__":
    main(*sys.argv[1:])
