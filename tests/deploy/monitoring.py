"""Alert rules and dashboards as documents, and what Prometheus would read of a fleet in which everything has happened once."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import isfinite
from pathlib import Path
from typing import Any

import yaml
from prometheus_client import REGISTRY, CollectorRegistry, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from shared.domain.calibration import Calibration
from shared.domain.distribution import Paths
from shared.domain.forecasts import Candidate, Measures, Score
from shared.domain.jobs import JobState
from shared.domain.lanes import Lane
from shared.telemetry import metrics, present
from shared.telemetry.present_queues import queues_now
from tests.deploy.manifests import DEPLOY
from tests.factories import SUMS, a_forecast, a_job, a_schedule
from tests.prometheus_server import binary
from tests.scraping import shown
from worker.reaper.recovery import ActionKind

DASHBOARDS = sorted((DEPLOY / "grafana/dashboards").glob("*.json"))
RULES_FILE = DEPLOY / "prometheus/alerts.yml"
RULES: list[dict[str, Any]] = yaml.safe_load(RULES_FILE.read_text())["groups"][0]["rules"]
MEASURES = Measures(mape=7.5, wape=7.0, smape=7.0, mase=0.8, rmse=2.0, skill=0.2, steps=72, skipped_steps=0)


def panels(dashboard: str) -> list[dict[str, Any]]:
    """Those of the dashboard of this file name."""
    found: list[dict[str, Any]] = json.loads((DEPLOY / f"grafana/dashboards/{dashboard}.json").read_text())["panels"]
    return found


def selectors(expression: str) -> Iterator[str]:
    """What of our metrics an expression asks for, with the labels' values that it wants."""
    yield from re.findall(r"queuecast_\w+(?:\{[^}]*\})?", expression)


def raised_by(text: str, folder: Path) -> str:
    """What promtool says of the alerts that this exposition raises, when it stays the same for an hour; "" = none."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    lines = [{"series": _series(sample), "values": f"{sample.value}x60"} for sample in samples if isfinite(sample.value)]
    asked = [{"eval_time": "55m", "alertname": rule["alert"], "exp_alerts": []} for rule in RULES]
    case = {"interval": "1m", "input_series": lines, "alert_rule_test": asked}
    document = {"rule_files": [str(RULES_FILE)], "evaluation_interval": "1m", "tests": [case]}
    (folder / "silent.yml").write_text(yaml.safe_dump(document))
    command = [binary("promtool", "prometheus"), "test", "rules", str(folder / "silent.yml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _series(sample: Sample) -> str:
    labels = (f"{name}={json.dumps(value)}" for name, value in sample.labels.items())
    return f"{sample.name}{{{', '.join(labels)}}}"


class EverythingNow:
    """What is looked up, of a fleet where a queue is at its limit and a schedule has failed."""

    def collect(self) -> Iterator[Metric]:
        """All of it, by the clock."""
        now = datetime.now(UTC)
        full = (101.0,) * 3
        forecast = a_forecast(
            **dict.fromkeys(("prediction", "lower_bound", "upper_bound"), full),
            issued_at=now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1),
            created_at=now,
            maximum=101.0,
            paths=Paths.of([full], blocks=14),
        )
        lanes = dict.fromkeys(Lane, 1)
        yield from present.lanes_now(lanes, lanes, lanes)
        yield from present.jobs_now([a_job(created_at=now)], now)
        yield from present.calibration_now(Calibration(checked_at=now, days=240, error=0.17, lost_at=now))
        yield from present.schedules_now([a_schedule(last_job_id="j", due_at=now)], {"j": JobState.FAILED}, now)
        yield from queues_now([(forecast, SUMS)], now)
        yield from (
            *present.to_come_now(1, 1),
            present.reaper_now(True),
            present.services_now({"broker": True, "store": True}),
            *present.proposals_now({"proposed": 1}, now - timedelta(hours=20), now),
        )


def everything_shown() -> str:
    """What Prometheus reads; each time one thing more of every kind has happened."""
    metrics.expect_work(["hour_mean"], ["files"], ["files"])
    metrics.expect_reaps(ActionKind)
    metrics.expect_requests([("GET", "/v1/jobs")])
    job = a_job()
    metrics.job_ended(job, JobState.SUCCEEDED, job.created_at + timedelta(seconds=7))
    metrics.candidate_recorded(Score(candidate=Candidate(model="hour_mean"), measures=MEASURES, windows=(), seconds=0.2))
    metrics.REAPS.labels(ActionKind.SEND_PLAN).inc()
    metrics.COLLECTED_AT.labels("prod").set_to_current_time()
    metrics.COLLECTIONS.labels("prod", "collected").inc()
    metrics.COLLECT_QUESTIONS.labels("prod", "scheduler").inc()
    metrics.SOURCE_SECONDS.labels("files").observe(0.2)
    metrics.forecast_delivered(a_forecast(), "files")
    metrics.HTTP_REQUESTS.labels("GET", "/v1/jobs", 200).inc()
    metrics.HTTP_SECONDS.labels("/v1/jobs").observe(0.01)
    registry = CollectorRegistry()
    registry.register(REGISTRY)
    registry.register(EverythingNow())
    return shown(registry)
