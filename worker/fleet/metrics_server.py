"""Metrics of a worker or the reaper over HTTP, from a thread of the process that stands above those that count."""

from __future__ import annotations

from prometheus_client import start_http_server

from shared.config.addresses import having_address
from shared.telemetry.metrics import counted


def serve_metrics(host: str, port: int) -> None:
    """Answer Prometheus on this address until the process ends; raises SetupError when it cannot be had."""
    with having_address("--metrics-port", host, port, hint=", or none to serve no metrics"):
        start_http_server(port, host, registry=counted())
