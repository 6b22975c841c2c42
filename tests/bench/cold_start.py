"""How far off a new queue's share of its parent is, on real series: `python -m tests.bench.cold_start --data DIR`.

Each pool of a data set is a child, their sum the parent. At drawn places a child is new: it has two steps, and so a share as
`worker.pipeline.from_parent` takes it. Its next 72 hours are compared with that share of what the parent really had, so that
what is measured is the share alone. Told is, of both halves, how often the factor that is in use covers at a level of 0.9, and
which factor would have: it is chosen on `tune`, and `check` is only measured.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from tests.bench.series import UTILISATION, DataSet, half_of
from worker.pipeline.from_parent import OFF, reach_of, share_of

POOLS = UTILISATION[:3]
KNOWN, AHEAD, DRAWN, LEVEL = 2, 72, 40, 0.9


def main() -> None:
    """Print the figures of each data set, and of all together."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    folder = parser.parse_args().data
    for half in ("tune", "check"):
        found = {data.name: np.concatenate([*misses(data, folder, half)]) for data in POOLS}
        for name, off in (found | {"all of them": np.concatenate([*found.values()])}).items():
            print(f"{half:6}{name:16}{_told(off)}")


def misses(data: DataSet, folder: Path, half: str) -> Iterator[np.ndarray]:
    """By what each step of a child was off, as the logarithm of a factor."""
    values = pd.read_parquet(folder / data.file).pivot_table(index="ds", columns="unique_id", values=data.target)
    parent = values.sum(axis=1, min_count=1)
    for queue in map(str, values):
        own = values[queue].dropna()
        draw = random.Random(f"{data.name} {queue}")
        if half_of(data.name, queue) == half and len(own) > KNOWN + AHEAD:
            places = [draw.randint(0, len(own) - KNOWN - AHEAD) for _ in range(DRAWN)]
            yield np.concatenate([_off(own.iloc[place : place + KNOWN + AHEAD], parent) for place in places])


def _off(own: pd.Series, parent: pd.Series) -> np.ndarray:
    above = parent.reindex(own.index)
    times = pd.DatetimeIndex(own.index[:KNOWN]).to_pydatetime()
    known, whole = (dict(zip(times, map(float, values), strict=True)) for values in (own.iloc[:KNOWN], above.iloc[:KNOWN]))
    share = share_of(known, whole, None)
    if share is None:
        return np.empty(0)
    expected, real = share.value * above.iloc[KNOWN:].to_numpy(), own.iloc[KNOWN:].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected == real, 0.0, np.log(real / expected))


def _told(off: Sequence[float] | np.ndarray) -> str:
    reach = np.log(reach_of((1 + LEVEL) / 2))
    best = np.exp(np.quantile(np.abs(off), LEVEL) * np.log(OFF) / reach)
    inside = np.mean(np.abs(off) <= reach)
    above, below = np.mean(off > reach), np.mean(off < -reach)
    covered = f"factor {OFF:g} covers {inside:6.1%} (above it {above:5.1%}, below {below:5.1%})"
    return f"{len(off):7,} steps  {covered}  needed {best:6.1f}"


if __name__ == "__main__":
    main()
