"""The HTTP service: parse, store, enqueue; read, render. `gunicorn "api.app:create_app()"` serves it."""

from __future__ import annotations

from importlib.metadata import version

from flask import Flask

from api import catalogue, checks, commands, dashboard, guards, health, jobs, metrics, openapi, problems, queues
from api.context import EXTENSION, Services
from shared.logs import configure_logs
from shared.settings import Settings, load_settings


def create_app(settings: Settings | None = None) -> Flask:
    """The application, whole.

    Args:
        settings: None = this is a process of its own: they are read here, and its log is set up.
    """
    if settings is None:
        settings = load_settings()
        configure_logs(settings.log_level)
    app = Flask("queuecast", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 31_536_000  # static files: their addresses carry the hash of their content
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.url_map.merge_slashes = False  # a queue's name may hold two
    app.extensions[EXTENSION] = Services(settings=settings)
    problems.register(app)
    metrics.register(app)
    guards.register(app)
    _add_routes(app)
    return app


def _add_routes(app: Flask) -> None:
    spec = openapi.make_spec(version(health.DISTRIBUTION))
    for part in (jobs, commands, checks, queues, catalogue, health, metrics):
        app.register_blueprint(part.blueprint(spec))
    with app.app_context():
        app.register_blueprint(openapi.blueprint(spec))
    app.register_blueprint(dashboard.blueprint())  # after the document, which is about calls and not about pages
