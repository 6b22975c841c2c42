"""The series that forecasts are measured on: real ones in two halves, cut off at drawn places, and made-up still ones.

queue        ▁▂▃▅▃▂▁▂▃▅▇▅▃▂▁▂▃▅▃▂▁▂▃▅▃▂▁
queue~14     ▁▂▃▅▃▂▁▂▃▅▇▅▃▂              its last origin is one horizon before the cut
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

SHORTEST = 14 * 24  # hours before an origin, whatever history is asked for: origins stay the same


@dataclass(frozen=True)
class DataSet:
    """A file of the data, and which column of it is forecast."""

    name: str
    file: str
    target: str = "y"


UTILISATION = (
    DataSet("pools_cpu", "pools_hourly.parquet", "cpu_used"),
    DataSet("pools_memory", "pools_hourly.parquet", "memory_used"),
    DataSet("bitbrains_pool", "bitbrains_pool_hourly.parquet"),
    DataSet("bitbrains_vm", "bitbrains_vm_hourly.parquet"),
    DataSet("nab_aws", "nab_aws_hourly.parquet"),
    DataSet("google_tasks", "google_tasks_hourly.parquet"),
)
VMS = UTILISATION[3]
M4 = DataSet("m4", "m4_hourly.parquet")
STILL = DataSet("still", "still.parquet")


def half_of(data_set: str, queue: str) -> str:
    """`tune` or `check`, for good."""
    return "check" if hashlib.sha256(f"{data_set}/{queue}".encode()).digest()[0] % 2 else "tune"


def queues_of(data: DataSet, folder: Path, *, half: str, most: int, seed: int) -> list[str]:
    """The queues of the half asked for, or a sample of so many of them; 0 = all."""
    known = sorted(map(str, pd.read_parquet(folder / data.file, columns=["unique_id"])["unique_id"].unique()))
    inside = [queue for queue in known if half in {"all", half_of(data.name, queue)}]
    return random.Random(seed).sample(inside, min(most or len(inside), len(inside)))


def cut_off(
    data: DataSet, queues: Sequence[str], horizon: int, *, drawn: int, seed: int, source: Path, folder: Path
) -> list[str]:
    """Copies of the queues that end at drawn places, in a file of the same name in `folder`; the names of the copies."""
    draw = random.Random(f"{seed} {data.name} {horizon}")
    frame = pd.read_parquet(source / data.file)
    copies = {}
    for queue in sorted(queues):
        own = frame[frame["unique_id"] == queue]
        shortest = min(SHORTEST + horizon, len(own))
        for end in (draw.randint(shortest, len(own)) for _ in range(drawn)):
            copies[f"{queue}~{end}"] = own.iloc[:end].assign(unique_id=f"{queue}~{end}")
    pd.concat(copies.values()).to_parquet(folder / data.file)
    return list(copies)


def queue_of(copy: str) -> str:
    """The queue that a copy was cut from."""
    return copy.partition("~")[0]


def make_still(folder: Path, *, hours: int = 40 * 24, copies: int = 2) -> None:
    """Series that stay where they are: from the start, after a restart, or but for a few bursts.

    A restart at 2 h to 5 days before the end: what a job sees of the new level is that long, since the last 72 h are to forecast.
    """
    kinds: Mapping[str, int] = {"flat": 0, "zero": 0, **{f"restart_{back}h": back for back in (2, 6, 12, 30, 50, 120)}}
    rng = np.random.default_rng(15)
    parts = []
    for name, back in kinds.items():
        for copy in range(copies):
            parts.append(
                _long(f"{name}_{copy}", _restarted(rng, hours, hours - 72 - back if back else 0, is_zero=name == "zero"))
            )
            if back:
                parts.append(_long(f"busy_{name}_{copy}", _was_busy(rng, hours, hours - 72 - back)))
    parts += [_long(f"bursts_{copy}", _bursts(rng, hours)) for copy in range(copies)]
    pd.concat(parts).to_parquet(folder / STILL.file)


def _restarted(rng: np.random.Generator, hours: int, last: int, *, is_zero: bool) -> np.ndarray:
    """Levels that hold for days; the newest since `last`, 0 = one from the start."""
    if is_zero or not last:
        return np.full(hours, 0.0 if is_zero else round(float(rng.uniform(5, 80)), 3))
    starts = sorted({0, last, *rng.choice(last, size=4, replace=False).tolist()})
    levels = rng.uniform(5, 80, size=len(starts)).round(3)
    return np.repeat(levels, np.diff([*starts, hours]))


def _was_busy(rng: np.random.Generator, hours: int, last: int) -> np.ndarray:
    """A noisy day that repeats, until something was switched off for good."""
    at = np.arange(hours)
    busy = 40 + 20 * np.sin(2 * np.pi * at / 24) + rng.normal(0, 5, size=hours)
    return np.where(at < last, busy, 2.5)


def _bursts(rng: np.random.Generator, hours: int) -> np.ndarray:
    """One level, but for single hours now and then, none of them in the last five days."""
    values = np.full(hours, 12.5)
    values[rng.choice(hours - 120, size=12, replace=False)] = rng.uniform(30, 90, size=12)
    return values


def _long(name: str, values: np.ndarray) -> pd.DataFrame:
    times = pd.date_range("2026-03-02", periods=len(values), freq="h")
    return pd.DataFrame({"unique_id": name, "ds": times, "y": values})
