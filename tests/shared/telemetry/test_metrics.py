"""Names, and what each sentence counts; processes that count in one folder: tests/integration/test_metrics.py."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from prometheus_client import Metric

from shared.domain.distribution import Paths
from shared.domain.forecasts import Candidate, Failure, Measures, Score
from shared.domain.jobs import JobState
from shared.domain.lanes import Lane
from shared.telemetry import metrics, present
from shared.telemetry.metrics_folder import FOLDER
from shared.telemetry.present_queues import queues_now
from tests.factories import MONDAY, SUMS, a_forecast, a_job, a_schedule
from tests.scraping import counted_here, sample, shown

CONTRACT = {
    "queuecast_jobs_total": ["state"],
    "queuecast_job_seconds": [],
    "queuecast_candidates_total": ["model", "outcome"],
    "queuecast_candidate_seconds": ["model"],
    "queuecast_lane_depth": ["lane"],
    "queuecast_lane_running": ["lane"],
    "queuecast_lane_workers": ["lane"],
    "queuecast_lane_planned": ["lane"],
    "queuecast_queues_waiting": [],
    "queuecast_service_up": ["service"],
    "queuecast_reaper_up": [],
    "queuecast_oldest_job_seconds": [],
    "queuecast_overdue_job_seconds": [],
    "queuecast_schedule_late_seconds": ["project", "run", "schedule", "schedule_id"],
    "queuecast_schedule_failed": ["project", "run", "schedule", "schedule_id", "why"],
    "queuecast_proposals": ["state"],
    "queuecast_oldest_proposal_seconds": [],
    "queuecast_decisions_total": ["state"],
    "queuecast_decide_seconds": [],
    "queuecast_reaps_total": ["what"],
    "queuecast_queue_mape": ["cluster", "job", "metric", "project", "queue"],
    "queuecast_queue_over_limit_steps": ["certainty", "cluster", "job", "metric", "project", "queue"],
    "queuecast_queue_beyond_share_steps": ["certainty", "cluster", "job", "metric", "project", "queue"],
    "queuecast_queue_over_limit_first_timestamp_seconds": ["certainty", "cluster", "job", "metric", "project", "queue"],
    "queuecast_queue_beyond_share_first_timestamp_seconds": ["certainty", "cluster", "job", "metric", "project", "queue"],
    "queuecast_queue_breach_probability": ["cluster", "job", "metric", "project", "queue"],
    "queuecast_queue_breach_hours": ["cluster", "job", "metric", "project", "queue"],
    "queuecast_queue_breach_first_timestamp_seconds": ["cluster", "job", "metric", "project", "queue"],
    "queuecast_queue_real_coverage": ["cluster", "job", "metric", "project", "queue"],  # these two came later
    "queuecast_queue_real_wape": ["cluster", "job", "metric", "project", "queue"],
    "queuecast_calibration_error": [],
    "queuecast_calibration_queue_days": [],
    "queuecast_calibration_lost": [],
    "queuecast_collections_total": ["cluster", "outcome"],
    "queuecast_collect_questions_total": ["cluster", "question"],
    "queuecast_collected_samples_total": ["cluster"],
    "queuecast_collected_series": ["cluster"],
    "queuecast_collected_timestamp_seconds": ["cluster"],
    "queuecast_collect_seconds": ["cluster"],
    "queuecast_source_seconds": ["kind"],
    "queuecast_sink_rows_total": ["kind"],
    "queuecast_http_requests_total": ["method", "route", "status"],
    "queuecast_http_seconds": ["route"],
}
MEASURES = Measures(mape=7.5, wape=7.0, smape=7.0, mase=0.8, rmse=2.0, skill=0.2, steps=72, skipped_steps=0)

AT_LIMIT = dict.fromkeys(("prediction", "lower_bound", "upper_bound"), (101.0, 101.0, 101.0))
FULL = a_forecast(**AT_LIMIT, paths=Paths.of([[101.0] * 3], blocks=14), maximum=101.0)


def labels_of(metric: Metric) -> list[str]:
    return sorted({name for sample in metric.samples for name in sample.labels})


def test_every_metric_of_the_contract_is_declared_with_its_labels() -> None:
    """Those who look at the present are declared in functions; the others are objects of the module."""
    looked_up = [
        *present.lanes_now({Lane.PLAN: 1}, {Lane.PLAN: 2}, {Lane.PLAN: 1}),
        *present.to_come_now(0, 0),
        present.services_now({"broker": True}),
        present.reaper_now(True),
        *present.calibration_now(None),
        *present.proposals_now({"proposed": 1}, MONDAY, MONDAY),
        *present.jobs_now([], MONDAY),
        *present.schedules_now([a_schedule(last_job_id="j")], {"j": JobState.FAILED}, MONDAY),
        *queues_now([(FULL, SUMS)], MONDAY),
    ]
    declared = {metric.name: labels_of(metric) for metric in looked_up}
    for collector in vars(metrics).values():
        if isinstance(collector, metrics.Counter | metrics.Histogram | metrics.Gauge):
            [about] = collector.describe()
            name = f"{about.name}_total" if about.type == "counter" else about.name
            declared[name] = sorted(collector._labelnames)
    assert declared == CONTRACT


def test_what_may_happen_is_counted_from_0_on() -> None:
    metrics.expect_work(["expected"], ["files"], ["files"])
    metrics.expect_reaps(["expected"])
    metrics.expect_requests([("GET", "/expected")])
    text = shown(metrics.counted())
    for outcome in ("scored", "ProcessLost", "OutOfMemory", "TimeLimitReached", "MessageLost", "BadForecast"):
        assert sample(text, "queuecast_candidates_total", model="expected", outcome=outcome) == 0
    for status in ("500", "503"):
        assert sample(text, "queuecast_http_requests_total", method="GET", route="/expected", status=status) == 0
    assert sample(text, "queuecast_reaps_total", what="expected") == 0
    for state in ("succeeded", "partial", "failed", "cancelled"):
        assert sample(text, "queuecast_jobs_total", state=state) is not None
    assert sample(text, "queuecast_jobs_total", state="running") is None


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
