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
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, Status

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
assert create_app(load_settings()).test_client().get(answer.headers["Location"]).status_code == 200
trace.get_tracer_provider().force_flush()
"""

WORKING = """
from dataclasses import dataclass
from datetime import UTC, datetime
from opentelemetry import trace
from shared.config.settings import load_settings
from shared.telemetry.tracing import start_tracing
from tests.factories import a_job, a_request, let_in, write_loads
from tests.worker.pipeline.factories import Fixed, offering
from worker.job import steps
from worker.job.resources import Resources, use
settings = load_settings()
write_loads(settings.files_folder, "root.etl")
class Broken(Fixed):
    answer = ValueError("no")
with use(Resources(settings)) as here, offering(broken=Broken):
    start_tracing("worker")
    job = here.store.jobs.add(a_job(request=a_request(model=("broken",)), created_at=datetime.now(UTC)))
    here.run_state.begin_job(job.job_id, job.deadline_at)
    steps.plan(job.job_id)
    let_in(here.run_state, job.job_id)
    work = steps.ingest(job.job_id, "root.etl")
    steps.score(job.job_id, "root.etl", range(len(work.candidates)))
    steps.select(job.job_id, "root.etl", is_heavy=True)
    trace.get_tracer_provider().force_flush()
"""


@dataclass(frozen=True)
class Collector:
    """Where it is, and what it was sent."""

    url: str
    received: list[bytes]

    @property
    def resources(self) -> list[ResourceSpans]:
        sent = [ExportTraceServiceRequest.FromString(body) for body in self.received]
        return [resource for request in sent for resource in request.resource_spans]

    @property
    def spans(self) -> list[Span]:
        return [span for resource in self.resources for scope in resource.scope_spans for span in scope.spans]


@pytest.fixture
def collector() -> Iterator[Collector]:
    def keep(request: BaseHTTPRequestHandler, body: bytes) -> None:
        received.append(body)
        request.send_response(200)
        request.end_headers()

    received: list[bytes] = []
    with answering(keep) as url:
        yield Collector(url, received)


def run(script: str, settings: Settings, *arguments: str, **environment: str) -> None:
    values = {
        "QUEUECAST_DATA_DIR": str(settings.data_dir),
        "QUEUECAST_FILES_DIR": str(settings.files_dir),
        "QUEUECAST_STORE_URL": settings.store_location,
    }
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, env=os.environ | values | environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_request_and_the_message_that_follows_from_it_are_one_trace(
    settings: Settings, run_state: RunState, collector: Collector
) -> None:
    run(SUBMITTING, settings, json.dumps(BODY), OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    resources = collector.resources
    names = {
        value.value.string_value
        for resource in resources
        for value in resource.resource.attributes
        if value.key == "service.name"
    }
    spans = collector.spans
    assert names == {"queuecast-api"}
    assert "POST /v1/jobs" in {span.name for span in spans}
    assert not [span.name for span in spans if span.name.startswith("GET")]  # polls are no news
    with redis_client(redis_server(settings).broker, is_patient=False) as lanes:
        [message] = lanes.lrange("plan", 0, -1)
    carried = json.loads(message)["headers"]["traceparent"].split("-")[1]
    assert {span.trace_id.hex() for span in spans if span.name == "POST /v1/jobs"} == {carried}


def test_reads_fits_and_writes_are_spans_that_say_what_they_are_about(
    settings: Settings, run_state: RunState, collector: Collector
) -> None:
    run(WORKING, settings, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    told = {span.name: {value.key: value.value.string_value for value in span.attributes} for span in collector.spans}
    assert told["read"] == {"queuecast.connection": "files", "queuecast.queue": "root.etl"}
    assert told["write"]["queuecast.queue"] == "root.etl"
    fits = {
        value.value.string_value: span for span in collector.spans for value in span.attributes if value.key == "queuecast.model"
    }
    assert fits["broken"].status.code == Status.STATUS_CODE_ERROR
    assert fits["broken"].status.message == "ValueError: no"
    assert fits["seasonal_naive"].status.code == Status.STATUS_CODE_UNSET


def test_without_an_address_nothing_is_loaded(settings: Settings) -> None:
    starting = "import sys, shared.telemetry.tracing as t; t.start_tracing('api')"
    loading = f"{starting}; assert not [m for m in sys.modules if 'opentelemetry' in m]"
    assert subprocess.run([sys.executable, "-c", loading], check=False).returncode == 0
