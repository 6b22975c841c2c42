"""How good and how dear forecasts are, on real series: `python -m tests.bench.forecast --data DIR [--half check] [--drawn 3]`.

Every queue of the data is in one of two halves, by a hash of data set and queue: grids and rules are chosen on the half `tune`,
and `check` is only measured. A task is one queue at one origin and goes through `worker.backtest.replay`, as in `queuecast
backtest`: the last ones of each series, or with `--drawn 3` three from anywhere in it, for which copies of the series are cut off
there. Brackets tell what a bootstrap by queue gives. AutoGluon stands beside it where it can be imported.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from shared.connections.files import FilesConnection
from shared.domain.choice import Effort, Metric, SelectionRule
from shared.domain.durations import Duration
from shared.domain.jobs import DataPlaces, JobRequest
from shared.domain.places import Place
from tests.bench import autogluon
from tests.bench.distribution import OF_PEAKS, OF_STEPS
from tests.bench.figures import OF_POINTS, prices, still, winners
from tests.bench.published import GIFT, GIFT_HOURS, GIFT_WINDOWS, M4_HOURS, OF_M4
from tests.bench.series import M4, STILL, UTILISATION, VMS, DataSet, cut_off, make_still, queues_of
from tests.bench.spread import with_spread
from worker.backtest.replay import QueueReplay, replay
from worker.backtest.summary import CutoffResult

M4_DAYS = 60
STILL_HORIZON = 72
LIBRARIES = ("statsforecast", "scikit-learn", "prophet", "statsmodels", "torch", "numpy", "pandas")
DECILES = (0.2, 0.3, 0.4, 0.6, 0.7, 0.8)  # those that are not delivered anyway
ASKED = ("half", "queues", "seed", "origins", "drawn", "history", "models", "effort", "selection", "metric")


def request_for(data: DataSet, horizon: int, options: argparse.Namespace, queues: Sequence[str]) -> JobRequest:
    """The job that is replayed."""
    place = Place(name="files", path=data.file)
    return JobRequest(
        job_name="bench",
        data=DataPlaces(source=place, destination=place),
        aggregation_time_period=Duration(1, "h"),
        data_ingestion_time_period=Duration(M4_DAYS if data is M4 else options.history, "d"),
        future_prediction_time_period=Duration(horizon, "h"),
        model="auto" if list(options.models) == ["auto"] else tuple(options.models),
        effort=Effort(options.effort),
        selection=SelectionRule(options.selection),
        metric=Metric(options.metric),
        quantiles=DECILES,
        queues=tuple(queues),
        queue_field="unique_id",
        time_field="ds",
        target=data.target,
    )


def tasks_of(data: DataSet, horizon: int, options: argparse.Namespace) -> list[CutoffResult]:
    """Replay the data set; says what could not be forecast."""
    queues = queues_of(data, options.data, half=options.half, most=options.queues, seed=options.seed)
    if not queues:
        return []
    if options.drawn and data is not M4:
        with TemporaryDirectory() as made:
            folder = Path(made)
            cut = cut_off(data, queues, horizon, drawn=options.drawn, seed=options.seed, source=options.data, folder=folder)
            return replayed(request_for(data, horizon, options, cut), folder, 1, options.jobs)
    return replayed(request_for(data, horizon, options, queues), options.data, 1 if data is M4 else options.origins, options.jobs)


def replayed(request: JobRequest, folder: Path, origins: int, processes: int) -> list[CutoffResult]:
    """All forecasts of these queues; says what could not be forecast."""
    found: list[QueueReplay] = replay(request, {"files": FilesConnection(path=folder)}, origins=origins, processes=processes)
    for each in (each for each in found if each.reasons):
        print(f"  {each.queue}: {'; '.join(each.reasons)}")
    return [result for each in found for result in each.results]


def told(name: str, tasks: Sequence[CutoffResult], seed: int) -> None:
    """The figures of some tasks, on three lines."""
    print(f"{name:15} {len(tasks):5} tasks  {with_spread(OF_POINTS, tasks, seed)}")
    print(f"    {with_spread(OF_STEPS, tasks, seed)}")
    print(f"    peaks: {with_spread(OF_PEAKS, tasks, seed)}")


def bench_utilisation(horizon: int, options: argparse.Namespace) -> None:
    """Each data set and all of them together, pooled over tasks."""
    print(f"\n{horizon} steps ahead, {options.history} days of history")
    found = {data.name: tasks_of(data, horizon, options) for data in UTILISATION}
    for data in UTILISATION:
        if tasks := found[data.name]:
            told(data.name, tasks, options.seed)
            autogluon.told(data, tasks, options)
        else:
            print(f"{data.name:15} no queue in this half")
    if pooled := list(chain.from_iterable(found.values())):
        told("pooled", pooled, options.seed)
        print(f"{still(pooled)}\nCPU s by model: {prices(pooled)}\nchosen: {winners(pooled)}")


def bench_m4(options: argparse.Namespace) -> None:
    """The competition's own test part; its measures are means over series."""
    print(f"\nM4-Hourly, {M4_HOURS} steps ahead, full history")
    if tasks := tasks_of(M4, M4_HOURS, options):
        told(M4.name, tasks, options.seed)
        print(f"{with_spread(OF_M4, tasks, options.seed)}\nCPU s by model: {prices(tasks)}\nchosen: {winners(tasks)}")
        autogluon.told(M4, tasks, options)


