"""The files of deploy/ as documents, for tests of what they mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.architecture.house import ROOT

DEPLOY = ROOT / "deploy"
OURS = {"api", "worker", "control", "heavy", "reaper", "collector", "flower"}  # services of the compose file that run our images
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))


def documents(path: Path) -> list[dict[str, Any]]:
    """Every YAML document of a file."""
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """Every Kubernetes resource of a kind, by name."""
    matching = [document for path in MANIFESTS for document in documents(path) if document["kind"] == kind]
    return {document["metadata"]["name"]: document for document in matching}


def compose() -> dict[str, Any]:
    """The compose file, its anchors followed."""
    [document] = documents(DEPLOY / "compose.yaml")
    return document


def containers() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Every container of a deployment, with the pod's specification."""
    for deployment in resources("Deployment").values():
        pod = deployment["spec"]["template"]["spec"]
        for container in pod["containers"]:
            yield container, pod


def lanes_in(arguments: list[str]) -> set[str]:
    """The lanes that a worker with these arguments serves."""
    return set(arguments[arguments.index("--lanes") + 1].split(",")) if "--lanes" in arguments else set()


def seconds(text: str) -> int:
    """A compose duration: 30s, 3m."""
    number, unit = re.fullmatch(r"(\d+)([sm])", text).groups()  # type: ignore[union-attr]
    return int(number) * {"s": 1, "m": 60}[unit]
