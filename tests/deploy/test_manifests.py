"""Manifests, without an engine: schemas, linters, and that what they say exists in the code."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from api.app import create_app
from deploy.stack import _DRAIN_SECONDS, CONTROL_LANES
from shared.config.origins import CONFIG_FILE, SECRETS_DIR
from shared.config.settings import PREFIX, Settings
from shared.domain.lanes import MAX_TASK_SECONDS, Lane
from tests.architecture.house import BIN, fail_on, mistakes, output_of
from tests.deploy.manifests import DEPLOY, MANIFESTS, OURS, compose, containers, documents, lanes_in, resources, seconds

YAML_FILES = sorted(path for path in DEPLOY.rglob("*.y*ml"))
OFF = ", ".join(f"{rule}: disable" for rule in ("document-start", "braces", "brackets", "truthy"))
RULES = f"{{extends: default, rules: {{line-length: {{max: 170}}, {OFF}}}}}"
KNOWN = {PREFIX + name.upper() for name in Settings.model_fields} | {CONFIG_FILE, SECRETS_DIR}
RESOURCES = [path for path in MANIFESTS if path.name != "kustomization.yaml"]
FIRST_TOKEN = DEPLOY / "kubernetes/first-token/pod.yaml"  # by hand, once
PODS = DEPLOY / "kubernetes/monitoring/pods.yaml"  # where Prometheus's operator runs


def closed(required: tuple[str, ...] = (), /, **properties: Any) -> dict[str, Any]:
    """The schema of a mapping that has these keys and no others, so that a mistyped one is found."""
    return {"type": "object", "additionalProperties": False, "required": list(required), "properties": properties}


def each(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a mapping from any names to such values."""
    return {"type": "object", "additionalProperties": schema}


TEXT, TEXTS = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
LENGTH = {"type": "string", "pattern": "^[0-9]+[sm]$"}
# The part of the Compose Specification that is used here.
SERVICE = closed(
    **dict.fromkeys(
        ("command", "entrypoint", "profiles", "cap_drop", "security_opt", "tmpfs", "ports", "volumes", "networks"), TEXTS
    ),
    image=TEXT,
    build=closed(("context",), context=TEXT, dockerfile=TEXT, target=TEXT),
    environment=each(TEXT),
    read_only={"type": "boolean"},
    restart={"enum": ["unless-stopped"]},
    stop_grace_period=LENGTH,
    logging=closed(driver={}, options={}),
    depends_on=each(closed(condition={"enum": ["service_started", "service_healthy", "service_completed_successfully"]})),
    healthcheck=closed(
        test=TEXTS,
        disable={"type": "boolean"},
        retries={"type": "integer"},
        **dict.fromkeys(("interval", "timeout", "start_period"), LENGTH),
    ),
)
PLACES = {"networks": each(closed(internal={})), "volumes": each({"type": "null"})}
COMPOSE = closed(("name", "services"), name=TEXT, services=each(SERVICE), **PLACES) | {"patternProperties": {"^x-": {}}}


@pytest.mark.parametrize("path", YAML_FILES, ids=lambda path: path.name)
def test_every_yaml_file_is_tidy(path: Path) -> None:
    output_of(str(BIN / "yamllint"), "--strict", "-d", RULES, str(path))


@pytest.mark.parametrize("path", [*RESOURCES, FIRST_TOKEN, PODS], ids=lambda path: path.name)
def test_every_manifest_is_accepted_by_the_schemas_of_kubernetes(path: Path) -> None:
    said = output_of(str(BIN / "kubernetes-validate"), "--strict", str(path))
    unknown = re.findall(r"Couldn't find schema for kind (\w+)", said)
    assert set(unknown) <= {"ScaledObject", "TriggerAuthentication", "PodMonitor"}  # of KEDA and Prometheus: looked at elsewhere


