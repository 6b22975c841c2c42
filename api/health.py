"""Is the process alive, are its services there, what runs here? For people, load balancers and orchestrators."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version

import structlog
from flask import Blueprint, Response
from spectree import SpecTree

from api.answers import Alive, Ready, Version
from api.context import services
from api.problems import answered, problem
from shared.errors import QueuecastError

DISTRIBUTION = "queuecast"

log = structlog.get_logger(__name__)


def blueprint(spec: SpecTree) -> Blueprint:
    """The routes /healthz, /readyz and /version."""
    routes = Blueprint("health", __name__)
    alive, ready, what = answered(HTTP_200=Alive), answered(503, HTTP_200=Ready), answered(HTTP_200=Version)
    routes.get("/healthz")(spec.validate(resp=alive, tags=["health"], operation_id="show_health")(show_health))
    routes.get("/readyz")(spec.validate(resp=ready, tags=["health"], operation_id="show_readiness")(show_readiness))
    routes.get("/version")(spec.validate(resp=what, tags=["health"], operation_id="show_version")(show_version))
    return routes


def show_health() -> Alive:
    """Say that the process answers; asks nobody else."""
    return Alive()


def show_readiness() -> Ready | Response:
    """Say whether broker and store answer, each within a second."""
    checks = {"broker": _outcome(_ask_broker), "store": _outcome(_ask_store)}
    away = [name for name, outcome in checks.items() if outcome != "ok"]
    if away:
        return problem(503, f"not ready: {' and '.join(away)}", checks=checks)
    return Ready(checks=checks)


def show_version() -> Version:
    """Say what runs here."""
    return Version(name=DISTRIBUTION, version=version(DISTRIBUTION))


def _ask_broker() -> None:
    """Is it the master, and does it take what is written?"""
    run_state = services().run_state
    run_state.ping()
    run_state.roles.announce_version("api", version(DISTRIBUTION))


def _ask_store() -> None:
    services().store.check()


def _outcome(check: Callable[[], None]) -> str:
    """What is wrong, without hosts and paths, which strangers need not know: the log has them."""
    try:
        check()
    except QueuecastError as error:
        log.warning("not ready", error=str(error))
        return error.headline
    return "ok"
