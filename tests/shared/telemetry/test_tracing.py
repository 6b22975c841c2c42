"""Traces: sent to a real collector, one for a request and the message that follows from it; nothing without an address."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from shared.config.settings import Settings
from shared.drivers.redis_server import redis_client, redis_server
from shared.fleet.runstate import RunState
from tests.api.bodies import BODY
from tests.parrot import answering

SUBMITTING = """
import json, sys
from opentelemetry import trace
from api.app import create_app
from shared.config.settings import load_settings
answer = create_app(load_settings()).test_client().post("/v1/jobs", json=json.loads(sys.argv[1]))
assert answer.status_code == 202, answer.text
trace.get_tracer_provider().force_flush()
"""


@dataclass(frozen=True)
class Collector:
    """Where it is, and what it was sent."""

    url: str
    received: list[bytes]


@pytest.fixture
def collector() -> Iterator[Collector]:
    def keep(request: BaseHTTPRequestHandler, body: bytes) -> None:
        received.append(body)
        request.send_response(200)
        request.end_headers()

    received: list[bytes] = []
    with answering(keep) as url:
        yield Collector(url, received)


def submit(settings: Settings, **environment: str) -> None:
    values = {"QUEUECAST_DATA_DIR": str(settings.data_dir), "QUEUECAST_STORE_URL": settings.store_location}
    command = [sys.executable, "-c", SUBMITTING, json.dumps(BODY)]
    done = subprocess.run(command, env=os.environ | values | environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_request_and_the_message_that_follows_from_it_are_one_trace(
    settings: Settings, run_state: RunState, collector: Collector
) -> None:
    submit(settings, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    sent = [ExportTraceServiceRequest.FromString(body) for body in collector.received]
    resources = [resource for request in sent for resource in request.resource_spans]
    names = {
        value.value.string_value
        for resource in resources
        for value in resource.resource.attributes
        if value.key == "service.name"
    }
    spans = [span for resource in resources for scope in resource.scope_spans for span in scope.spans]
    assert names == {"queuecast-api"}
    assert {span.name for span in spans} >= {"POST /v1/jobs"}
    with redis_client(redis_server(settings).broker, is_patient=False) as lanes:
        [message] = lanes.lrange("plan", 0, -1)
    carried = json.loads(message)["headers"]["traceparent"].split("-")[1]
    assert {span.trace_id.hex() for span in spans if span.name == "POST /v1/jobs"} == {carried}


def test_without_an_address_nothing_is_loaded(settings: Settings) -> None:
    starting = "import sys, shared.telemetry.tracing as t; t.start_tracing('api')"
    loading = f"{starting}; assert not [m for m in sys.modules if 'opentelemetry' in m]"
    assert subprocess.run([sys.executable, "-c", loading], check=False).returncode == 0
