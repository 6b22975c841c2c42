"""Every Prometheus metric, declared once, with the few sentences in which the parts say what has happened.

Counted where it happens: HTTP in the API, candidates and deliveries in Celery's children, recovery actions in the reaper.
Processes whose environment names one folder (shared/telemetry/metrics_folder.py) count into files there, and each of them can
show what all have counted.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from celery.utils.log import current_process_index  # type: ignore[attr-defined] # its types lack it
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, Metric, values
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from shared.domain.accuracy import ErrorSums
from shared.domain.exceedance import Exceedance, beyond_share, over_limit, steps_over
from shared.domain.forecasts import Forecast, Outcome, Score
from shared.domain.jobs import Job, JobState
from shared.domain.outgoing import label
from shared.telemetry.metrics_folder import FOLDER


def counting_process() -> str:
    """Whose files this process writes: those of its slot in a pool of Celery's, else those of its pid.

    A pool replaces its children every 500 tasks; the next child of a slot goes on counting where the last one ended, so the
    files stay as many as the slots. What remains are those of a main process that was started again, until the folder is emptied.
    """
    slot = current_process_index(base=0)
    return str(os.getpid()) if slot is None else f"{os.getppid()}-{slot}"


if FOLDER in os.environ:  # decided once, before the first metric is made
    values.ValueClass = values.MultiProcessValue(counting_process)  # type: ignore[no-untyped-call]

OF_A_SERIES = ("project", "cluster", "queue", "metric", "job")
OF_QUEUES = {
    "queuecast_queue_mape": "Backtest MAPE in percent of the newest forecast; NaN where it is not defined.",
    "queuecast_queue_real_wape": "WAPE in percent of the forecasts of the last 30 days, against what happened; NaN likewise.",
    "queuecast_queue_real_coverage": "Percent of what happened in the last 30 days that lay within the forecasts' bounds.",
}

OF_LIMITS: dict[Callable[[Forecast, datetime], Exceedance | None], tuple[str, str]] = {
    over_limit: (
        "queuecast_queue_over_limit_steps",
        "Steps ahead at the queue's limit (its maximum, else what it is guaranteed) or above it: likely, and possible besides.",
    ),
    beyond_share: ("queuecast_queue_beyond_share_steps", "Steps ahead above what the queue is guaranteed, likewise."),
}
JOBS = Counter("queuecast_jobs", "Jobs that have ended, by the state in which they did.", ["state"])
JOB_SECONDS = Histogram(
    "queuecast_job_seconds",
    "From the request, or the retry, to the end of the job.",
    buckets=(1, 5, 15, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200),
)
CANDIDATES = Counter("queuecast_candidates", "Candidates with an outcome: scored, or the error's name.", ["model", "outcome"])
CANDIDATE_SECONDS = Histogram(
    "queuecast_candidate_seconds",
    "CPU seconds of one scored candidate, all backtest windows together.",
    ["model"],
    buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 20, 40, 90),
)
REAPS = Counter("queuecast_reaps", "Recovery actions of the reaper.", ["what"])
SOURCE_SECONDS = Histogram(
    "queuecast_source_seconds",
    "One read of one queue's history at a source, also when it fails.",
    ["kind"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
SINK_ROWS = Counter("queuecast_sink_rows", "Forecast steps that were written to a sink.", ["kind"])
HTTP_REQUESTS = Counter("queuecast_http_requests", "Answered requests.", ["method", "route", "status"])
HTTP_SECONDS = Histogram("queuecast_http_seconds", "From request to answer.", ["route"])


def job_ended(job: Job, state: JobState, now: datetime) -> None:
    """Count a job that has just reached a terminal state; for whoever made the move, so that each job counts once."""
    JOBS.labels(state.value).inc()
    JOB_SECONDS.observe((now - job.asked_at).total_seconds())


def candidate_recorded(outcome: Outcome) -> None:
    """Count an outcome that was recorded."""
    model = outcome.candidate.model
    if isinstance(outcome, Score):
        CANDIDATES.labels(model, "scored").inc()
        CANDIDATE_SECONDS.labels(model).observe(outcome.seconds)
    else:
        CANDIDATES.labels(model, outcome.error).inc()


def forecast_delivered(forecast: Forecast, kind: str) -> None:
    """Count a forecast that a sink of this kind has taken."""
    SINK_ROWS.labels(kind).inc(forecast.horizon_steps)


def queues_now(newest: Iterable[tuple[Forecast, ErrorSums | None]], now: datetime) -> list[Metric]:
    """Of each series' newest forecast its MAPE and what it exceeds from `now` on, and how those of the last month compare with
    what happened; NaN = not defined.

    Series that differ in their step or aggregation alone have the same labels: the last one is shown.
    """
    mape, wape, coverage = (GaugeMetricFamily(name, meaning, labels=OF_A_SERIES) for name, meaning in OF_QUEUES.items())
    limits = {tell: GaugeMetricFamily(*about, labels=[*OF_A_SERIES, "certainty"]) for tell, about in OF_LIMITS.items()}
    by_labels = {_labels(forecast): (forecast, sums) for forecast, sums in newest}
    for labels, (forecast, sums) in by_labels.items():
        mape.add_metric(labels, _defined(forecast.mape))
        if sums is not None:
            wape.add_metric(labels, _defined(sums.wape))
            coverage.add_metric(labels, _defined(sums.coverage))
        if steps_over(forecast, now) < forecast.horizon_steps:
            for tell, metric in limits.items():
                _add_steps(metric, labels, tell(forecast, now))
    return [mape, wape, coverage, *limits.values()]


def _add_steps(metric: GaugeMetricFamily, labels: tuple[str, ...], found: Exceedance | None) -> None:
    """The steps ahead that exceed a limit; nothing where that is not known."""
    if found is not None:
        metric.add_metric([*labels, "likely"], len(found.likely))
        metric.add_metric([*labels, "possible"], len(found.possible))


def _labels(forecast: Forecast) -> tuple[str, ...]:
    cluster = f"{forecast.cluster}?{forecast.where}" if forecast.where else forecast.cluster  # as where nobody names one
    texts = (forecast.project, cluster, forecast.queue, forecast.metric, forecast.job)
    return tuple(label(text) for text in texts)


def _defined(value: float | None) -> float:
    return math.nan if value is None else value


def lanes_now(depth: Mapping[str, int | None], running: Mapping[str, int | None]) -> Iterator[Metric]:
    """What waits and what runs at this moment; lane → number, None = unknown, which is not shown."""
    about = {
        "queuecast_lane_depth": ("Messages that wait in the lane.", depth),
        "queuecast_lane_running": ("Messages of the lane that a worker has taken.", running),
    }
    for name, (meaning, numbers) in about.items():
        metric = GaugeMetricFamily(name, meaning, labels=["lane"])
        for lane, number in numbers.items():
            if number is not None:
                metric.add_metric([lane], number)
        yield metric


def queues_waiting_now(number: int) -> Metric:
    """How many queues wait until they are let in, which is work to come: their candidates stand in no lane yet."""
    return GaugeMetricFamily("queuecast_queues_waiting", "Queues of all jobs that wait to be let in.", number)


def oldest_job_now(seconds: float) -> Metric:
    """How long the oldest open job is there."""
    return GaugeMetricFamily("queuecast_oldest_job_seconds", "Age of the oldest job that has not ended; 0 without one.", seconds)


class _WholeFiles(MultiProcessCollector):
    """Counts what lies in the folder, but files that are still empty: their process is making them, or died while it did."""

    def collect(self) -> Iterable[Metric]:
        """The metrics of all processes together."""
        files = [str(path) for path in Path(os.environ[FOLDER]).glob("*.db") if path.stat().st_size]
        metrics: Iterable[Metric] = self.merge(files, accumulate=True)  # type: ignore[no-untyped-call] # it has no types
        return metrics


def counted() -> CollectorRegistry:
    """What was counted by all processes of the folder, or by this one alone where the environment names none."""
    registry = CollectorRegistry(support_collectors_without_names=True)
    if FOLDER in os.environ:
        _WholeFiles(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(REGISTRY)
    return registry
