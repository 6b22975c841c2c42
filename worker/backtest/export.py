"""Forecasts → CSV, Parquet or JSON lines, one row per queue and step, as `queuecast forecast export` writes them."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from shared.command.terminal import using
from shared.config.data_folder import as_open_as_wished
from shared.domain.forecasts import Forecast
from shared.domain.outgoing import cell
from shared.errors import UsageError

Row = dict[str, object]

BAND = ("prediction", "lower_bound", "upper_bound")
COLUMNS = (
    "queue",
    "metric",
    "job",
    "issued_at",
    "timestamp",
    "step",
    *BAND,
    "model",
    "hyperparameters",
    "mape",
    "skill",
    "job_id",
    "project",
    "cluster",
    "where",
    "step_seconds",
    "aggregation",
    "day_timezone",
)


class ExportFormat(StrEnum):
    """The formats of an export; a file's ending names its own."""

    CSV = "csv"
    PARQUET = "parquet"
    JSONL = "jsonl"


def export_forecasts(forecasts: Iterable[Forecast], target: Path | None, file_format: ExportFormat | None = None) -> int:
    """Write the forecasts; returns the number of rows. An earlier file is replaced once the new one is whole, never before.

    Columns `q0.05` and the like come last, one for each level that any of the forecasts has; where one has it not they are empty,
    and left out in JSON lines. Times are UTC: ISO 8601 texts in CSV and JSON lines, timestamps in Parquet. Hyperparameters are a
    JSON object, in CSV and Parquet as its text.

    Args:
        forecasts: in the order of the rows.
        target: the file; None = standard output.
        file_format: None = what the file's ending says, CSV on standard output.

    Raises:
        UsageError: no format is given and the ending names none, or the file cannot be written.
    """
    write = _WRITERS[file_format or _format_of(target)]
    if target is None:
        return write(forecasts, sys.stdout.buffer)
    with replacing(target) as stream:
        return write(forecasts, stream)


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """A stream whose content takes the file's place once it is whole, and never before; no link leads it elsewhere."""
    draft = target.with_name(f".{target.name}.{token_hex(4)}")
    with using(target, "written"):
        try:
            with as_open_as_wished(), draft.open("xb") as stream:
                yield stream
            draft.replace(target)
        finally:
            with suppress(OSError):  # its folder may be none; what went wrong is told already
                draft.unlink()


def _format_of(target: Path | None) -> ExportFormat:
    if target is None:
        return ExportFormat.CSV
    try:
        return ExportFormat(target.suffix.removeprefix(".").lower())
    except ValueError:
        accepted = ", ".join(f".{ending}" for ending in ExportFormat)
        raise UsageError(f"the ending of {target.name!r} names no format; accepted are {accepted}") from None


def _rows(forecasts: Iterable[Forecast]) -> Iterator[Row]:
    for forecast in forecasts:
        steps = zip(forecast.timestamps, forecast.prediction, forecast.lower_bound, forecast.upper_bound, strict=True)
        quantiles = forecast.quantiles.by_step(forecast.horizon_steps)
        for step, ((timestamp, *numbers), levels) in enumerate(zip(steps, quantiles, strict=True), start=1):
            run = forecast.queue, forecast.metric, forecast.job, forecast.issued_at
            verdict = forecast.model, dict(forecast.hyperparameters), forecast.mape, forecast.skill, forecast.job_id
            of = forecast.project, forecast.cluster, forecast.where, forecast.step_seconds, forecast.aggregation.value
            columns = (*run, timestamp, step, *numbers, *verdict, *of, forecast.day_timezone)
            yield {**dict(zip(COLUMNS, columns, strict=True)), **(levels or {})}


def _columns_of(rows: Iterable[Row]) -> list[str]:
    """Those of all forecasts, and the levels of any of these."""
    levels = {name for row in rows for name in row} - {*COLUMNS}
    return [*COLUMNS, *sorted(levels, key=lambda name: float(name.removeprefix("q")))]


def _write_csv(forecasts: Iterable[Forecast], stream: BinaryIO) -> int:
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
    rows = [_with_iso_times(row) | {"hyperparameters": _text(row["hyperparameters"])} for row in _rows(forecasts)]
    writer = csv.DictWriter(text, _columns_of(rows), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: cell(value) for name, value in row.items()} for row in rows)
    text.detach()  # and with it flushed; the stream stays open
    return len(rows)


def _write_jsonl(forecasts: Iterable[Forecast], stream: BinaryIO) -> int:
    lines = [json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows_of(forecasts)]
    stream.writelines(f"{line}\n".encode() for line in lines)
    return len(lines)


def _write_parquet(forecasts: Iterable[Forecast], stream: BinaryIO) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    time, number = pa.timestamp("ms", tz="UTC"), pa.float64()
    rows = [row | {"hyperparameters": _text(row["hyperparameters"])} for row in _rows(forecasts)]
    columns = _columns_of(rows)
    kinds = dict.fromkeys((*BAND, "mape", "skill", *columns[len(COLUMNS) :]), number)
    kinds |= {"issued_at": time, "timestamp": time, "step": pa.int64(), "step_seconds": pa.int64()}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in columns])  # fixed, so that empty columns keep their type
    pq.write_table(pa.Table.from_pylist(rows, schema), stream)
    return len(rows)


def _text(hyperparameters: object) -> str:
    return json.dumps(hyperparameters, sort_keys=True)


def rows_of(forecasts: Iterable[Forecast]) -> Iterator[Row]:
    """The rows of the forecasts as JSON has them."""
    return map(_with_iso_times, _rows(forecasts))


def _with_iso_times(row: Row) -> Row:
    return {name: _iso(value) if isinstance(value, datetime) else value for name, value in row.items()}


def _iso(moment: datetime) -> str:
    """As in our answers: 2026-01-05T00:00:00Z."""
    return moment.isoformat().replace("+00:00", "Z")


_WRITERS: dict[ExportFormat, Callable[[Iterable[Forecast], BinaryIO], int]] = {
    ExportFormat.CSV: _write_csv,
    ExportFormat.PARQUET: _write_parquet,
    ExportFormat.JSONL: _write_jsonl,
}
