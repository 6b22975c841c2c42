"""Whether chances of a breach within a day hold, on real series: `python -m tests.bench.chances --data DIR --cache DIR`.

One forecast a day of every pool, by the product's own pipeline with `auto`, from up to 28 days of history, at each daily cutoff
from the 9th day on of which chances would be told. Four levels: the 80, 90, 95 and 98 % quantiles of all hours of the queue, as
of somebody who knows it and sets them once; and the same of the history that the forecast has, as of somebody who sets them every
day. Skill is over the base rate of all levels together. The halves are those of tests/bench/forecast.py.

    published          the paths, peaks and chances of the product
    blocks and week    whole misses of past days added to the prediction, and the last seven days, with equal mass, as they are

What is fitted is kept in the cache, so that a run with another way from there to paths takes seconds: remove it when models,
folds or selection have changed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from tests.bench.chance_days import DAY, LEVELS, Task, tasks_of
from tests.bench.chance_figures import Told, printed
from tests.bench.series import UTILISATION, DataSet, queues_of
from worker.models.base import FloatArray
from worker.pipeline.distribution.evidence import misses_of, recent_windows
from worker.pipeline.distribution.kinds import kinds_of
from worker.pipeline.distribution.whole import distribution

WEEK = 7
POOLS: Mapping[str, Sequence[DataSet]] = {"batch pools": UTILISATION[:2], "VM pools": UTILISATION[2:3]}


def published(task: Task) -> Told:
    """As the product tells it."""
    made = task.fitted
    whole = distribution(made.made, made.folds, made.known, task.spec, end_at=made.end_at, first=made.ahead)
    mass = np.full(len(whole.paths), 1 / len(whole.paths))
    made_from, peaks = whole.blocks + whole.windows, whole.peaks[:, 0]
    return Told(paths=whole.paths, mass=mass, blocks=whole.blocks, made_from=made_from, peaks=peaks)


def blocks_and_week(task: Task) -> Told:
    """As decisions were first planned: neither mapped to quantiles nor to peaks."""
    made, season = task.fitted, DAY
    lead = np.arange(made.ahead, len(made.made.prediction))
    misses = misses_of(made.folds, lead, season)
    kinds = kinds_of(made.known.history.target, made.known.dates, season)
    recent = recent_windows(made.known.history.target, made.known.places, season, kinds)[0][:WEEK, 1, made.ahead :]
    sets = [made.made.prediction[made.ahead :] + misses, recent]
    whole = [rows[np.isfinite(rows).all(axis=1)] for rows in sets]
    mass = np.concatenate([np.full(len(rows), 1 / max(1, len(rows))) for rows in whole])
    paths = np.maximum(0.0, np.concatenate(whole))
    return Told(paths=paths, mass=mass / mass.sum(), blocks=len(whole[0]), made_from=len(paths))


LEVELS_OF: Mapping[str, Callable[[Task], FloatArray]] = {
    "set once": lambda task: task.levels,
    "of the history": lambda task: np.nanquantile(task.fitted.known.seen, LEVELS),
}
VARIANTS: Mapping[str, Callable[[Task], Told]] = {"published": published, "blocks and week": blocks_and_week}


def main() -> None:
    """Read what is asked and print what came of each way."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=lambda text: Path(text).resolve(), required=True, help="folder with the Parquet files")
    parser.add_argument("--cache", type=lambda text: Path(text).resolve(), required=True, help="folder for what was fitted")
    parser.add_argument("--half", choices=("tune", "check"), default="check")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    print(f"{datetime.now(UTC):%Y-%m-%d} half={options.half}")
    with ProcessPoolExecutor(options.jobs) as pool:
        for name, sets in POOLS.items():
            asked = [(data, queue) for data in sets for queue in queues_of(data, options.data, half=options.half, most=0, seed=0)]
            of_queues = pool.map(partial(_tasks_of, options), asked)
            tasks = [task for found in of_queues for task in found]
            for variant, told_by in VARIANTS.items():
                told = [told_by(task) for task in tasks]
                for how, levels_of in LEVELS_OF.items():
                    print(f"\n{name}, {len(asked)} series, {variant}, levels {how}")
                    print(printed(told, [task.actual for task in tasks], [levels_of(task) for task in tasks]))


def _tasks_of(options: argparse.Namespace, asked: tuple[DataSet, str]) -> list[Task]:
    return tasks_of(*asked, options.data, options.cache)


if __name__ == "__main__":
    main()
