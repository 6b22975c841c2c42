"""Each day of a queue, forecast by the product up to where paths are made of it; kept in files, as fits are dear."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from shared.connections.files import FilesConnection
from shared.domain.durations import Duration
from shared.domain.forecasts import ForecastSpec
from shared.domain.jobs import DataPlaces, Job, JobRequest
from shared.domain.places import Place
from shared.errors import QueuecastError
from tests.bench.series import DataSet
from worker.job.catalogue import model_cards
from worker.job.ingestion import read_all, usage_query
from worker.models.base import FloatArray
from worker.pipeline.forecast import Fitted, fitted
from worker.pipeline.queue import run_queue
from worker.pipeline.wholeness import whole_steps
from worker.sources import sources
from worker.sources.base import Query, Reading

DAY, HISTORY, FIRST_DAY = 24, 28, 8
LEVELS = (0.8, 0.9, 0.95, 0.98)
EVER = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One day of a queue: what its forecast is made from, and what happened, shape (24,); levels: shape (4,)."""

    series: str
    fitted: Fitted
    spec: ForecastSpec
    actual: FloatArray
    levels: FloatArray


def request_for(data: DataSet, queue: str) -> JobRequest:
    """The job of each day."""
    place = Place(name="files", path=data.file)
    return JobRequest(
        job_name="bench",
        data=DataPlaces(source=place, destination=place),
        aggregation_time_period=Duration(1, "h"),
        data_ingestion_time_period=Duration(HISTORY, "d"),
        future_prediction_time_period=Duration(1, "d"),
        model="auto",
        queues=(queue,),
        queue_field="unique_id",
        time_field="ds",
        target=data.target,
    )


def tasks_of(data: DataSet, queue: str, folder: Path, cache: Path) -> list[Task]:
    """Of each day of the queue; from the cache where they are known there."""
    kept = cache / f"{data.name} {queue}.pickle"
    if not kept.exists():
        found = [*_tasks(request_for(data, queue), queue, folder, f"{data.name} {queue}")]
        kept.write_bytes(pickle.dumps(found))
    tasks: list[Task] = pickle.loads(kept.read_bytes())  # noqa: S301 what this very program has written
    return tasks


def _tasks(request: JobRequest, queue: str, folder: Path, series: str) -> Iterator[Task]:
    reading = _read(request, queue, folder)
    hours = reading.frame[request.target]
    levels = np.quantile(hours.dropna(), LEVELS)
    start = hours.index[0].to_pydatetime().astimezone(UTC)
    for day in range(FIRST_DAY, len(hours) // DAY):
        cutoff_at = start + timedelta(days=day)
        actual = hours[(hours.index >= cutoff_at) & (hours.index < cutoff_at + timedelta(days=1))].to_numpy(dtype=np.float64)
        if len(actual) < DAY or np.isnan(actual).any():
            continue
        history = reading.frame[(hours.index >= request.history_start(cutoff_at)) & (hours.index < cutoff_at)]
        try:
            made, spec = _fitted(request, replace(reading, frame=history), queue, cutoff_at)
        except QueuecastError as error:
            print(f"  {series} {cutoff_at:%Y-%m-%d}: {error}")
            continue
        yield Task(series=series, fitted=made, spec=spec, actual=actual, levels=levels)


def hours_of(data: DataSet, queue: str, folder: Path) -> pd.Series[float]:
    """All whole hours of a queue, by their start."""
    request = request_for(data, queue)
    return _read(request, queue, folder).frame[request.target]


def _read(request: JobRequest, queue: str, folder: Path) -> Reading:
    source = sources["files"](FilesConnection(path=folder))

    def read(query: Query) -> Reading:
        return source.read(query)

    start = datetime(1970, 1, 1, tzinfo=UTC)
    reading = read_all(request, replace(usage_query(request, queue, EVER), start=start), read)
    return whole_steps(reading, request.target, grid=request.grid, aggregation=request.aggregation)


def _fitted(request: JobRequest, reading: Reading, queue: str, cutoff_at: datetime) -> tuple[Fitted, ForecastSpec]:
    job = Job(job_id="bench", request=request, created_at=cutoff_at)
    run = run_queue(job, reading, queue=queue, issued_at=cutoff_at, created_at=cutoff_at, cards=model_cards())
    spec = run.prepared.work.spec
    made = fitted(run.selection, run.prepared.snapshot, spec)
    history = replace(made.known.history, features=pd.DataFrame)  # calendar features are made by a closure, which is no data
    return made._replace(known=replace(made.known, history=history)), spec
