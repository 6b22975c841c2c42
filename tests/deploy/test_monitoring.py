"""Prometheus reads every process, under the same names in Compose and in Kubernetes."""

from __future__ import annotations

import json
from typing import Any

import yaml

from tests.deploy.manifests import DEPLOY, compose, documents, resources

SCRAPED = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())["scrape_configs"]
MONITORING = DEPLOY / "kubernetes/monitoring"
MONITORS = {document["metadata"]["name"]: document["spec"] for document in documents(MONITORING / "pods.yaml")}


def test_prometheus_asks_every_process_at_the_port_it_serves() -> None:
    services = compose()["services"]
    ports = {
        name: service["command"][service["command"].index("--metrics-port") + 1]
        for name, service in services.items()
        if "--metrics-port" in service.get("command", [])
    }
    assert ports == {"worker": "9101", "control": "9101", "heavy": "9101", "reaper": "9102", "collector": "9105"}
    asked = {name: place["port"] for job in SCRAPED for place in job.get("dns_sd_configs", []) for name in place["names"]}
    assert asked == {"api": 8080, "worker": 9101, "control": 9101, "heavy": 9101, "collector": 9105}
    assert '"reaper:9102"' in json.dumps(SCRAPED)


def test_jobs_have_the_same_names_in_compose_and_in_kubernetes() -> None:
    assert [job["job_name"] for job in SCRAPED] == list(MONITORS)
    for name, spec in MONITORS.items():
        [endpoint] = spec["podMetricsEndpoints"]
        assert endpoint["relabelings"] == [{"targetLabel": "job", "replacement": name}]
    [listed] = documents(MONITORING / "kustomization.yaml")
    assert sorted(listed["resources"]) == sorted({path.name for path in MONITORING.glob("*.yaml")} - {"kustomization.yaml"})


def test_every_pod_with_metrics_is_read_once_at_a_port_that_it_has_and_that_is_open() -> None:
    [policy] = [policy for name, policy in resources("NetworkPolicy").items() if name == "metrics-for-prometheus"]
    opened = {port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]}
    read = {}
    for name, deployment in resources("Deployment").items():
        [port] = deployment["spec"]["template"]["spec"]["containers"][0]["ports"]
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        read[name] = tuple(monitor for monitor, spec in MONITORS.items() if selects(spec["selector"], labels))
        for monitor in read[name]:
            assert MONITORS[monitor]["podMetricsEndpoints"][0]["port"] == port["name"]
            assert port["containerPort"] in opened
    of_workers = dict.fromkeys(("worker", "control", "heavy"), ("queuecast-worker",))
    assert read == {
        "api": ("queuecast-api",),
        **of_workers,
        "reaper": ("queuecast-reaper",),
        "collector": ("queuecast-collector",),
        "flower": (),
    }


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Whether a selector of Kubernetes chooses what has these labels."""
    among = selector.get("matchExpressions", [])
    assert all(expression["operator"] == "In" for expression in among)
    are_alike = selector["matchLabels"].items() <= labels.items()
    return are_alike and all(labels.get(expression["key"]) in expression["values"] for expression in among)


def test_only_the_api_asks_prometheus_for_a_token() -> None:
    assert [job["job_name"] for job in SCRAPED if "authorization" in job] == ["queuecast-api"]
    asking = [name for name, spec in MONITORS.items() if "authorization" in spec["podMetricsEndpoints"][0]]
    assert asking == ["queuecast-api"]
    secret = MONITORS["queuecast-api"]["podMetricsEndpoints"][0]["authorization"]["credentials"]
    assert f"create secret generic {secret['name']} --from-file={secret['key']}=" in (DEPLOY / "README.md").read_text()
