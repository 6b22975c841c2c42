"""Snapshot: one queue's clean, regular series, made once per job from what its source gave.

  gap longer than a day                          newest value
          │                                          │  less than a day behind
▁▂▃▂    ──┴──    ▂▃▅▃▂·▃▅▇▅▃▂▃▅···▅▃▂▃▅▇▅▃▂▃▅▇▅▃▂▃▅▇▅▃····│
                 ▲                                        ▲
                 first step                               issued_at          · = gap, NaN in the frame
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
import pandas as pd

from shared.domain.occasions import Excluded
from shared.domain.samples import Fill
from shared.domain.timegrid import MINUTE, SECONDS_PER_DAY, TimeGrid
from shared.domain.wording import counted
from shared.errors import EmptySeries, SeriesTooShort
from worker.prepare.digits import rounded
from worker.prepare.gaps import USUAL, gap_runs
from worker.prepare.occasions import excluded_steps
from worker.prepare.step_times import step_times

MIN_STEPS = 3
_METADATA = b"queuecast"

Bad = Sequence[Excluded]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Snapshot:
    """One queue's clean, regular series. Nobody changes it, so that what is made of it is kept by which one it is.

    frame: index = every whole step from first to last (UTC, regular), float columns, the target first, the others by name, all
        the same in each bit whichever source gave the samples. Gaps are NaN: they are filled in each fold anew, so that nothing
        after its cutoff is seen.
    regressors: index = those steps and all that are to be forecast; float columns, of which alone the future is known. Without
        any there are no rows.
    start_at: start of the first step, UTC.
    """

    queue: str
    target: str
    grid: TimeGrid
    frame: pd.DataFrame
    regressors: pd.DataFrame = field(default_factory=pd.DataFrame)
    start_at: datetime = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "start_at", self.frame.index[0].to_pydatetime())  # it is asked for often

    @property
    def step_seconds(self) -> int:
        """Length of a step, of days that clocks do not change."""
        return self.grid.step_seconds

    @property
    def length(self) -> int:
        """Number of steps, gaps included."""
        return len(self.frame)

    @property
    def end_at(self) -> datetime:
        """End of the last whole step, UTC: the moment at which a forecast of this series is issued."""
        return self.grid.step_start(self.start_at, self.length + 1)

    def without(self, bad: Bad) -> Snapshot:
        """The same without its values within times known to be bad."""
        if not bad:
            return self
        is_bad = excluded_steps(pd.DatetimeIndex(self.frame.index), self.grid, bad)
        if not is_bad.any():
            return self
        columns = {name: np.where(is_bad, np.nan, self.frame[name]) for name in map(str, self.frame)}
        return replace(self, frame=pd.DataFrame(columns, index=self.frame.index))

    def to_bytes(self) -> bytes:
        """As an Arrow stream, compressed; the index is kept as its start and step, and all columns are as long as the longest."""
        import pyarrow as pa

        header = {
            "queue": self.queue,
            "target": self.target,
            "step_seconds": self.step_seconds,
            "timezone": self.grid.timezone,
            "start_at": self.start_at.isoformat(),
            "length": self.length,
            "regressors": list(self.regressors.columns),
        }
        further = np.full(max(0, len(self.regressors) - self.length), np.nan)
        values = [np.concatenate([self.frame[name].to_numpy(), further]) for name in self.frame]
        values += [self.regressors[name].to_numpy() for name in self.regressors]
        names = [*self.frame.columns, *self.regressors.columns]
        schema = pa.schema([(name, pa.float64()) for name in names], {_METADATA: json.dumps(header).encode()})
        table = pa.table(values, schema=schema)
        content = pa.BufferOutputStream()
        with pa.ipc.new_stream(
            content, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False)
        ) as stream:
            stream.write_table(table)
        written: bytes = content.getvalue().to_pybytes()
        return written

    @classmethod
    def from_bytes(cls, content: bytes) -> Snapshot:
        """What `to_bytes` wrote, bit for bit."""
        import pyarrow as pa

        table = pa.ipc.open_stream(content, options=pa.ipc.IpcReadOptions(use_threads=False)).read_all()
        header = json.loads(table.schema.metadata[_METADATA])
        start_at = pd.Timestamp(header.pop("start_at"))
        grid = TimeGrid(header.pop("step_seconds"), header.pop("timezone", "UTC"))  # jobs of an earlier release knew no other
        length, ahead = header.pop("length", table.num_rows), header.pop("regressors", [])
        index = step_times(grid, start_at, table.num_rows)
        values = {name: table[name].to_numpy() for name in table.column_names}
        known = pd.DataFrame({name: values.pop(name) for name in ahead}, index=index) if ahead else pd.DataFrame()
        frame = pd.DataFrame({name: column[:length] for name, column in values.items()}, index=index[:length])
        return cls(frame=frame, regressors=known, grid=grid, **header)


def make_snapshot(
    frame: pd.DataFrame, *, queue: str, target: str, grid: TimeGrid, issued_at: datetime, fill: Fill = USUAL, bad: Bad = ()
) -> tuple[Snapshot, tuple[str, ...]]:
    """The regular series up to `issued_at`, and a note on each thing that was left out.

    Args:
        frame: as a source gives it: index = starts of steps (UTC, sorted, unique), float columns, absent or NaN steps.
        queue, target: the target is one of the frame's columns.
        grid: its steps; a single missing one is never a gap "longer than a day".
        issued_at: on a bucket's border; what starts there or later is not looked at.
        fill, bad: it starts after the last gap too long for `fill`, else longer than a day, but in times known to be bad.

    Raises:
        EmptySeries: no value, or the newest is more than a day older than `issued_at`.
        SeriesTooShort: fewer than 3 values after the last long gap.
    """
    longest_gap = max(SECONDS_PER_DAY, grid.step_seconds) // grid.step_seconds
    values = _not_stale(frame[target], issued_at, longest_gap, grid, queue)
    start_at = values.index[0].to_pydatetime()
    regular = frame.reindex(step_times(grid, start_at, grid.steps_between(start_at, issued_at)))
    most = fill.most_steps(grid.step_seconds)
    started = regular.iloc[_start(regular[target], longest_gap if most is None else most, bad, grid) :]
    too_long = "" if len(started) == len(regular) else "a day" if most is None else f"`fill` allows ({counted(most, 'step')})"
    started = started.iloc[_first_good(started[target], bad, grid, queue) :]
    if (known := int(started[target].count())) < MIN_STEPS:
        after = f" after the last gap longer than {too_long}" if too_long else ""
        raise SeriesTooShort(f"found {counted(known, 'step')} with a value{after}, at least {MIN_STEPS} are needed", queue=queue)
    kept = _kept(started, target)
    return Snapshot(queue=queue, target=target, grid=grid, frame=kept), _notes(frame, kept, too_long)


def _kept(frame: pd.DataFrame, target: str) -> pd.DataFrame:
    """The target, then the other columns by name but those without a value; the same in each bit from whichever source."""
    columns = {str(name): frame[name].to_numpy(dtype=np.float64) for name in frame.columns}
    names = [target, *(name for name in sorted(columns) if name != target and not np.isnan(columns[name]).all())]
    return pd.DataFrame(rounded(np.column_stack([columns[name] for name in names])), index=frame.index, columns=names)


def _start(values: pd.Series[float], longest_gap: int, bad: Bad, grid: TimeGrid) -> int:
    """Where the series begins: after its last gap that is longer, but for one at its end."""
    missing = np.isnan(values.to_numpy(dtype=np.float64)) & ~excluded_steps(pd.DatetimeIndex(values.index), grid, bad)
    return max((end for first, end in gap_runs(missing) if end - first > longest_gap and end < len(values)), default=0)


def _first_good(values: pd.Series[float], bad: Bad, grid: TimeGrid, queue: str) -> int:
    """The first step that something can be learned from: a series that begins with times known to be bad begins after them."""
    good = np.isfinite(values.to_numpy(dtype=np.float64)) & ~excluded_steps(pd.DatetimeIndex(values.index), grid, bad)
    if not good.any():
        raise EmptySeries(f"all {counted(len(values), 'step')} of {values.name!r} lie within times of `exclude`", queue=queue)
    return int(np.argmax(good))


def _not_stale(values: pd.Series[float], issued_at: datetime, limit: int, grid: TimeGrid, queue: str) -> pd.Series[float]:
    """The values before `issued_at`; raises EmptySeries when there is none, or the newest is more than `limit` steps older."""
    known = values.iloc[: values.index.searchsorted(pd.Timestamp(issued_at))].dropna()
    if known.empty:
        raise EmptySeries(f"found no value of {values.name!r} before {issued_at:{MINUTE}}", queue=queue)
    end_at = grid.step_start(known.index[-1].to_pydatetime(), 2)
    if issued_at > grid.step_start(end_at, 1 + limit):
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
