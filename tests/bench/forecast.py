"""How good and how dear forecasts are, on real series: `python -m tests.bench.forecast --data DIR [--half check] [--queues 10]`.

Every queue of the data is in one of two halves, by a hash of data set and queue: grids and rules are chosen on the half `tune`,
and `check` is only measured. A task is one queue at one origin and goes through `worker.backtest.replay`, as in `queuecast
backtest`: the last ones of each series, or with `--drawn 3` three from anywhere in it, for which copies of the series are cut off
there:

    queue        ▁▂▃▅▃▂▁▂▃▅▇▅▃▂▁▂▃▅▃▂▁▂▃▅▃▂▁
    queue~14     ▁▂▃▅▃▂▁▂▃▅▇▅▃▂              its last origin is one horizon before the cut
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory

import pandas as pd

from shared.config.connection import Connection
from shared.connections.files import FilesConnection
from shared.domain.choice import Metric, SelectionRule
from shared.domain.durations import Duration
from shared.domain.jobs import DataPlaces, JobRequest, Place
from tests.bench.distribution import spread
from worker.backtest.replay import QueueReplay, replay
from worker.backtest.summary import CutoffResult, overall_summary, queue_summary
from worker.job.ingestion import usage_query
from worker.sources import sources

NAIVE2_SMAPE, NAIVE2_MASE = 18.383, 2.395  # of M4-Hourly (Makridakis et al., The M4 Competition, Int. J. Forecasting 36, 2020)
M4_HOURS = 48
HISTORY_HOURS = 14 * 24
LIBRARIES = ("statsforecast", "prophet", "statsmodels", "torch", "numpy", "pandas")


@dataclass(frozen=True)
class DataSet:
    """A file below --data, and which column of it is forecast."""

    name: str
    file: str
    target: str = "y"

    def request(self, horizon: int, options: argparse.Namespace, queues: Sequence[str]) -> JobRequest:
        place = Place(name="files", path=self.file)
        return JobRequest(
            job_name="bench",
            data=DataPlaces(source=place, destination=place),
            aggregation_time_period=Duration(1, "h"),
            data_ingestion_time_period=Duration(60 * 24 if self.name == M4.name else HISTORY_HOURS, "h"),
            future_prediction_time_period=Duration(horizon, "h"),
            model="auto" if list(options.models) == ["auto"] else tuple(options.models),
            selection=SelectionRule(options.selection),
            metric=Metric(options.metric),
            queues=tuple(queues),
            queue_field="unique_id",
            time_field="ds",
            target=self.target,
        )


UTILISATION = (
    DataSet("pools_cpu", "pools_hourly.parquet", "cpu_used"),
    DataSet("pools_memory", "pools_hourly.parquet", "memory_used"),
    DataSet("bitbrains_pool", "bitbrains_pool_hourly.parquet"),
    DataSet("bitbrains_vm", "bitbrains_vm_hourly.parquet"),
    DataSet("nab_aws", "nab_aws_hourly.parquet"),
    DataSet("google_tasks", "google_tasks_hourly.parquet"),
)
M4 = DataSet("m4", "m4_hourly.parquet")


def half_of(data_set: str, queue: str) -> str:
    """`tune` or `check`, for good."""
    return "check" if hashlib.sha256(f"{data_set}/{queue}".encode()).digest()[0] % 2 else "tune"


def queues_of(data: DataSet, connection: Connection, options: argparse.Namespace) -> list[str]:
    """The queues of the half asked for, or a sample of them."""
    request = data.request(1, options, ("*",))
    known = sources["files"](connection).queues(usage_query(request, "", datetime.now(UTC)))
    inside = [queue for queue in known if options.half in {"all", half_of(data.name, queue)}]
    return random.Random(options.seed).sample(inside, min(options.queues or len(inside), len(inside)))


def tasks_of(data: DataSet, horizon: int, options: argparse.Namespace) -> list[CutoffResult]:
    """Replay the data set; says what could not be forecast."""
    connection = FilesConnection(path=options.data)
    queues = queues_of(data, connection, options)
    if not queues:
        return []
    if options.drawn and data is not M4:
        with TemporaryDirectory() as folder:
            cut = cut_off(data, queues, horizon, options, Path(folder))
            return replayed(data.request(horizon, options, cut), FilesConnection(path=Path(folder)), 1, options)
    return replayed(data.request(horizon, options, queues), connection, 1 if data is M4 else options.origins, options)


def cut_off(data: DataSet, queues: Sequence[str], horizon: int, options: argparse.Namespace, folder: Path) -> list[str]:
    """Copies of the queues that end at drawn places, as a file of the same name; the names of the copies."""
    draw = random.Random(f"{options.seed} {data.name} {horizon}")
    frame = pd.read_parquet(options.data / data.file)
    copies = {}
    for queue in sorted(queues):
        own = frame[frame["unique_id"] == queue]
        shortest = min(HISTORY_HOURS + horizon, len(own))
        for end in (draw.randint(shortest, len(own)) for _ in range(options.drawn)):
            copies[f"{queue}~{end}"] = own.iloc[:end].assign(unique_id=f"{queue}~{end}")
    pd.concat(copies.values()).to_parquet(folder / data.file)
    return list(copies)


def replayed(request: JobRequest, connection: Connection, origins: int, options: argparse.Namespace) -> list[CutoffResult]:
    """All forecasts of these queues; says what could not be forecast."""
    found: list[QueueReplay] = replay(request, {"files": connection}, origins=origins, processes=options.jobs)
    for each in (each for each in found if each.reasons):
        print(f"  {each.queue}: {'; '.join(each.reasons)}")
    return [result for each in found for result in each.results]


def line(name: str, tasks: Sequence[CutoffResult]) -> str:
    """The figures of some tasks."""
    summaries = [queue_summary([task]) for task in tasks]
    found = overall_summary(summaries)
    shown = [
        each.mape / task.forecast.mape for each, task in zip(summaries, tasks, strict=True) if each.mape and task.forecast.mape
    ]
    return (
        f"{name:15} {len(tasks):5} tasks  WAPE ratio {number(found.wape_ratio)}  MAPE {number(found.mape, 1)}  "
        f"MASE {number(found.mase)}  covered {number(found.coverage, 1)} %  "
        f"MAPE ÷ shown {number(median(shown) if shown else None, 2)}  CPU {found.seconds / len(tasks):.2f} s"
    )


def number(value: float | None, digits: int = 3) -> str:
    """For people; a dash where it is not defined."""
    return "–" if value is None else f"{value:.{digits}f}"


def prices(tasks: Sequence[CutoffResult]) -> str:
    """CPU seconds of the backtest by model, mean over the tasks in which the model was tried."""
    names = sorted({name for task in tasks for name in task.seconds_by_model})
    spent = {name: [task.seconds_by_model[name] for task in tasks if name in task.seconds_by_model] for name in names}
    return ", ".join(f"{name} {mean(seconds):.3f}" for name, seconds in spent.items())


def winners(tasks: Sequence[CutoffResult]) -> str:
    """How often which model was chosen."""
    names = [task.forecast.model for task in tasks]
    return ", ".join(f"{name} {names.count(name)}" for name in sorted(set(names), key=names.count, reverse=True))


def bench_utilisation(horizon: int, options: argparse.Namespace) -> None:
    """Each data set and all of them together, pooled over tasks."""
    print(f"\n{horizon} steps ahead, 14 days of history")
    found = {data.name: tasks_of(data, horizon, options) for data in UTILISATION}
    for name, tasks in found.items():
        print(line(name, tasks) if tasks else f"{name:15} no queue in this half")
        if tasks:
            print(f"    {spread(tasks, options.seed)}")
    if pooled := list(chain.from_iterable(found.values())):
        print(line("pooled", pooled))
        print(f"    {spread(pooled, options.seed)}")
        print(f"CPU s by model: {prices(pooled)}\nchosen: {winners(pooled)}")


def bench_m4(options: argparse.Namespace) -> None:
    """The competition's own test part; its measures are means over series."""
    print(f"\nM4-Hourly, {M4_HOURS} steps ahead, full history")
    if not (tasks := tasks_of(M4, M4_HOURS, options)):
        return
    summaries = [queue_summary([task]) for task in tasks]
    smape, mase = (mean(getattr(each, name) for each in summaries) for name in ("smape", "mase"))
    print(line("m4", tasks))
    print(f"sMAPE {smape:.3f}  MASE {mase:.3f}  OWA {(smape / NAIVE2_SMAPE + mase / NAIVE2_MASE) / 2:.3f}")
    print(f"CPU s by model: {prices(tasks)}\nchosen: {winners(tasks)}")


