"""Snapshot: one queue's clean, regular series, made once per job from what its source gave.

  gap longer than a day                          newest value
          │                                          │  less than a day behind
▁▂▃▂    ──┴──    ▂▃▅▃▂·▃▅▇▅▃▂▃▅···▅▃▂▃▅▇▅▃▂▃▅▇▅▃▂▃▅▇▅▃····│
                 ▲                                        ▲
                 first step                               issued_at          · = gap, NaN in the frame
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from shared.domain.samples import Fill
from shared.domain.timegrid import MINUTE, SECONDS_PER_DAY
from shared.domain.wording import counted
from shared.errors import EmptySeries, SeriesTooShort
from worker.prepare.gaps import USUAL, gap_runs

MIN_STEPS = 3
_METADATA = b"queuecast"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One queue's clean, regular series.

    frame: index = every whole step from first to last (UTC, regular), float columns, the target first. Gaps are NaN: they are
        filled in each fold anew, so that nothing after its cutoff is seen.
    """

    queue: str
    target: str
    step_seconds: int
    frame: pd.DataFrame

    @property
    def length(self) -> int:
        """Number of steps, gaps included."""
        return len(self.frame)

    @property
    def start_at(self) -> datetime:
        """Start of the first step, UTC."""
        start_at: datetime = self.frame.index[0].to_pydatetime()
        return start_at

    @property
    def end_at(self) -> datetime:
        """End of the last whole step, UTC: the moment at which a forecast of this series is issued."""
        return self.start_at + timedelta(seconds=self.length * self.step_seconds)

    def to_bytes(self) -> bytes:
        """As an Arrow stream, compressed; the index is kept as its start and step."""
        import pyarrow as pa

        header = {
            "queue": self.queue,
            "target": self.target,
            "step_seconds": self.step_seconds,
            "start_at": self.start_at.isoformat(),
        }
        table = pa.table(
            [self.frame.iloc[:, position].to_numpy() for position in range(self.frame.shape[1])],
            schema=pa.schema([(name, pa.float64()) for name in self.frame.columns], {_METADATA: json.dumps(header).encode()}),
        )
        content = pa.BufferOutputStream()
        with pa.ipc.new_stream(content, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as stream:
            stream.write_table(table)
        written: bytes = content.getvalue().to_pybytes()
        return written

    @classmethod
    def from_bytes(cls, content: bytes) -> Snapshot:
        """What `to_bytes` wrote, bit for bit."""
        import pyarrow as pa

        table = pa.ipc.open_stream(content).read_all()
        header = json.loads(table.schema.metadata[_METADATA])
        start_at = pd.Timestamp(header.pop("start_at"))
        index = _regular_index(start_at, table.num_rows, header["step_seconds"])
        columns = {name: table[name].to_numpy() for name in table.column_names}
        return cls(frame=pd.DataFrame(columns, index=index), **header)


def make_snapshot(
    frame: pd.DataFrame, *, queue: str, target: str, step_seconds: int, issued_at: datetime, fill: Fill = USUAL
) -> tuple[Snapshot, tuple[str, ...]]:
    """The regular series up to `issued_at`, and a note on each thing that was left out.

    Args:
        frame: as a source gives it: index = starts of steps (UTC, sorted, unique), float columns, absent or NaN steps.
        queue, target: the target is one of the frame's columns.
        step_seconds: length of a step; a single missing step is never a gap "longer than a day".
        issued_at: on a bucket's border; what starts there or later is not looked at.
        fill: the series starts after the last gap that is too long for it; without a word of that, longer than a day.

    Raises:
        EmptySeries: no value, or the newest is more than a day older than `issued_at`.
        SeriesTooShort: fewer than 3 values after the last long gap.
    """
    longest_gap = max(SECONDS_PER_DAY, step_seconds) // step_seconds
    values = _not_stale(frame[target], issued_at, longest_gap * step_seconds, step_seconds, queue)
    steps = int((issued_at - values.index[0]).total_seconds()) // step_seconds
    regular = frame.reindex(_regular_index(values.index[0], steps, step_seconds))
    most = fill.most_steps(step_seconds)
    started = regular.iloc[_start(regular[target], longest_gap if most is None else most) :]
    too_long = "" if len(started) == len(regular) else "a day" if most is None else f"`fill` allows ({counted(most, 'step')})"
    if (known := int(started[target].count())) < MIN_STEPS:
        after = f" after the last gap longer than {too_long}" if too_long else ""
        raise SeriesTooShort(f"found {counted(known, 'step')} with a value{after}, at least {MIN_STEPS} are needed", queue=queue)
    kept = started[[target, *(name for name in started.columns if name != target and started[name].notna().any())]]
    snapshot = Snapshot(queue=queue, target=target, step_seconds=step_seconds, frame=kept.astype(np.float64))
    return snapshot, _notes(frame, kept, too_long)


def _start(values: pd.Series[float], longest_gap: int) -> int:
    """Where the series begins: after its last gap that is longer, but for one at its end."""
    runs = gap_runs(values.isna().to_numpy())
    return max((end for first, end in runs if end - first > longest_gap and end < len(values)), default=0)


def _regular_index(start_at: pd.Timestamp, steps: int, step_seconds: int) -> pd.DatetimeIndex:
    return pd.date_range(start_at, periods=steps, freq=pd.Timedelta(seconds=step_seconds), unit="ns").tz_convert("UTC")


def _not_stale(
    values: pd.Series[float], issued_at: datetime, limit_seconds: int, step_seconds: int, queue: str
) -> pd.Series[float]:
    """The values before `issued_at`; raises EmptySeries when there is none, or the newest is older than the limit."""
    known = values[values.index < issued_at].dropna()
    if known.empty:
        raise EmptySeries(f"found no value of {values.name!r} before {issued_at:{MINUTE}}", queue=queue)
    end_at = known.index[-1] + timedelta(seconds=step_seconds)
    if (issued_at - end_at).total_seconds() > limit_seconds:
        raise EmptySeries(
            f"the newest value ends at {end_at:{MINUTE}}, more than a day before {issued_at:{MINUTE}}, where the forecast begins;"
            " a job looks back from `as_of` (default: now), so set `as_of` to the end of the data",
            last_at=end_at,
            queue=queue,
        )
    return known


def _notes(given: pd.DataFrame, kept: pd.DataFrame, too_long: str) -> tuple[str, ...]:
    notes = [f"the series starts at {kept.index[0]:{MINUTE}}, after its last gap longer than {too_long}"] if too_long else []
    empty = [name for name in given.columns if name not in kept.columns]
    return (*notes, *(f"column {name!r} has no value in the history and was left out" for name in empty))
