"""`queuecast backtest`: the very pipeline of a job on past data, without API or broker.

    data of one queue   ──────────────────────────────┬─────────┬─────────┬─────────┤ end
                                                   cutoff 1  cutoff 2  cutoff 3
    each cutoff is the `as_of` of a job: [cutoff − history, cutoff) is read, [cutoff, cutoff + horizon) is what happened

Nothing at or after a cutoff is seen by what is forecast there. A queue is one unit of work: its outcome does not depend on how
many processes share the queues.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context

import numpy as np
import pandas as pd

from shared.config.connection import Connection
from shared.domain.aliases import Alias, former_names
from shared.domain.forecasts import Forecast, ForecastSpec
from shared.domain.jobs import Job, JobRequest
from shared.domain.places import Place
from shared.domain.search_space import candidates_of
from shared.domain.wording import counted
from shared.errors import QueuecastError, SeriesTooShort
from worker.backtest.export import BAND
from worker.backtest.known import Known, known_of
from worker.backtest.summary import CutoffResult
from worker.job.catalogue import model_cards
from worker.job.event_files import text_at, with_file_events
from worker.job.former_names import with_names
from worker.job.ingestion import at_first, read_all, usage_query
from worker.models.base import FloatArray
from worker.pipeline.doubts import counter
from worker.pipeline.history import clip, known_at_issue, reference_forecast
from worker.pipeline.lost import check_losses
from worker.pipeline.measures import mase_scale
from worker.pipeline.oddities import oddities, other_unit
from worker.pipeline.plan import accepted_queues, wanted_queues
from worker.pipeline.queue import run_queue
from worker.pipeline.saturation import as_demand
from worker.pipeline.score import cpu_seconds
from worker.pipeline.snapshot import Snapshot
from worker.pipeline.wholeness import whole_steps
from worker.prepare.digits import rounded
from worker.prepare.occasions import excluded_steps
from worker.sources import sources
from worker.sources.base import Query, Reading, Source

COLUMNS = ("queue", "origin", "timestamp", "step", "actual", *BAND, "model", "hyperparameters")
_EVER = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueReplay:
    """All cutoffs of one queue, oldest first; `reasons` says why one has no forecast."""

    queue: str
    results: tuple[CutoffResult, ...]
    reasons: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()  # of its data, and what is doubtful of them, in words
    known: Known | None = None


def replay(
    request: JobRequest,
    connections: Mapping[str, Connection],
    *,
    origins: int,
    processes: int = 1,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    aliases: Sequence[Alias] = (),
) -> list[QueueReplay]:
    """Replay every queue that the request asks for, by name.

    Args:
        request: as of a job; `as_of` is not looked at.
        connections: of its sources, by the names that its places have.
        origins: how many cutoffs, one horizon apart, the last one horizon before the queue's data end.
        processes: how many share the queues; on_progress is told how many of them are done.
        aliases: what queues were called before; under that name they are not replayed.

    Raises:
        DataError, RequestError: there is nothing to replay.
    """
    candidates_of(request, model_cards())  # a model that does not exist is told once, not for every cutoff
    _with_events(request, connections, datetime.now(UTC))  # likewise what is wrong with a file of events
    names = _names(request, connections, aliases)
    replayed, replay_one = [], partial(replay_queue, request, connections, origins, aliases)
    with _mapped(processes) as map_:
        for done in map_(replay_one, names):
            replayed.append(done)
            on_progress(len(replayed), len(names))
    return replayed


def replay_queue(
    request: JobRequest, connections: Mapping[str, Connection], origins: int, aliases: Sequence[Alias], queue: str
) -> QueueReplay:
    """Replay one queue; what cannot be forecast is told in `reasons`."""
    losses: tuple[str, ...] = ()
    try:
        reading = _whole_steps(request, connections, queue, former_names(queue, aliases))
        losses = (*(loss.text for loss in reading.losses), *reading.advice, *_doubts(request, reading))
        check_losses(request, reading, queue)
        cutoffs = _cutoffs(reading.frame, request, origins, queue)
    except QueuecastError as error:
        return QueueReplay(queue=queue, results=(), reasons=(str(error),), losses=losses)
    results: list[CutoffResult] = []
    reasons: list[str] = []
    for cutoff_at in cutoffs:
        try:
            results.append(_replay_cutoff(_with_events(request, connections, cutoff_at), reading, queue, cutoff_at))
        except QueuecastError as error:
            reasons.append(f"{cutoff_at:%Y-%m-%d %H:%M}Z: {error}")
    known = known_of(request, reading.frame[request.target], cutoffs)
    return QueueReplay(queue=queue, results=tuple(results), reasons=tuple(reasons), losses=losses, known=known)


def _doubts(request: JobRequest, reading: Reading) -> Iterator[str]:
    """What is doubtful of all that was read, as a job says it of its history."""
    values = reading.frame[request.target].dropna()
    if said := counter(values.to_numpy()) or other_unit(values, request.step_seconds):
        yield said
    yield from oddities(values, request.step_seconds)


def columns_of(replayed: Sequence[QueueReplay]) -> list[str]:
    """The columns of `rows`: after the others `q0.05` and the like, one for each level of the quantiles."""
    return [*COLUMNS, *next((result.forecast.quantiles.names for queue in replayed for result in queue.results), ())]


def rows(replayed: Sequence[QueueReplay]) -> Iterator[tuple[object, ...]]:
    """One row of `columns_of` per queue, cutoff (there `origin`, as users know it) and step."""
    for result in (result for queue in replayed for result in queue.results):
        forecast = result.forecast
        hyperparameters = json.dumps(dict(forecast.hyperparameters), sort_keys=True)
        columns = (forecast.timestamps, result.actual.tolist(), forecast.prediction, forecast.lower_bound, forecast.upper_bound)
        quantiles = zip(*forecast.quantiles.values, strict=True)
        for step, ((timestamp, *numbers), levels) in enumerate(zip(zip(*columns, strict=True), quantiles, strict=True), start=1):
            yield forecast.queue, forecast.issued_at, timestamp, step, *numbers, forecast.model, hyperparameters, *levels


def _with_events(request: JobRequest, connections: Mapping[str, Connection], at: datetime) -> JobRequest:
    return with_file_events(request, at, lambda file: text_at(file, connections[file.name]))


def _source(place: Place, connections: Mapping[str, Connection]) -> Source:
    connection = connections[place.name]
    return sources[connection.kind](connection)


def _names(request: JobRequest, connections: Mapping[str, Connection], aliases: Sequence[Alias]) -> list[str]:
    """The queues that the request asks for, as a job would name them, but for those that have another name now."""
    usage = request.data.sources[0]
    query = at_first(request, usage_query(request, "", _EVER[1]))
    known, _left_out = accepted_queues(_source(usage, connections).queues(query))
    gone = {alias.old for alias in aliases}
    return [name for name in wanted_queues(request, known)[0] if name not in gone]


def _replay_cutoff(request: JobRequest, reading: Reading, queue: str, cutoff_at: datetime) -> CutoffResult:
    started, frame = cpu_seconds(), reading.frame
    history = frame[(frame.index >= request.history_start(cutoff_at)) & (frame.index < cutoff_at)]
    job = Job(job_id="backtest", request=request, created_at=cutoff_at)
    last_at = request.grid.step_start(cutoff_at, request.horizon_steps(cutoff_at))
    known = reading.regressors[:last_at] if request.regressors else reading.regressors
    given = replace(reading, frame=history, regressors=known)
    run = run_queue(job, given, queue=queue, issued_at=cutoff_at, created_at=cutoff_at, cards=model_cards())
    by_model: dict[str, float] = {}
    for outcome in run.outcomes:
        by_model[outcome.candidate.model] = by_model.get(outcome.candidate.model, 0.0) + outcome.seconds
    reference, scale = _reference(run.prepared.snapshot, run.prepared.work.spec)
    return CutoffResult(
        forecast=run.forecast,
        actual=_actual(frame[request.target], run.forecast, request),
        reference=reference,
        scale=scale,
        level=request.interval,
        seconds=cpu_seconds() - started,
        seconds_by_model=by_model,
    )


def _actual(values: pd.Series[float], forecast: Forecast, request: JobRequest) -> FloatArray:
    """What happened at the steps of a forecast; NaN where that is not known, or known to be bad."""
    times = pd.DatetimeIndex(forecast.timestamps)
    # Rounded as the history is, or a value that stays would be a miss.
    actual = rounded(np.asarray(values.reindex(times).to_numpy(), dtype=np.float64))
    return np.where(excluded_steps(times, forecast.grid, request.exclude), np.nan, actual)


def _reference(snapshot: Snapshot, spec: ForecastSpec) -> tuple[FloatArray, float]:
    """The reference forecast of the same steps, which knows nothing of occasions, regressors and levels, and MASE's scale."""
    plain = replace(snapshot, regressors=pd.DataFrame())
    known, ahead = known_at_issue(plain, replace(spec, holidays=None, events=()))
    reference = reference_forecast(known.as_it_was())[ahead:]
    return clip(reference, spec.bounds), mase_scale(known.seen, known.history.steps_per_day)