def bench_machines(options: argparse.Namespace) -> None:
    """Machines by the measures of GIFT-Eval; not its task, whose series are others."""
    print(
        f"\nas GIFT-Eval's bitbrains_rnd/H/short, but other machines: {GIFT_HOURS} steps ahead, the last {GIFT_WINDOWS} windows"
    )
    last = argparse.Namespace(**{**vars(options), "drawn": 0, "origins": GIFT_WINDOWS})
    if tasks := tasks_of(VMS, GIFT_HOURS, last):
        print(f"{len(tasks)} tasks  {with_spread(GIFT, tasks, options.seed)}")


def bench_still(options: argparse.Namespace) -> None:
    """Made-up series that do not change, or have stopped to: whoever repeats their last value is right."""
    print(f"\nstill series, made up, {STILL_HORIZON} steps ahead")
    with TemporaryDirectory() as made:
        make_still(Path(made))
        own = argparse.Namespace(**{**vars(options), "data": Path(made), "half": "all", "queues": 0, "drawn": 0, "origins": 1})
        print(still(tasks_of(STILL, STILL_HORIZON, own)))


PARTS = {"m4": bench_m4, "machines": bench_machines, "still": bench_still}


def main() -> None:
    """Read what is asked, say what it runs on, and run it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=lambda text: Path(text).resolve(), required=True, help="folder with the Parquet files")
    parser.add_argument("--half", choices=("tune", "check", "all"), default="check")
    parser.add_argument("--queues", type=int, default=0, help="sample so many queues of each data set; 0 = all")
    parser.add_argument("--seed", type=int, default=0, help="of the sample, the origins and the bootstrap")
    parser.add_argument("--origins", type=int, default=3, help="per queue, one horizon apart, the last one at the data's end")
    parser.add_argument("--drawn", type=int, default=0, help="instead: so many per queue, from anywhere in it")
    parser.add_argument("--history", type=int, default=28, help="days of history that are asked for")
    parser.add_argument("--horizons", type=int, nargs="*", default=[24, 72])
    parser.add_argument("--models", nargs="+", default=["auto"])
    parser.add_argument("--effort", choices=[*Effort], default=Effort.NORMAL, help="how much `auto` tries")
    parser.add_argument("--selection", choices=[*SelectionRule], default=SelectionRule.LOWEST_MAPE, help="rule of choice")
    parser.add_argument("--metric", choices=[*Metric], default=Metric.MAPE, help="what candidates are compared by")
    parser.add_argument("--parts", choices=[*PARTS], nargs="*", default=[*PARTS], help="what else is measured")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    options = parser.parse_args()
    versions = {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}
    asked = {name: getattr(options, name) for name in ASKED}
    print(json.dumps({"date": f"{datetime.now(UTC):%Y-%m-%d}"} | asked | versions))
    for horizon in options.horizons:
        bench_utilisation(horizon, options)
    for part in options.parts:
        PARTS[part](options)


if __name__ == "__main__":
    main()
