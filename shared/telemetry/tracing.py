"""Traces for OpenTelemetry, where OTEL_EXPORTER_OTLP_ENDPOINT names a collector; else nothing is loaded, and nothing costs.

A request and the tasks that follow from it are one trace: Celery's messages carry it. All other OTEL_… variables count too.

POST /v1/jobs ─ plan ─ ingest ─ read
                           └─ score ─ fit (one a candidate; a failed one has the status ERROR and its reason)
                                 └─ select ─ fit, write
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from shared.config.extras import missing_packages

if TYPE_CHECKING:
    from flask import Flask
    from opentelemetry.trace import Tracer

# What is asked all the time: whether the API is well, and how far a job is, as `submit --wait` does until it has ended.
UNTRACED = "healthz,readyz,metrics,static,/v1/jobs/[^/?]+$"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"

log = structlog.get_logger(__name__)


class _Started:
    """What makes spans in this process; None = nobody wants any."""

    tracer: Tracer | None = None


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
    _Started.tracer = trace.get_tracer("queuecast")
    CeleryInstrumentor().instrument()  # type: ignore[no-untyped-call] # half of its functions have no types
    if app is not None:
        FlaskInstrumentor().instrument_app(app, excluded_urls=UNTRACED)  # type: ignore[no-untyped-call] # likewise


@contextmanager
def span(name: str, **about: str | int | None) -> Iterator[None]:
    """What is done inside, as a part of the trace; an error that leaves it is its status.

    Args:
        about: attributes, such as queue, which come as `queuecast.queue`; None = it has none of that name.
    """
    if _Started.tracer is None:
        yield
        return
    with _Started.tracer.start_as_current_span(name, attributes=_attributes(about)):
        yield


def describe_span(**about: str | int | None) -> None:
    """Say of the span that is open what it is about, as `span` does."""
    if _Started.tracer is not None:
        from opentelemetry import trace

        trace.get_current_span().set_attributes(_attributes(about))


def fail_span(reason: str) -> None:
    """Say that what the open span stands for has failed though no error leaves it."""
    if _Started.tracer is not None:
        from opentelemetry import trace

        trace.get_current_span().set_status(trace.StatusCode.ERROR, reason)


def _attributes(about: dict[str, str | int | None]) -> dict[str, str | int]:
    return {f"queuecast.{name}": value for name, value in about.items() if value is not None}