def test_the_first_token_is_made_in_the_image_of_the_api_by_a_command_that_exists() -> None:
    [pod] = documents(FIRST_TOKEN)
    [container] = pod["spec"]["containers"]
    images = documents(DEPLOY / "kubernetes/kustomization.yaml")[0]["images"]
    [image] = [image for image in images if image["name"] == "queuecast-api"]
    assert container["image"] == f"{image['newName']}:{image['newTag']}"
    assert container["args"][:2] == ["token", "create"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True


def test_every_manifest_is_named_by_the_kustomization() -> None:
    [kustomization] = documents(DEPLOY / "kubernetes/kustomization.yaml")
    assert sorted(kustomization["resources"]) == sorted(path.name for path in RESOURCES)
    images = {container["image"] for container, _ in containers()}
    assert {image["name"] for image in kustomization["images"]} == images


def test_the_compose_file_has_no_key_that_is_not_meant_and_every_name_in_it_exists() -> None:
    document = compose()
    jsonschema.validate(document, COMPOSE)
    for name, service in document["services"].items():
        assert set(service["networks"]) <= document["networks"].keys(), name
        assert service.get("depends_on", {}).keys() <= document["services"].keys(), name
        kept = {volume.partition(":")[0] for volume in service.get("volumes", []) if not volume.startswith((".", "$"))}
        assert kept <= document["volumes"].keys(), name


def test_every_lane_has_a_worker_and_only_lanes_have() -> None:
    every = {lane.value for lane in Lane}
    assert set().union(*(lanes_in(container["args"]) for container, _ in containers())) == every
    assert set().union(*(lanes_in(service.get("command", [])) for service in compose()["services"].values())) == every


def test_a_slot_that_no_candidate_takes_answers_questions() -> None:
    control = resources("Deployment")["control"]["spec"]
    assert control["replicas"] == 1
    for arguments in (control["template"]["spec"]["containers"][0]["args"], compose()["services"]["control"]["command"]):
        assert lanes_in(arguments) == set(CONTROL_LANES)


def test_every_setting_that_they_name_exists() -> None:
    text = "".join(path.read_text() for path in [DEPLOY / "Dockerfile", *YAML_FILES])
    fail_on(name for name in set(re.findall(rf"\b{PREFIX}[A-Z_]+\b", text)) if name not in KNOWN)


def test_every_command_that_they_start_exists_with_its_options() -> None:
    started = [container["args"] for container, _ in containers()]
    started += [service["command"] for name, service in compose()["services"].items() if name in OURS - {"api"}]
    fail_on(mistakes(shlex.join(["queuecast", *words]) for words in started))


def test_probes_ask_for_what_is_served(settings: Settings) -> None:
    served = {rule.rule for rule in create_app(settings).url_map.iter_rules()}
    for container, _ in containers():
        probes = [probe for name, probe in container.items() if name.endswith("Probe")]
        for probe in probes:
            if "httpGet" in probe:
                assert probe["httpGet"]["path"] in served  # workers and the reaper serve /metrics alone, as the API does
            if "exec" in probe:
                assert probe["exec"]["command"] == ["queuecast", container["args"][0], "--alive"]
    assert "/healthz" in (DEPLOY / "Dockerfile").read_text()


@pytest.mark.parametrize("name", ["worker", "control", "heavy"])
def test_a_worker_may_end_its_longest_task_before_it_is_killed(name: str) -> None:
    pod = resources("Deployment")[name]["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] > MAX_TASK_SECONDS + _DRAIN_SECONDS
    assert seconds(compose()["services"][name]["stop_grace_period"]) > MAX_TASK_SECONDS + _DRAIN_SECONDS


def test_every_container_of_ours_is_locked_down() -> None:
    for container, pod in containers():
        security = container["securityContext"]
        assert (security["readOnlyRootFilesystem"], security["allowPrivilegeEscalation"]) == (True, False)
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert container["resources"].keys() == {"requests", "limits"}
    for name in OURS:
        service = compose()["services"][name]
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])


def test_every_container_of_ours_is_probed_from_its_start() -> None:
    for container, _ in containers():
        assert {"livenessProbe", "startupProbe"} <= container.keys(), container["name"]
        if container["name"] in {"api", "flower"}:  # those that are asked over a network
            assert "readinessProbe" in container


def test_what_a_container_may_write_belongs_to_its_user() -> None:
    """A tmpfs over a folder of the image belongs to root unless it says otherwise; so does an emptyDir, but for its group."""
    [user] = set(re.findall(r"(?m)^USER (\d+):\1$", (DEPLOY / "Dockerfile").read_text()))
    for name in OURS:
        folders = dict(resource.split(":", 1) for resource in compose()["services"][name]["tmpfs"])
        assert folders == {"/tmp": "mode=1777", "/var/lib/queuecast": f"uid={user},gid={user},mode=0700"}  # noqa: S108
    for _, pod in containers():
        assert {pod["securityContext"][key] for key in ("runAsUser", "runAsGroup", "fsGroup")} == {int(user)}
    data = resources("ConfigMap")["queuecast"]["data"]["QUEUECAST_DATA_DIR"]
    assert data.startswith("/var/lib/queuecast/")


