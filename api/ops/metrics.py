"""/metrics for Prometheus: the counters, and gauges of lanes and open jobs that are read when it scrapes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import structlog
from flask import Flask, Response, current_app, g, request
from prometheus_client import Metric, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from api.edge.context import Services
from api.edge.document import Answers
from api.edge.policy import PAGE
from api.edge.routing import route
from api.ops.gauges import Gauges
from shared.domain.lanes import Lane
from shared.errors import QueuecastError
from shared.telemetry import metrics

ELSEWHERE = "unmatched"  # the route label of unknown addresses, so that scanners cannot create time series
GAUGES = "queuecast_gauges"  # where an application keeps them
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

log = structlog.get_logger(__name__)


class Present:
    """A collector of gauges that are read at scrape time, and left out while their service is away."""

    def __init__(self, services: Services, gauges: Gauges) -> None:
        self._services, self._gauges = services, gauges

    def collect(self) -> Iterator[Metric]:
        """Lanes, open jobs and queues; each service has a second to answer, by the limits of its client."""
        try:
            view = self._services.lanes.look()
            yield from metrics.lanes_now(
                {lane.value: view.depth(lane) for lane in Lane}, {lane.value: view.running(lane) for lane in Lane}
            )
            yield metrics.queues_waiting_now(self._services.run_state.turns.queues_waiting())
        except QueuecastError as error:
            log.warning("lanes are not shown", reason=str(error))
        try:
            now, open_jobs = datetime.now(UTC), self._services.store.jobs.open()
            yield metrics.oldest_job_now(max(((now - job.asked_at).total_seconds() for job in open_jobs), default=0.0))
            yield from self._gauges.of(self._services.store)
        except QueuecastError as error:
            log.warning("open jobs and queues are not shown", reason=str(error))


def register(app: Flask) -> None:
    """Count every request of this application; to be called before all that may refuse one."""
    app.extensions[GAUGES] = Gauges()
    app.before_request(_note_time)
    app.after_request(_count)


@route("GET", "/metrics", replace(PAGE, needs_all_projects=True), Answers(None, media=("text/plain",)))
def show_metrics(services: Services) -> Response:
    """Show all metrics in the text format of Prometheus.

    They name queues of all projects, so a token that is limited to some does not see them.
    """
    registry = metrics.counted()
    registry.register(Present(services, current_app.extensions[GAUGES]))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _note_time() -> None:
    g.began = time.perf_counter()


def _count(answer: Response) -> Response:
    """Count by the rule of the route, never by the path, which callers choose."""
    route = request.url_rule.rule if request.url_rule else ELSEWHERE
    method = request.method if request.method in METHODS else "other"
    metrics.HTTP_REQUESTS.labels(method, route, answer.status_code).inc()
    metrics.HTTP_SECONDS.labels(route).observe(time.perf_counter() - g.began)
    return answer
