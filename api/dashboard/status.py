"""The banner on every page: which services are away. Loaded after the page, so that no page waits for it."""

from __future__ import annotations

from flask import render_template

from api.edge.context import Services
from api.edge.policy import PAGE
from api.edge.routing import route
from shared.errors import QueuecastError

STORE_AWAY = "The store is away: what is shown may be incomplete."
BROKER_AWAY = "The broker is away: running jobs stand still, and none can be started."
NO_WORKER = "No worker is running: jobs wait until one is started."


@route("GET", "/status", PAGE, endpoint="status")
def show(services: Services) -> str:
    """The banner; empty when all is well."""
    return render_template("_status.html", notices=_notices(services))


def _notices(services: Services) -> list[tuple[str, str]]:
    """What people should know, each with its detail."""
    notices = []
    try:
        services.store.check()
    except QueuecastError as error:
        notices.append((STORE_AWAY, error.public))
    try:
        if not services.run_state.members.workers():
            notices.append((NO_WORKER, "queuecast work starts one; queuecast doctor says more"))
    except QueuecastError as error:
        notices.append((BROKER_AWAY, error.public))
    return notices
