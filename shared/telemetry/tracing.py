"""Traces for OpenTelemetry, where OTEL_EXPORTER_OTLP_ENDPOINT names a collector; else nothing is loaded, and nothing costs.

A request and the tasks that follow from it are one trace: Celery's messages carry it. All other OTEL_… variables count too.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import structlog

from shared.config.extras import missing_packages

if TYPE_CHECKING:
    from flask import Flask

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"

log = structlog.get_logger(__name__)


def start_tracing(part: str, app: Flask | None = None) -> None:
    """Trace this process, once; to be called after a fork, since what sends the spans is a thread.

    Args:
        part: "api" or "worker"; the name of the service is `queuecast-{part}`, unless OTEL_SERVICE_NAME says another.
        app: the application whose requests are traced.
    """
    if not os.environ.get(ENDPOINT):
        return
    if missing := missing_packages("otel"):  # others may bring some of them
        log.warning("traces are asked for, but the extra is not installed: install queuecast[otel]", missing=missing)
        return
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.celery import CeleryInstrumentor
    from opentelemetry.instrumentation.flask import FlaskInstrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    os.environ.setdefault("OTEL_SERVICE_NAME", f"queuecast-{part}")
    provider = TracerProvider(resource=Resource.create())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    CeleryInstrumentor().instrument()  # type: ignore[no-untyped-call] # half of its functions have no types
    if app is not None:
        FlaskInstrumentor().instrument_app(app, excluded_urls="healthz,readyz,metrics,static")  # type: ignore[no-untyped-call] # likewise
