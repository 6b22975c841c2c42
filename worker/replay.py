"""`queuecast backtest`: the very pipeline of a job on past data, without API or broker.

    data of one queue   ──────────────────────────────┬─────────┬─────────┬─────────┤ end
                                                   origin 1  origin 2  origin 3
    each origin is the `as_of` of a job: [origin − history, origin) is read, [origin, origin + horizon) is what happened

Nothing at or after an origin is seen by what is forecast there. A queue is one unit of work: its outcome does not depend on how
many processes share the queues.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing import get_context
from typing import Any

import numpy as np
import pandas as pd

from shared.buckets import bucket_start, step_start
from shared.cards import candidates_of
from shared.connections import Connection
from shared.errors import QueuecastError, SeriesTooShort
from shared.forecasts import Failure, Forecast, ForecastSpec, Outcome
from shared.jobs import Job, JobRequest
from worker.catalogue import model_cards
from worker.guard import tried
from worker.pipeline.backtest import backtest
from worker.pipeline.ensembles import wanted_blends
from worker.pipeline.forecast import forecast_queue
from worker.pipeline.history import clip, history_at, seasonal_naive
from worker.pipeline.measures import mase_scale
from worker.pipeline.plan import accepted_queues, queue_work, wanted_queues
from worker.pipeline.reporting import choose_and_report
from worker.pipeline.score import cpu_seconds, score
from worker.pipeline.selection import with_failure
from worker.pipeline.snapshot import Snapshot, make_snapshot
from worker.pipeline.summary import OriginResult
from worker.sources import sources
from worker.sources.base import Query, Source

Row = dict[str, Any]

WHOLE_SHARE = 0.9  # of the samples that a step usually has; a missed scrape or two leave it whole
_EVER = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueReplay:
    """All origins of one queue, oldest first; `reasons` says why an origin has no forecast."""

    queue: str
    results: tuple[OriginResult, ...]
    reasons: tuple[str, ...] = ()


def replay(
    request: JobRequest,
    connection: Connection,
    *,
    origins: int,
    processes: int = 1,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[QueueReplay]:
    """Replay every queue that the request asks for, by name.

    Args:
        request: as of a job; `as_of` is not looked at.
        connection: of the source.
        origins: how many, one horizon apart, the last one horizon before the queue's data end.
        processes: how many share the queues.
        on_progress: is told how many queues are done, of how many.

    Raises:
        DataError, RequestError: there is nothing to replay.
    """
    candidates_of(request, model_cards())  # a model that does not exist is told once, not for every origin
    source = sources[connection.kind](connection)
    names = _names(source, request)
    replay_one = partial(replay_queue, request, connection, origins)
    found = []
    with _mapped(processes) as map_:
        for done in map_(replay_one, names):
            found.append(done)
            on_progress(len(found), len(names))
    return found


def replay_queue(request: JobRequest, connection: Connection, origins: int, queue: str) -> QueueReplay:
    """Replay one queue; what cannot be forecast is told in `reasons`."""
    try:
        frame = _whole_steps(sources[connection.kind](connection), _query(request, queue), request.target)
        origin_times = _origins(frame, request, origins, queue)
    except QueuecastError as error:
        return QueueReplay(queue=queue, results=(), reasons=(str(error),))
    results: list[OriginResult] = []
    reasons: list[str] = []
    for origin_at in origin_times:
        try:
            results.append(_replay_origin(request, frame, queue, origin_at))
        except QueuecastError as error:
            reasons.append(f"{origin_at:%Y-%m-%d %H:%M}Z: {error}")
    return QueueReplay(queue=queue, results=tuple(results), reasons=tuple(reasons))


def rows(replayed: Sequence[QueueReplay]) -> Iterator[Row]:
    """One row per queue, origin and step."""
    for result in (result for queue in replayed for result in queue.results):
        forecast = result.forecast
        columns = (forecast.timestamps, result.actual, forecast.prediction, forecast.lower_bound, forecast.upper_bound)
        for step, (timestamp, actual, prediction, lower, upper) in enumerate(zip(*columns, strict=True), start=1):
            yield {
                "queue": forecast.queue,
                "origin": forecast.issued_at,
                "timestamp": timestamp,
                "step": step,
                "actual": None if np.isnan(actual) else actual,
                "prediction": prediction,
                "lower_bound": lower,
                "upper_bound": upper,
                "model": forecast.model,
                "hyperparameters": json.dumps(dict(forecast.hyperparameters), sort_keys=True),
            }


def _names(source: Source, request: JobRequest) -> list[str]:
    """The queues that the request asks for, as a job would name them."""
    known, _left_out = accepted_queues(source.queues(request.data.sources[0], request.queue_field))
    return wanted_queues(request, known)


def _replay_origin(request: JobRequest, frame: pd.DataFrame, queue: str, origin_at: datetime) -> OriginResult:
    started = cpu_seconds()
    history = frame[(frame.index >= request.history_start(origin_at)) & (frame.index < origin_at)]
    snapshot, _notes = make_snapshot(
        history, queue=queue, target=request.target, step_seconds=request.step_seconds, issued_at=origin_at
    )
    work, _warnings = queue_work(request, snapshot, origin_at, cards=model_cards())
    windows = backtest(snapshot, work.spec)
    outcomes = [score(candidate, windows, work.spec) for candidate in work.candidates]
    by_model: dict[str, float] = {}
    for outcome in outcomes:
        by_model[outcome.candidate.model] = by_model.get(outcome.candidate.model, 0.0) + outcome.seconds
    forecast = _best_forecast(request, snapshot, work.spec, outcomes)
    naive, scale = _reference(snapshot, work.spec)
    return OriginResult(
        forecast=forecast,
        actual=frame[request.target].reindex(pd.DatetimeIndex(forecast.timestamps)).to_numpy(dtype=np.float64),
        naive=naive,
        scale=scale,
        interval=request.interval,
        seconds=cpu_seconds() - started,
        seconds_by_model=by_model,
    )


def _best_forecast(request: JobRequest, snapshot: Snapshot, spec: ForecastSpec, outcomes: list[Outcome]) -> Forecast:
    """As in `select`: a winner that cannot be fitted again leaves its place to the next one; raises UndefinedScore."""
    costs = {card.name: card.cost for card in model_cards()}
    job = Job(job_id="backtest", request=request, created_at=snapshot.end_at)
    while True:
        selection = choose_and_report(outcomes, costs, wanted_blends(request))
        work = partial(forecast_queue, selection.winner, snapshot, spec, job=job, members=selection.members)
        forecast = tried(selection.winner.candidate, 1, work)
        if not isinstance(forecast, Failure):
            return forecast
        outcomes = with_failure(outcomes, forecast)


def _reference(snapshot: Snapshot, spec: ForecastSpec) -> tuple[np.ndarray[Any, Any], float]:
    """The seasonal naive's forecast of the same steps, and MASE's scale."""
    history = history_at(snapshot, snapshot.length, spec.horizon_steps, spec)
    return clip(seasonal_naive(history, spec.horizon_steps), spec.bounds), mase_scale(history.target, history.steps_per_day)


def _whole_steps(source: Source, query: Query, target: str) -> pd.DataFrame:
    """All that the source has of the queue, up to its last whole step: a half-filled hour looks like a drop in load.

    The last step with a value is whole when it has about as many samples as those before it have on average.
    """
    reading = source.read(query)
    known = reading.frame[target].dropna().index
    last = source.read(replace(query, start=known[-1].to_pydatetime()))
    newest = last.rows - last.duplicates
    before = (reading.rows - reading.duplicates - newest) / max(1, len(known) - 1)
    return reading.frame[reading.frame.index < known[-1]] if newest < WHOLE_SHARE * before else reading.frame


def _origins(frame: pd.DataFrame, request: JobRequest, origins: int, queue: str) -> list[datetime]:
    """One horizon apart, oldest first; those before the data begin are left out."""
    known = frame[request.target].dropna()
    end_at = step_start(known.index[-1].to_pydatetime(), 2, request.step_seconds)
    horizon = timedelta(seconds=request.step_seconds * request.horizon_steps(end_at))
    found = [end_at - horizon * back for back in range(origins, 0, -1)]
    inside = [origin_at for origin_at in found if origin_at > known.index[0]]
    if not inside:
        raise SeriesTooShort(f"found {len(known)} steps, not more than one horizon", queue=queue)
    return inside


def _query(request: JobRequest, queue: str) -> Query:
    start, end = (bucket_start(moment, request.step_seconds) for moment in _EVER)
    return Query(
        place=request.data.sources[0],
        queue=queue,
        queue_field=request.queue_field,
        time_field=request.time_field,
        target=request.target,
        columns=request.columns,
        start=start,
        end=end,
        step_seconds=request.step_seconds,
        aggregation=request.aggregation,
    )


Mapper = Callable[[Callable[[str], QueueReplay], list[str]], Iterator[QueueReplay]]


@contextmanager
def _mapped(processes: int) -> Iterator[Mapper]:
    """`map` in this process or over several; new ones are spawned, since forking would copy threads of libraries."""
    if processes == 1:
        yield map
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield pool.map