def main() -> None:
    """Read what is asked, say what it runs on, and run it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=lambda text: Path(text).resolve(), required=True, help="folder with the Parquet files")
    parser.add_argument("--half", choices=("tune", "check", "all"), default="check")
    parser.add_argument("--queues", type=int, default=0, help="sample so many queues of each data set; 0 = all")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--origins", type=int, default=3, help="per queue, one horizon apart, the last one at the data's end")
    parser.add_argument("--drawn", type=int, default=0, help="instead: so many per queue, from anywhere in it")
    parser.add_argument("--horizons", type=int, nargs="*", default=[24, 72])
    parser.add_argument("--models", nargs="+", default=["auto"])
    parser.add_argument("--selection", choices=[*SelectionRule], default=SelectionRule.LOWEST_MAPE, help="rule of choice")
    parser.add_argument("--metric", choices=[*Metric], default=Metric.MAPE, help="what candidates are compared by")
    parser.add_argument("--no-m4", action="store_true", help="leave M4-Hourly out")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    options = parser.parse_args()
    asked = {
        name: getattr(options, name) for name in ("half", "queues", "seed", "origins", "drawn", "models", "selection", "metric")
    }
    versions = {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}
    print(json.dumps({"date": f"{datetime.now(UTC):%Y-%m-%d}"} | asked | versions))
    for horizon in options.horizons:
        bench_utilisation(horizon, options)
    if not options.no_m4:
        bench_m4(options)


if __name__ == "__main__":
    main()
