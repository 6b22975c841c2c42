"""Dashboards and alert rules ask for metrics that exist, with labels that they have, and say what to do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from shared.telemetry import metrics
from tests.architecture.house import fail_on
from tests.deploy.manifests import DEPLOY, compose
from tests.factories import MONDAY
from tests.servers import missing

DASHBOARDS = sorted((DEPLOY / "grafana/dashboards").glob("*.json"))
RULES: list[dict[str, Any]] = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())["groups"][0]["rules"]
SUFFIXES = ("_total", "_bucket", "_sum", "_count", "")


def known_metrics() -> set[str]:
    """Names as Prometheus sees them."""
    counted = {family.name for family in REGISTRY.collect() if family.name.startswith("queuecast_")}
    waiting, oldest = metrics.queues_waiting_now(0), metrics.oldest_job_now(0)
    present = (*metrics.lanes_now({}, {}), waiting, oldest, *metrics.queues_now((), MONDAY))
    looked_up = {family.name for family in present}
    return {name + suffix for name in counted | looked_up for suffix in SUFFIXES}


def expressions() -> Iterator[str]:
    """Every query to Prometheus."""
    yield from (rule["expr"] for rule in RULES)
    for path in DASHBOARDS:
        yield from (
            target["expr"] for panel in json.loads(path.read_text())["panels"] for target in panel["targets"] if "expr" in target
        )


def test_every_metric_that_is_asked_for_exists() -> None:
    known = known_metrics()
    fail_on(name for text in expressions() for name in re.findall(r"queuecast_\w+", text) if name not in known)


def test_prometheus_raises_the_alerts_that_are_meant() -> None:
    promtool = shutil.which("promtool") or DEPLOY.parent / ".dev/prometheus/usr/bin/promtool"
    if not Path(promtool).exists():
        missing("promtool")
    command = [promtool, "test", "rules", "alerts_test.yml"]
    done = subprocess.run(command, cwd=DEPLOY / "prometheus", capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_says_how_bad_it_is_what_it_means_and_what_to_do() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES) >= 6
    for rule in RULES:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"].keys() == {"summary", "action"}


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_has_panels_with_titles_units_and_known_sources(path: Any) -> None:
    dashboard = json.loads(path.read_text())
    sources = {
        variable["uid"]
        for variable in yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/queuecast.yaml").read_text())["datasources"]
    }
    assert dashboard["uid"].startswith("queuecast-")
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    for panel in dashboard["panels"]:
        assert panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"]["uid"] in sources


def test_the_forecast_dashboard_asks_for_what_the_sink_writes() -> None:
    text = (DEPLOY / "grafana/dashboards/forecast.json").read_text()
    for field in ("prediction", "lower_bound", "upper_bound", "q0.25", "q0.75", "mape"):
        assert f'r._field == \\"{field}\\"' in text
    assert "${measurement}_run" in text


def test_prometheus_asks_every_process_at_the_port_it_serves() -> None:
    scraped = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())["scrape_configs"]
    services = compose()["services"]
    ports = {
        name: service["command"][service["command"].index("--metrics-port") + 1]
        for name, service in services.items()
        if "--metrics-port" in service.get("command", [])
    }
    assert ports == {"worker": "9101", "control": "9101", "heavy": "9101", "reaper": "9102"}
    text = json.dumps(scraped)
    assert all(word in text for word in ('"api:8080"', '"reaper:9102"', "9101", '"worker"', '"control"', '"heavy"'))
