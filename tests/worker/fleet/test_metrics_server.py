"""The port on which a worker or the reaper is scraped."""

from __future__ import annotations

import socket
from urllib.request import urlopen

import pytest

from shared.errors import SetupError
from shared.telemetry import metrics
from tests.scraping import counted_here, sample
from tests.servers import free_port
from worker.fleet.metrics_server import serve_metrics


def test_what_is_counted_is_served_on_the_port() -> None:
    port = free_port()
    serve_metrics("127.0.0.1", port)
    metrics.REAPS.labels("finish").inc()
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        text = answer.read().decode()
    assert sample(text, "queuecast_reaps_total", what="finish") == counted_here("queuecast_reaps_total", what="finish")


def test_a_port_that_is_taken_is_refused_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SetupError, match=rf"--metrics-port {port} on 127.0.0.1 cannot be had") as refusal:
            serve_metrics("127.0.0.1", port)
    assert "\n" not in str(refusal.value)
