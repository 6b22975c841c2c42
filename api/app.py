"""The HTTP service: parse, store, enqueue; read, render. `queuecast serve` serves it."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from flask import Flask

from api import (
    accuracy,
    audit,
    auth,
    catalogue,
    checks,
    commands,
    dashboard,
    guards,
    health,
    jobs,
    limits,
    metrics,
    openapi,
    problems,
    queues,
    schedules,
    sessions,
)
from api.context import EXTENSION, Services
from api.proxies import behind_proxies
from shared.settings import Settings
from shared.tracing import start_tracing

TEMPLATES = Path(__file__).with_name("templates")


def create_app(settings: Settings) -> Flask:
    """The application, whole."""
    app = Flask("queuecast", static_folder=None, template_folder=str(TEMPLATES))
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 31_536_000  # static files: their addresses carry the hash of their content
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.url_map.merge_slashes = False  # a queue's name may hold two
    app.extensions[EXTENSION] = Services(settings=settings)
    app.wsgi_app = behind_proxies(app.wsgi_app, settings)  # type: ignore[assignment, method-assign]
    problems.register(app)
    _guard(app, settings)
    _add_routes(app)
    start_tracing("api", app)
    return app


def _guard(app: Flask, settings: Settings) -> None:
    """What every request passes, in this order; a wrong address is told before all of it."""
    metrics.register(app)
    audit.register(app)
    guards.name_requests(app)
    auth.identify_callers(app)
    limits.register(app, settings)
    auth.refuse_strangers(app)
    guards.check_requests(app)


def _add_routes(app: Flask) -> None:
    spec = openapi.make_spec(version(health.DISTRIBUTION))
    for part in (jobs, commands, checks, accuracy, queues, schedules, catalogue, health, metrics):
        app.register_blueprint(part.blueprint(spec))
    with app.app_context():
        app.register_blueprint(openapi.blueprint(spec))
    for pages in (sessions, dashboard):  # the document, which is finished now, is about the API
        app.register_blueprint(pages.blueprint())
