"""A made-up, lifelike YARN cluster: applications arrive, ask for memory, borrow what others leave idle, or wait.

    arrivals by hour and weekday ─▶ running applications ─▶ demand ─┬▶ up to the guarantee: granted
                                                                    ├▶ above it: lent, while others are idle, up to the ceiling
                                                                    └▶ the rest: pending containers
    usage ÷ guarantee = used_capacity, which passes 100 % when a queue borrows

Columns carry the ResourceManager's words in snake case (`usedCapacity` is `used_capacity`, in % of the queue's own
guarantee). The same arguments give the same cluster, to the last digit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from deploy.habits import CLUSTER_MB, CONTAINER_MB, CONTAINER_VCORES, Habit, habits_of

Floats = npt.NDArray[np.float32]
Steps = npt.NDArray[np.int64]

_DAY = 86_400

Cluster = Iterator[tuple[str, pd.DataFrame]]  # each queue's name and its samples, one queue at a time


def simulate(*, queues: int, days: int, step_seconds: int, seed: int, end: datetime) -> Cluster:
    """Each queue's name and its samples in the steps before `end`, by time; columns are those of `_sampled`.

    Samples that were never taken are missing: outages of the collector hit all queues, single scrapes fail one by one.
    """
    habits = habits_of(queues)
    steps = days * _DAY // step_seconds
    times = pd.date_range(end=end, periods=steps + 1, freq=f"{step_seconds}s")[:-1]
    limits = _limits(habits)
    guarantees, ceilings = (_floats(limits[name] * CLUSTER_MB / 100) for name in ("absolute_capacity", "absolute_max_capacity"))
    arrived = [_applications(habit, times, np.random.default_rng([seed, index])) for index, habit in enumerate(habits)]
    demand = _floats(np.stack([load for load, _ in arrived]) * guarantees[:, None])
    used = granted(demand, guarantees, ceilings)
    outages = _outages(steps, step_seconds, np.random.default_rng([seed, queues, steps]))
    for index, habit in enumerate(habits):
        frame = _sampled(times, used[index], demand[index], arrived[index][1], limits.iloc[index])
        frame.insert(1, "queue", habit.queue)
        missed = np.random.default_rng([seed, index, 1]).random(steps) < 0.0005
        yield habit.queue, frame[~(outages | missed)]


def write(folder: Path, suffix: str, cluster: Cluster) -> dict[str, int]:
    """Write one file per queue, `<queue>.<suffix>` (parquet or csv); returns queue → rows."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = {}
    for queue, frame in cluster:
        path = folder / f"{queue}.{suffix}"
        if suffix == "parquet":
            frame.to_parquet(path, index=False)
        else:
            frame.to_csv(path, index=False, date_format="%Y-%m-%dT%H:%M:%SZ")
        rows[queue] = len(frame)
    return rows


def granted(demand: Floats, guarantees: Floats, ceilings: Floats) -> Floats:
    """What the scheduler grants: guarantees first, then what is idle is lent in proportion to what is still wanted.

    Args:
        demand: MB, shape (queues, steps); guarantees and ceilings have shape (queues,), guarantees sum to the whole cluster.
    """
    own = np.minimum(demand, guarantees[:, None])
    borrowed = np.minimum(demand, ceilings[:, None]) - own
    idle = guarantees.sum() - own.sum(axis=0)
    share = np.minimum(1.0, idle / np.maximum(borrowed.sum(axis=0), 1e-6))
    return _floats(own + borrowed * share)


def _limits(habits: Sequence[Habit]) -> pd.DataFrame:
    """What is configured, in YARN's words: one row per queue, in % of the parent and of the cluster."""
    names = [habit.queue for habit in habits]
    share = pd.Series([habit.share for habit in habits], index=names)
    parent = share.groupby([name.rpartition(".")[0] for name in names]).transform("sum")
    below_root = pd.Series([name.count(".") > 1 for name in names], index=names)
    absolute = share / share.sum() * 100
    ceiling = (absolute * [habit.ceiling for habit in habits]).clip(upper=100.0)
    # A child of the root has the cluster as its parent; deeper queues divide what their siblings and they hold together.
    limits = {"capacity": (share / parent * 100).where(below_root, absolute), "absolute_capacity": absolute}
    return pd.DataFrame(limits | {"absolute_max_capacity": ceiling}).round(3)


