"""Is the process alive, are its services there, what runs here? For people, load balancers and orchestrators."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.metadata import version

import structlog
from flask import Flask, Response

from api.edge.context import Services
from api.edge.document import Answers
from api.edge.policy import PAGE, PROBE
from api.edge.problems import problem
from api.edge.routing import route
from api.schema.service import Alive, Ready, Version
from shared.errors import QueuecastError

DISTRIBUTION = "queuecast"

log = structlog.get_logger(__name__)


def register(app: Flask, services: Services) -> None:
    """Find out, with the requests that come, when a service is back."""

    def look(answer: Response) -> Response:
        services.outages.look(service_checks(services))
        return answer

    app.after_request(look)


@route("GET", "/healthz", PROBE, Answers(Alive))
def show_health() -> Alive:
    """Say that the process answers; asks nobody else."""
    return Alive()


@route("GET", "/readyz", PROBE, Answers(Ready, refuses=(503,)))
def show_readiness(services: Services) -> Ready | Response:
    """Say whether broker and store answer, each within a second."""
    checks = {name: _outcome(services, name, check) for name, check in service_checks(services).items()}
    away = [name for name, outcome in checks.items() if outcome != "ok"]
    if away:
        return problem(503, f"not ready: {' and '.join(away)}", checks=checks)
    return Ready(checks=checks)


@route("GET", "/version", PAGE, Answers(Version))
def show_version() -> Version:
    """Say what runs here."""
    return Version(name=DISTRIBUTION, version=version(DISTRIBUTION))


def service_checks(services: Services) -> dict[str, Callable[[], None]]:
    """What asks each service whether it is there; raises what is wrong with it."""
    return {"broker": partial(_ask_broker, services), "store": partial(_ask_store, services)}


def _ask_broker(services: Services) -> None:
    """Is it the master, and does it take what is written?"""
    services.run_state.ping()
    services.run_state.members.announce_version("api", version(DISTRIBUTION))


def _ask_store(services: Services) -> None:
    services.store.check()


def _outcome(services: Services, name: str, check: Callable[[], None]) -> str:
    """`ok`, or what is wrong without hosts and paths, which only the log may have."""
    try:
        check()
    except QueuecastError as error:
        if not services.outages.met(error):
            log.warning("not ready", error=str(error))
        return error.headline
    services.outages.over(name)
    return "ok"