def _whole_steps(request: JobRequest, connections: Mapping[str, Connection], queue: str, former: Sequence[Alias]) -> Reading:
    """All that there is of the queue, up to its last whole step: a half-filled hour looks like a drop in load."""

    def read(query: Query) -> Reading:
        return _source(query.place, connections).read(query)

    start, end = map(request.grid.bucket_start, _EVER)
    query = replace(usage_query(request, queue, end), start=start)
    reading = read_all(request, query, with_names(queue, former, read))
    return whole_steps(as_demand(request, reading).reading, request.target, grid=request.grid, aggregation=request.aggregation)


def _cutoffs(frame: pd.DataFrame, request: JobRequest, origins: int, queue: str) -> list[datetime]:
    """One horizon apart, oldest first; those before the data begin are left out."""
    known = frame[request.target].dropna()
    end_at = request.grid.step_start(known.index[-1].to_pydatetime(), 2)
    horizon = request.horizon_steps(end_at)
    asked = [request.grid.step_start(end_at, 1 - horizon * back) for back in range(origins, 0, -1)]
    inside = [issued_at for at in asked if (issued_at := replace(request, as_of=at).issue_time(at)) > known.index[0]]
    if not inside:
        raise SeriesTooShort(f"found {counted(len(known), 'step')}, not more than one horizon", queue=queue)
    return inside


Mapper = Callable[[Callable[[str], QueueReplay], list[str]], Iterator[QueueReplay]]


@contextmanager
def _mapped(processes: int) -> Iterator[Mapper]:
    """`map` in this process or over several; new ones are spawned, since forking would copy threads of libraries."""
    if processes == 1:
        yield map
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield pool.map
