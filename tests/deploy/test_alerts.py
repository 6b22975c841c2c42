"""Alerts say what to do, fire where they should, are silent where they should be, and reach whoever is to be told."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.deploy.manifests import DEPLOY, compose
from tests.deploy.monitoring import RULES, RULES_FILE, raised_by
from tests.polling import eventually
from tests.prometheus_server import Alertmanager, answering, binary

CASES = yaml.safe_load((DEPLOY / "prometheus/alerts_test.yml").read_text())["tests"]
ALERTMANAGER = DEPLOY / "prometheus/alertmanager.yml"


def promtool(*arguments: str) -> None:
    """Run it in the folder of the rules."""
    command = [binary("promtool", "prometheus"), *arguments]
    done = subprocess.run(command, cwd=DEPLOY / "prometheus", capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_raises_the_alerts_that_are_meant_and_no_others() -> None:
    promtool("test", "rules", "alerts_test.yml")
    promtool("check", "config", "--syntax-only", "prometheus.yml")


def test_every_alert_is_tested_where_it_fires_and_where_it_is_silent() -> None:
    asked = [(asked["alertname"], bool(asked["exp_alerts"])) for case in CASES for asked in case["alert_rule_test"]]
    assert set(asked) == {(rule["alert"], fires) for rule in RULES for fires in (True, False)}


def test_every_alert_says_how_bad_it_is_what_it_means_and_what_to_do() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES) >= 6
    for rule in RULES:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"].keys() == {"summary", "action"}


def test_every_alert_stands_in_the_table_of_what_to_do() -> None:
    told = re.findall(r"(?m)^\| `(Queuecast\w+)` \|", (DEPLOY / "README.md").read_text())
    assert told == [rule["alert"] for rule in RULES]


def test_what_the_processes_of_the_api_all_tell_is_never_summed_over_them() -> None:
    """A sum over lanes is one over the `max` of each; counters, which each process has of its own, are summed."""
    for rule in RULES:
        gauges = re.sub(r"queuecast_\w+_total\{?", "", rule["expr"])
        assert not re.search(r"(sum|avg|count)( by \([^)]*\))? ?\(queuecast_", gauges), rule["alert"]
        assert "mape" not in rule["expr"]


def test_rules_become_those_of_the_prometheus_operator_by_the_command_of_the_readme() -> None:
    [command] = re.findall(r"(?m)^\((printf .*alerts\.yml)\) \| kubectl apply --filename -$", (DEPLOY / "README.md").read_text())
    done = subprocess.run(["sh", "-c", command], cwd=DEPLOY.parent, capture_output=True, text=True, check=True)
    document = yaml.safe_load(done.stdout)
    assert (document["apiVersion"], document["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert document["spec"] == yaml.safe_load(RULES_FILE.read_text())


def test_alertmanager_runs_beside_prometheus_with_a_configuration_that_it_accepts() -> None:
    service = compose()["services"]["alertmanager"]
    assert "${ALERTMANAGER_CONFIG:-./prometheus/alertmanager.yml}:/etc/alertmanager/alertmanager.yml:ro" in service["volumes"]
    [named] = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())["alerting"]["alertmanagers"]
    assert named == {"static_configs": [{"targets": ["alertmanager:9093"]}]}
    command = [binary("amtool", "alertmanager"), "check-config", str(ALERTMANAGER)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_receivers_are_told_of_a_cause_and_not_of_what_follows_from_it(tmp_path: Path) -> None:
    told: dict[str, set[str]] = {"pages": set(), "tickets": set()}

    def receive(body: bytes) -> str:
        message = json.loads(body)
        told[message["receiver"]] |= {alert["labels"]["alertname"] for alert in message["alerts"]}
        return ""

    with answering(receive) as port:
        text = ALERTMANAGER.read_text().replace("group_wait: 30s", "group_wait: 1s")
        text = text.replace("webhook_configs: []", f'webhook_configs: [{{url: "http://127.0.0.1:{port}"}}]')
        manager = Alertmanager(tmp_path, configuration=text)
        manager.start()
        severity = {rule["alert"]: rule["labels"]["severity"] for rule in RULES}
        raised = [
            "QueuecastBrokerAway",
            "QueuecastErrors",
            "QueuecastWorkersAway",
            "QueuecastScheduleMissed",
            "QueuecastScheduleFailed",
        ]
        manager.raise_alerts(*({"alertname": name, "severity": severity[name]} for name in raised))
        try:
            eventually(lambda: told["pages"] and told["tickets"], what="what is sent")
        finally:
            manager.stop()
    assert told == {"pages": {"QueuecastBrokerAway"}, "tickets": {"QueuecastScheduleFailed"}}


@pytest.mark.parametrize("name", ["queuecast-api", "queuecast-worker", "queuecast-reaper", "queuecast-collector"])
def test_the_one_alert_that_names_jobs_names_those_that_exist(name: str) -> None:
    [rule] = [rule for rule in RULES if "job=" in rule["expr"]]
    [pattern] = re.findall(r'job=~"([^"]+)"', rule["expr"])
    assert re.fullmatch(pattern, name)


def test_a_fleet_in_which_something_is_wrong_is_not_taken_for_a_healthy_one(tmp_path: Path) -> None:
    """Else what `queuecast up` is tested with would prove nothing."""
    healthy = 'queuecast_service_up{service="broker"} 1\nqueuecast_reaper_up 1\n'
    assert raised_by(healthy, tmp_path) == ""
    assert "QueuecastReaperAway" in raised_by(healthy.replace("reaper_up 1", "reaper_up 0"), tmp_path)