def _applications(habit: Habit, times: pd.DatetimeIndex, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Demand in parts of the guarantee, and the number of applications, per step.

    Arrivals are a Poisson process with the habit's intensity, run times are log-normal (few applications run very long).
    """
    intensity = _intensity(habit, times)
    steps, step_seconds = len(times), (times[1] - times[0]).total_seconds()
    expected = intensity.cumsum() * habit.per_day * step_seconds / _DAY
    count = random.poisson(expected[-1])
    first = np.searchsorted(expected, random.random(count) * expected[-1])
    seconds = habit.minutes * 60 * random.lognormal(0.0, 0.8, count)
    last = np.minimum(first + np.ceil(seconds / step_seconds).astype(np.int64), steps)
    size = random.lognormal(0.0, 0.7, count)
    concurrent = habit.per_day * habit.minutes * 60 / _DAY * np.exp(0.8**2 / 2 + 0.7**2 / 2)  # Little's law; means of log-normals
    load = _running(first, last, size, steps) * (habit.load / concurrent) + habit.service * _drift(times, random)
    return _floats(load), _floats(_running(first, last, np.ones(count), steps))


def _intensity(habit: Habit, times: pd.DatetimeIndex) -> Floats:
    """Relative rate of arrivals per step; its mean over an ordinary weekday is 1."""
    distance = np.subtract.outer(np.arange(0, 24, 1 / 60), habit.peak_hours)  # of each minute of the day from each peak
    profile = np.exp(-(((distance + 12) % 24 - 12) ** 2) / (2 * habit.spread**2)).sum(axis=1) + 0.03
    minute = (times.hour * 60 + times.minute).to_numpy()
    weekend = np.where(times.dayofweek.to_numpy() >= 5, habit.weekend, 1.0)
    return _floats((profile / profile.mean())[minute] * weekend)


def _running(first: Steps, last: Steps, size: npt.NDArray[np.float64], steps: int) -> npt.NDArray[np.float64]:
    """The sum of the sizes of all that run in each step, from `first` to before `last`."""
    change = np.bincount(first, size, steps + 1) - np.bincount(last, size, steps + 1)
    return np.asarray(change.cumsum()[:steps].clip(min=0.0))


def _drift(times: pd.DatetimeIndex, random: np.random.Generator) -> npt.NDArray[np.float64]:
    """A factor around 1 that wanders from day to day: services are resized by people."""
    elapsed = ((times - times[0]) / pd.Timedelta(days=1)).to_numpy()
    daily = np.exp(np.cumsum(random.normal(0.0, 0.03, int(elapsed[-1]) + 2)))
    return np.asarray(np.interp(elapsed, np.arange(len(daily)), daily))


def _outages(steps: int, step_seconds: int, random: np.random.Generator) -> npt.NDArray[np.bool_]:
    """When the collector was down: about once in four days, ten minutes to two hours."""
    is_down = np.zeros(steps, bool)
    count = max(1, round(steps * step_seconds / (4 * _DAY)))
    for start, seconds in zip(random.integers(0, steps, count), random.uniform(600, 7_200, count), strict=True):
        is_down[start : start + max(1, int(seconds / step_seconds))] = True
    return is_down


def _sampled(times: pd.DatetimeIndex, used: Floats, demand: Floats, applications: Floats, limits: pd.Series) -> pd.DataFrame:
    """What the ResourceManager would say of one queue; containers are whole, so usage moves in their steps."""
    containers = np.floor(used / CONTAINER_MB).astype(np.int64)
    memory_mb = containers * CONTAINER_MB
    absolute = memory_mb / CLUSTER_MB * 100
    usage = {
        "used_capacity": (absolute / limits["absolute_capacity"] * 100).round(3),
        "absolute_used_capacity": absolute.round(3),
    }
    amounts = {
        "used_memory_mb": memory_mb,
        "used_vcores": containers * CONTAINER_VCORES,
        "allocated_containers": containers,
        "pending_containers": np.floor((demand - used) / CONTAINER_MB).clip(min=0).astype(np.int64),
        "num_applications": applications.astype(np.int64),
    }
    return pd.DataFrame({"timestamp": times} | usage | dict(limits) | amounts)


def _floats(values: npt.ArrayLike) -> Floats:
    """Half the memory of numpy's own choice; a cluster of hundreds of queues has a hundred million samples."""
    return np.asarray(values, np.float32)
