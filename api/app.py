"""The HTTP service: parse, store, enqueue; read, render. `queuecast serve` serves it."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from jinja2 import StrictUndefined

from api import dashboard, ops, v1
from api.edge import audit, auth, compression, etags, limits, problems, request_checks, sessions
from api.edge.context import EXTENSION, Services
from api.edge.proxies import behind_proxies
from api.edge.routing import NamePath, add_routes, check_policies
from api.ops import health, metrics, openapi
from shared.config.settings import Settings
from shared.config.settings_file import SettingsFile
from shared.telemetry.tracing import start_tracing

TEMPLATES = Path(__file__).with_name("dashboard") / "templates"


def create_app(settings: Settings, *, file: SettingsFile | None = None) -> Flask:
    """The application, whole. `file`: whose connections are taken up when they change."""
    app = Flask("queuecast", static_folder=None, template_folder=str(TEMPLATES))
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True, "undefined": StrictUndefined}
    app.url_map.merge_slashes = False  # a queue's name may hold two
    app.url_map.converters["path"] = NamePath
    services = app.extensions[EXTENSION] = Services(settings=settings, file=file)
    app.wsgi_app = behind_proxies(app.wsgi_app, settings)  # type: ignore[assignment, method-assign]
    problems.register(app)
    _guard(app, services)
    _add_routes(app, services)
    metrics.expect_requests(app)
    start_tracing("api", app)
    return app


def _guard(app: Flask, services: Services) -> None:
    """The hooks of every request, in this order. An unknown address is limited and counted, then answered with 404 or 405."""
    app.before_request(services.follow_file)
    metrics.register(app)
    health.register(app, services)
    audit.register(app)
    request_checks.name_requests(app)
    compression.register(app)
    etags.register(app)
    auth.identify_callers(app, services)
    limits.register(app, services)
    auth.refuse_strangers(app, services)
    request_checks.check_requests(app)


def _add_routes(app: Flask, services: Services) -> None:
    add_routes(app, services, v1, ops, sessions)
    pages = dashboard.blueprint(services.settings)
    add_routes(pages, services, dashboard)
    app.register_blueprint(pages)
    check_policies(app)
    with app.app_context():
        openapi.document()
