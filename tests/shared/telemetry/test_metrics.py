"""Names, and what each sentence counts; processes that count in one folder: tests/integration/test_metrics.py."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from prometheus_client import Metric

from shared.domain.forecasts import Candidate, Failure, Measures, Score
from shared.domain.jobs import JobState
from shared.telemetry import metrics
from shared.telemetry.metrics_folder import FOLDER
from tests.factories import MONDAY, SUMS, a_forecast, a_job
from tests.scraping import counted_here

CONTRACT = {
    "queuecast_jobs_total": ["state"],
    "queuecast_job_seconds": [],
    "queuecast_candidates_total": ["model", "outcome"],
    "queuecast_candidate_seconds": ["model"],
    "queuecast_lane_depth": ["lane"],
    "queuecast_lane_running": ["lane"],
    "queuecast_oldest_job_seconds": [],
    "queuecast_reaps_total": ["what"],
    "queuecast_queue_mape": ["cluster", "job", "metric", "project", "queue"],
    "queuecast_queue_over_limit_steps": ["certainty", "cluster", "job", "metric", "project", "queue"],
    "queuecast_queue_beyond_share_steps": ["certainty", "cluster", "job", "metric", "project", "queue"],
    "queuecast_queue_real_coverage": ["cluster", "job", "metric", "project", "queue"],  # these two came later
    "queuecast_queue_real_wape": ["cluster", "job", "metric", "project", "queue"],
    "queuecast_source_seconds": ["kind"],
    "queuecast_sink_rows_total": ["kind"],
    "queuecast_http_requests_total": ["method", "route", "status"],
    "queuecast_http_seconds": ["route"],
}
MEASURES = Measures(mape=7.5, wape=7.0, smape=7.0, mase=0.8, rmse=2.0, skill=0.2, steps=72, skipped_steps=0)


def labels_of(metric: Metric) -> list[str]:
    return sorted({name for sample in metric.samples for name in sample.labels})


def test_every_metric_of_the_contract_is_declared_with_its_labels() -> None:
    """Those who look at the present are declared in functions; the others are objects of the module."""
    present = [
        *metrics.lanes_now({"plan": 1}, {"plan": 2}),
        metrics.oldest_job_now(3.0),
        *metrics.queues_now([(a_forecast(), SUMS)], MONDAY),
    ]
    declared = {metric.name: labels_of(metric) for metric in present}
    for collector in vars(metrics).values():
        if isinstance(collector, metrics.Counter | metrics.Histogram):
            [about] = collector.describe()
            name = f"{about.name}_total" if about.type == "counter" else about.name
            declared[name] = sorted(collector._labelnames)
    assert declared == CONTRACT


def test_a_job_is_counted_by_its_end_and_its_length() -> None:
    before = counted_here("queuecast_jobs_total", state="partial"), counted_here("queuecast_job_seconds_sum")
    metrics.job_ended(a_job(), JobState.PARTIAL, MONDAY + timedelta(seconds=90))
    assert counted_here("queuecast_jobs_total", state="partial") == before[0] + 1
    assert counted_here("queuecast_job_seconds_sum") == before[1] + 90


def test_a_candidate_is_counted_as_scored_with_its_seconds_or_under_its_error() -> None:
    candidate = Candidate(model="counted", hyperparameters={"n": 1})
    metrics.candidate_recorded(Score(candidate=candidate, measures=MEASURES, windows=(), seconds=0.25))
    metrics.candidate_recorded(Failure(candidate=candidate, error="BadForecast", reason="found NaN"))
    assert counted_here("queuecast_candidates_total", model="counted", outcome="scored") == 1
    assert counted_here("queuecast_candidates_total", model="counted", outcome="BadForecast") == 1
    assert counted_here("queuecast_candidate_seconds_count", model="counted") == 1
    assert counted_here("queuecast_candidate_seconds_bucket", model="counted", le="0.5") == 1
    assert counted_here("queuecast_candidate_seconds_bucket", model="counted", le="0.1") == 0


def test_a_delivery_is_counted_by_its_rows() -> None:
    rows = counted_here("queuecast_sink_rows_total", kind="files")
    metrics.forecast_delivered(a_forecast(), "files")
    assert counted_here("queuecast_sink_rows_total", kind="files") == rows + 3


def test_a_file_that_a_killed_process_left_empty_costs_no_scrape(tmp_path: Path) -> None:
    (tmp_path / "counter_1.db").touch()
    imports = "from prometheus_client import generate_latest; from shared.telemetry.metrics import counted"
    showing = f"{imports}; print(generate_latest(counted()).decode())"
    environment = os.environ | {FOLDER: str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", showing], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
