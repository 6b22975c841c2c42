"""What was read of a queue as bytes, until it is ingested: an Arrow stream of its steps, and what is said of them as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cache

import pandas as pd

from shared import errors
from shared.domain.codec import from_json, to_json
from shared.domain.losses import Loss
from shared.errors import DataError, EmptySeries
from worker.sources.base import Reading

_SAID = b"queuecast"
_TIME = ""  # the column of the steps' starts; none of values may be called so


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """A reading without its steps: its fields of the same names, and how many columns are regressors."""

    rows: int
    duplicates: int
    non_finite: int
    newest_at: datetime | None
    oldest_at: datetime | None
    losses: tuple[Loss, ...]
    notes: tuple[str, ...]
    advice: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failed:
    """A DataError: the name of its class, and what it was made of."""

    kind: str
    detail: str
    ids: dict[str, str] = field(default_factory=dict)
    last_at: datetime | None = None


def to_bytes(reading: Reading | DataError) -> bytes:
    """What came of reading a queue, to be kept for a while."""
    if isinstance(reading, DataError):
        ids = {name: str(value) for name, value in reading.ids.items()}
        last_at = reading.last_at if isinstance(reading, EmptySeries) else None
        return to_json(_Failed(kind=type(reading).__name__, detail=reading.detail, ids=ids, last_at=last_at)).encode()
    said = _Said(**{each.name: getattr(reading, each.name) for each in fields(_Said)})
    frames = [_stream(reading.frame, to_json(said))]
    if not reading.regressors.columns.empty:
        frames.append(_stream(reading.regressors, ""))
    return b"".join(frames)


def from_bytes(content: bytes) -> Reading | DataError:
    """What `to_bytes` was given."""
    if content.startswith(b"{"):
        failed = from_json(_Failed, content)
        last_at = {"last_at": failed.last_at} if failed.last_at else {}
        return _kinds()[failed.kind](failed.detail, **last_at, **failed.ids)
    import pyarrow as pa

    source = pa.BufferReader(content)
    frame, text = _frame(source)
    said = from_json(_Said, text)
    regressors = _frame(source)[0] if source.tell() < len(content) else pd.DataFrame()
    return Reading(frame=frame, regressors=regressors, **{each.name: getattr(said, each.name) for each in fields(_Said)})


def _stream(frame: pd.DataFrame, said: str) -> bytes:
    import pyarrow as pa

    starts = pd.DatetimeIndex(frame.index).tz_localize(None).to_numpy("datetime64[ns]").view("int64")
    schema = pa.schema([(_TIME, pa.int64()), *((name, pa.float64()) for name in frame.columns)], {_SAID: said.encode()})
    table = pa.table([starts, *(frame[name].to_numpy() for name in frame.columns)], schema=schema)
    content = pa.BufferOutputStream()
    with pa.ipc.new_stream(content, schema, options=pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False)) as stream:
        stream.write_table(table)
    written: bytes = content.getvalue().to_pybytes()
    return written


def _frame(source: object) -> tuple[pd.DataFrame, str]:
    import pyarrow as pa

    table = pa.ipc.open_stream(source, options=pa.ipc.IpcReadOptions(use_threads=False)).read_all()
    index = pd.DatetimeIndex(table[_TIME].to_numpy().view("datetime64[ns]")).tz_localize("UTC")
    names = [name for name in table.column_names if name != _TIME]
    return pd.DataFrame({name: table[name].to_numpy() for name in names}, index=index), table.schema.metadata[_SAID].decode()


@cache
def _kinds() -> dict[str, type[DataError]]:
    kinds = (kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DataError))
    return {kind.__name__: kind for kind in kinds}
