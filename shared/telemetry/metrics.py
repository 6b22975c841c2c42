"""Every Prometheus metric that counts, declared once, with the few sentences in which the parts say what has happened.

What is looked up when somebody scrapes: shared/telemetry/present.py.

Counted where it happens: HTTP in the API, candidates and deliveries in Celery's children, recovery actions in the reaper.
Processes whose environment names one folder (shared/telemetry/metrics_folder.py) count into files there, and each of them can
show what all have counted.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, Metric, values
from prometheus_client.multiprocess import MultiProcessCollector

from shared.domain.forecasts import Forecast, Outcome, Score
from shared.domain.jobs import Job, JobState
from shared.errors import ModelError
from shared.telemetry.metrics_folder import FOLDER


def counting_process() -> str:
    """Whose files this process writes: those of its slot in a pool of Celery's, else those of its pid.

    A pool replaces its children every 500 tasks; the next child of a slot goes on counting where the last one ended, so the
    files stay as many as the slots. What remains are those of a main process that was started again, until the folder is emptied.
    """
    from celery.utils.log import current_process_index  # type: ignore[attr-defined] # its types lack it

    slot = current_process_index(base=0)  # of a pool's child: whoever is none, as the collector, has no use for Celery
    return str(os.getpid()) if slot is None else f"{os.getppid()}-{slot}"


if FOLDER in os.environ:  # decided once, before the first metric is made
    values.ValueClass = values.MultiProcessValue(counting_process)  # type: ignore[no-untyped-call]

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
    "One read at a source, of one queue or of a block of them, also when it fails.",
    ["kind"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
SINK_ROWS = Counter("queuecast_sink_rows", "Forecast steps that were written to a sink.", ["kind"])
COLLECTIONS = Counter(
    "queuecast_collections", "Looks of the collector at a cluster, by what has come of them.", ["cluster", "outcome"]
)
COLLECT_QUESTIONS = Counter("queuecast_collect_questions", "Requests of the collector to a cluster.", ["cluster", "question"])
COLLECTED_SAMPLES = Counter("queuecast_collected_samples", "Samples of queues that were kept.", ["cluster"])
COLLECTED_SERIES = Gauge(
    "queuecast_collected_series", "Queues and partitions in the newest look.", ["cluster"], multiprocess_mode="mostrecent"
)
COLLECTED_AT = Gauge(
    "queuecast_collected_timestamp_seconds",
    "When the newest samples that are kept were taken, epoch seconds.",
    ["cluster"],
    multiprocess_mode="mostrecent",
)
COLLECT_SECONDS = Histogram(
    "queuecast_collect_seconds",
    "One look at a cluster, until its samples are kept.",
    ["cluster"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
DECIDE_SECONDS = Histogram(
    "queuecast_decide_seconds",
    "All decisions of one job, or the one that somebody has asked for.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 90),
)
DECISIONS = Counter("queuecast_decisions", "Decisions that were made, by their first state.", ["state"])
HTTP_REQUESTS = Counter("queuecast_http_requests", "Answered requests.", ["method", "route", "status"])
HTTP_SECONDS = Histogram("queuecast_http_seconds", "From request to answer.", ["route"])


SCORED = "scored"
OUTCOMES = (SCORED, *sorted(error.__name__ for error in ModelError.__subclasses__()))
SERVER_ERRORS = (500, 503)
for _first in ("proposed", "kept"):
    DECISIONS.labels(_first)
for _state in JobState:
    if _state.is_terminal:
        JOBS.labels(_state.value)  # begins at 0, as all do below


def expect_work(models: Iterable[str], sources: Iterable[str], sinks: Iterable[str]) -> None:
    """Let a worker's counters begin at 0: Prometheus does not see the first event of a series that was not there before it.

    Eight series a model, 14 a kind of source, one a kind of sink; seconds of candidates begin with the first of them.
    """
    for model in models:
        for outcome in OUTCOMES:
            CANDIDATES.labels(model, outcome)
    for kind in sources:
        SOURCE_SECONDS.labels(kind)
    for kind in sinks:
        SINK_ROWS.labels(kind)


def expect_reaps(kinds: Iterable[str]) -> None:
    """Likewise those of the reaper."""
    for kind in kinds:
        REAPS.labels(kind)


def expect_collections(cluster: str, outcomes: Iterable[str], questions: Iterable[str]) -> None:
    """Likewise those of the collector."""
    COLLECTED_SAMPLES.labels(cluster)
    for outcome in outcomes:
        COLLECTIONS.labels(cluster, outcome)
    for question in questions:
        COLLECT_QUESTIONS.labels(cluster, question)


def expect_requests(routes: Iterable[tuple[str, str]]) -> None:
    """Likewise the failures of every (method, rule), two series each; which other statuses there will be is callers' choice."""
    for method, rule in routes:
        for status in SERVER_ERRORS:
            HTTP_REQUESTS.labels(method, rule, status)


def job_ended(job: Job, state: JobState, now: datetime) -> None:
    """Count a job that has just reached a terminal state; for whoever made the move, so that each job counts once."""
    JOBS.labels(state.value).inc()
    JOB_SECONDS.observe((now - job.asked_at).total_seconds())


def candidate_recorded(outcome: Outcome) -> None:
    """Count an outcome that was recorded."""
    model = outcome.candidate.model
    if isinstance(outcome, Score):
        CANDIDATES.labels(model, SCORED).inc()
        CANDIDATE_SECONDS.labels(model).observe(outcome.seconds)
    else:
        CANDIDATES.labels(model, outcome.error).inc()


def forecast_delivered(forecast: Forecast, kind: str) -> None:
    """Count a forecast that a sink of this kind has taken."""
    SINK_ROWS.labels(kind).inc(forecast.horizon_steps)


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
