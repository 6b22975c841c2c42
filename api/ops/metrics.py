"""/metrics for Prometheus: the counters, and gauges of lanes and open jobs that are read when it scrapes."""

from __future__ import annotations

import time
from collections import Counter
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
from api.ops.health import service_checks
from shared.domain.lanes import Lane
from shared.errors import QueuecastError, ServiceError
from shared.fleet.runstate.members import REAPER
from shared.telemetry import metrics, present

ELSEWHERE = "unmatched"  # the route label of unknown addresses, so that scanners cannot create time series
GAUGES = "queuecast_gauges"  # where an application keeps them
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

log = structlog.get_logger(__name__)


class Present:
    """A collector of gauges that are read at scrape time, and left out while their service is away."""

    def __init__(self, services: Services, gauges: Gauges) -> None:
        self._services, self._gauges = services, gauges

    def collect(self) -> Iterator[Metric]:
        """Which services are there, and what they tell; each has a second to answer, by the limits of its client."""
        tell = {"broker": self._of_broker, "store": self._of_store}
        is_up = dict.fromkeys(tell, False)
        for service, check in service_checks(self._services).items():
            try:
                check()
                is_up[service] = True
                self._services.outages.over(service)
                yield from tell[service]()
            except QueuecastError as error:
                is_up[service] &= not isinstance(error, ServiceError)
                if not self._services.outages.met(error):
                    log.warning("what a service knows is not shown", service=service, reason=str(error))
        yield present.services_now(is_up)

    def _of_broker(self) -> Iterator[Metric]:
        """Lanes, and who is at work."""
        view, run_state = self._services.lanes.look(), self._services.run_state
        serving = Counter(lane for worker in run_state.members.workers() for lane in worker.lanes)
        yield from present.lanes_now(
            *({lane: number(lane) for lane in Lane} for number in (view.depth, view.running, lambda lane: serving[lane.value]))
        )
        to_come = run_state.turns.to_come()
        yield from present.to_come_now(to_come.queues, to_come.heavy_tasks)
        yield present.reaper_now(run_state.members.is_held(REAPER))

    def _of_store(self) -> Iterator[Metric]:
        """Open jobs, queues, schedules and proposals."""
        yield from present.jobs_now(self._services.store.jobs.open(), datetime.now(UTC))
        proposals = self._services.store.proposals
        oldest = proposals.oldest_open()
        yield from present.proposals_now(proposals.by_state(), oldest.created_at if oldest else None, datetime.now(UTC))
        yield from self._gauges.of(self._services)


def register(app: Flask) -> None:
    """Count every request of this application; to be called before all that may refuse one."""
    app.extensions[GAUGES] = Gauges()
    app.before_request(_note_time)
    app.after_request(_count)


def expect_requests(app: Flask) -> None:
    """Let the failures of all routes begin at 0; to be called once these are known."""
    metrics.expect_requests(
        (method, rule.rule) for rule in app.url_map.iter_rules() for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    )


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
