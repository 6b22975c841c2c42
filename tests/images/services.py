"""What the compose file and the manifests say of our services, as they stand: what is tried is them, not a copy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tests.deploy.manifests import compose, resources
from tests.images.building import Image
from tests.images.containers import Service

VARIABLE = re.compile(r"\$\$|\$\{(\w+)(?::?([-?])([^}]*))?\}")  # of a compose file
EXPANSION = re.compile(r"\$\((\w+)\)")  # of a manifest


def of_compose(name: str, images: Mapping[str, Image], given: Mapping[str, str]) -> Service:
    """A service of the compose file.

    Args:
        name: as it stands there.
        images: by target.
        given: the variables of its `.env`.
    """
    service = _filled_in(compose()["services"][name], given)
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    image = images[service["build"]["target"]]
    entrypoint = service.get("entrypoint")
    command = service.get("command", [] if entrypoint else image.config["Cmd"])
    return Service(
        name=name,
        image=image,
        arguments=[*(entrypoint or image.config["Entrypoint"]), *command],
        environment=_environment(image) | service["environment"],
        tmpfs=dict(each.split(":", 1) for each in service["tmpfs"]),
        health=service["healthcheck"]["test"][1:],
    )


def of_kubernetes(deployment: str, images: Mapping[str, Image], secret: Mapping[str, str]) -> Service:
    """The container of a deployment, with its volumes as the kubelet would make them.

    Args:
        deployment: its name.
        images: by target.
        secret: the keys of the secret `queuecast`.
    """
    [container] = resources("Deployment")[deployment]["spec"]["template"]["spec"]["containers"]
    image = images[container["image"].removeprefix("queuecast-")]
    environment = _environment(image) | resources("ConfigMap")["queuecast"]["data"] | secret
    for each in container["env"]:
        environment[each["name"]] = EXPANSION.sub(lambda found: environment[found[1]], each["value"])
    return Service(
        name=f"{deployment}-pod",
        image=image,
        arguments=[*container.get("command", image.config["Entrypoint"]), *container["args"]],
        environment=environment,
        empty_dirs=[mount["mountPath"] for mount in container["volumeMounts"]],
        health=_probe(container),
    )


def _filled_in(node: Any, given: Mapping[str, str]) -> Any:
    """A part of the compose file with its variables' values."""
    if isinstance(node, dict):
        return {key: _filled_in(value, given) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled_in(value, given) for value in node]
    return VARIABLE.sub(lambda found: _value(found, given), node) if isinstance(node, str) else node


def _value(found: re.Match[str], given: Mapping[str, str]) -> str:
    if found[0] == "$$":
        return "$"
    name, kind, rest = found.groups()
    if value := given.get(name):
        return value
    if kind == "?":
        raise KeyError(f"{name}: {rest}")
    return rest or ""


def _environment(image: Image) -> dict[str, str]:
    """The image's own, and what an engine adds."""
    return dict(each.split("=", 1) for each in image.config["Env"]) | {"HOME": "/var/lib/queuecast"}


def _probe(container: dict[str, Any]) -> list[str]:
    """The liveness probe as a command."""
    probe = container["livenessProbe"]
    if "exec" in probe:
        return list(probe["exec"]["command"])
    [port] = [each["containerPort"] for each in container["ports"] if each["name"] == probe["httpGet"]["port"]]
    return [
        "python",
        "-c",
        f"import urllib.request as r; r.urlopen('http://127.0.0.1:{port}{probe['httpGet']['path']}', timeout=2)",
    ]