def test_no_secret_stands_in_a_file_and_none_has_a_default() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    fail_on(name for name in re.findall(r"\$\{(\w*(?:PASSWORD|TOKEN|AUTH)\w*)(?!\w*:\?)[:}]", text))
    assert not resources("Secret")
    settings = resources("ConfigMap")["queuecast"]["data"]
    secret = {PREFIX + name.upper() for name, field in Settings.model_fields.items() if "Secret" in str(field.annotation)}
    assert not settings.keys() & secret


def test_only_loopback_is_published() -> None:
    ports = [port for service in compose()["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_redis_keeps_what_it_is_given() -> None:
    command = " ".join(compose()["services"]["redis"]["command"])
    for needed in ("--appendonly yes", "--maxmemory-policy noeviction", "--requirepass"):
        assert needed in command


def test_every_deployment_that_scales_has_a_budget() -> None:
    assert resources("PodDisruptionBudget").keys() == {"api", "worker", "heavy"}
    for name, budget in resources("PodDisruptionBudget").items():
        assert budget["spec"]["selector"]["matchLabels"] == resources("Deployment")[name]["spec"]["selector"]["matchLabels"]


def triggers(name: str, kind: str) -> list[dict[str, Any]]:
    return [trigger["metadata"] for trigger in resources("ScaledObject")[name]["spec"]["triggers"] if trigger["type"] == kind]


@pytest.mark.parametrize("name", ["worker", "heavy"])
def test_a_fleet_grows_by_what_waits_and_shrinks_by_what_waits_and_runs(name: str) -> None:
    spec = resources("ScaledObject")[name]["spec"]
    assert spec["scaleTargetRef"] == {"name": name}
    assert "replicas" not in resources("Deployment")[name]["spec"]  # two that decide would fight
    assert 0 < spec["minReplicaCount"] <= spec["maxReplicaCount"]
    assert spec["cooldownPeriod"] >= 300
    lanes = lanes_in(resources("Deployment")[name]["spec"]["template"]["spec"]["containers"][0]["args"])
    assert {trigger["listName"] for trigger in triggers(name, "redis")} == lanes
    for trigger in triggers(name, "redis"):
        assert trigger["databaseIndex"] == "0"
        assert trigger["addressFromEnv"] in resources("ConfigMap")["queuecast"]["data"]
        assert all(isinstance(value, str) for value in trigger.values())
    [both] = triggers(name, "prometheus")
    assert both["ignoreNullValues"] == "false"  # workers do not go because nobody could be asked
    assert set(re.findall(r'lane=~"([^"]+)"', both["query"])) == {"|".join(sorted(lanes, key=list(Lane).index))}


def test_where_redis_is_stands_once_for_every_process_and_for_keda() -> None:
    settings = resources("ConfigMap")["queuecast"]["data"]
    for container, _ in containers():
        [broker] = container["env"]
        assert broker["name"] == "QUEUECAST_BROKER_URL"
        assert set(re.findall(r"\$\((\w+)\)", broker["value"])) - settings.keys() == {"REDIS_PASSWORD"}
    spec = resources("TriggerAuthentication")["redis"]["spec"]
    asked = {trigger["parameter"]: trigger["key"] for trigger in spec["configMapTargetRef"] + spec["secretTargetRef"]}
    assert asked == {"username": "REDIS_USERNAME", "password": "REDIS_PASSWORD", "tls": "REDIS_TLS"}
    assert (settings["REDIS_SCHEME"], settings["REDIS_TLS"]) in {("redis", "disable"), ("rediss", "enable")}
    for scaled in resources("ScaledObject").values():
        lists = [trigger for trigger in scaled["spec"]["triggers"] if trigger["type"] == "redis"]
        assert all(trigger["authenticationRef"] == {"name": "redis"} for trigger in lists)


def test_traces_may_leave_the_cluster_s_pods() -> None:
    allowed = [port["port"] for rule in resources("NetworkPolicy")["out-to-services"]["spec"]["egress"] for port in rule["ports"]]
    assert {4317, 4318} <= set(allowed)
