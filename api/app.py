"""The HTTP service: parse, store, enqueue; read, render. `gunicorn "api.app:create_app()"` serves it."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import structlog
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

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
from shared.data_folder import keep_private, open_data_folder
from shared.logs import configure_logs
from shared.settings import Settings, load_settings
from shared.tracing import start_tracing

TEMPLATES = Path(__file__).with_name("templates")

log = structlog.get_logger(__name__)


def create_app(settings: Settings | None = None) -> Flask:
    """The application, whole.

    Args:
        settings: None = this is a process of its own: they are read here, and its log is set up.
    """
    if settings is None:
        keep_private()
        settings = load_settings()
        configure_logs(settings.log_level)
        if note := open_data_folder(settings):
            log.warning(note)
    app = Flask("queuecast", static_folder=None, template_folder=str(TEMPLATES))
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 31_536_000  # static files: their addresses carry the hash of their content
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.url_map.merge_slashes = False  # a queue's name may hold two
    app.extensions[EXTENSION] = Services(settings=settings)
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies, x_proto=settings.trusted_proxies)  # type: ignore[method-assign]
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
