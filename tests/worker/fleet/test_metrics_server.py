"""The port on which a worker or the reaper is scraped; what is served there: tests/integration/test_metrics.py."""

from __future__ import annotations

import socket

import pytest

from shared.errors import SetupError
from worker.fleet.metrics_server import serve_metrics


def test_a_port_that_is_taken_is_refused_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SetupError, match=rf"--metrics-port {port} on 127.0.0.1 cannot be had") as refusal:
            serve_metrics("127.0.0.1", port)
    assert "\n" not in str(refusal.value)
