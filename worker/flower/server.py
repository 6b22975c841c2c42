"""Flower, as `queuecast flower` runs it: read-only, and behind a rule that is asked before every page.

request ──▶ may it be answered? (access.py)        ──▶ Flower's own pages
                    └── no ──▶ 401, 403, 405
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from http import HTTPStatus
from urllib.parse import urlsplit

import flower.events
import structlog
import urllib3
from flower.app import Flower
from flower.command import apply_env_options, apply_options, extract_settings, setup_logging
from flower.urls import settings as flower_settings
from tornado.httputil import HTTPServerRequest
from tornado.options import options
from tornado.web import RequestHandler

from shared.config.addresses import having_address, is_loopback
from shared.config.data_folder import token_note
from shared.config.settings import Settings
from shared.store import open_store
from worker.flower.access import CREDENTIALS, Access, Asked, TokensExist, credentials, make_credentials
from worker.flower.state import KEPT, RememberedState

COLUMNS = "args,state,name,runtime,received"  # without scrolling; Flower sorts by `received`, which failed candidates have too
SAVED_EVERY_MILLISECONDS = 5_000

log = structlog.get_logger(__name__)


class Refused(RequestHandler):
    """The answer to whoever may not look."""

    def initialize(self, status: HTTPStatus) -> None:
        """Take the reason from the rule."""
        self.status = status

    def check_xsrf_cookie(self) -> None:
        """Nothing is done that a forged request could ask for."""

    def prepare(self) -> None:
        """Answer at once, whatever the method is."""
        self.set_status(self.status)
        if self.status is HTTPStatus.UNAUTHORIZED:
            self.set_header("WWW-Authenticate", 'Basic realm="Flower"')
        self.finish(f"{self.status.phrase}\n")


class GuardedFlower(Flower):  # type: ignore[misc] # Flower has no types
    """Flower that asks a rule before every request, those for /metrics, /healthcheck and static files included."""

    def __init__(self, access: Access, **kwargs: object) -> None:
        self.access = access
        super().__init__(**kwargs)

    def find_handler(self, request: HTTPServerRequest, **kwargs: object) -> object:
        """The handler of a request: Flower's own, or a refusal."""
        headers = request.headers
        asked = Asked(
            method=request.method,
            path=request.path,
            host=headers.get("Host", ""),
            peer=request.remote_ip or "",
            authorization=headers.get("Authorization", ""),
        )
        refusal = self.access.refusal(asked)
        if refusal is not None:
            return self.get_handler_delegate(request, Refused, {"status": refusal})
        return super().find_handler(request, **kwargs)


def run_flower(settings: Settings, *, host: str, port: int) -> None:
    """Serve Flower until SIGTERM. It remembers what it has seen in the data folder; revoking a chord's member fails the chord."""
    from worker.app import app  # its import reads the settings and speaks to the broker

    folder = settings.data_dir / "flower"
    folder.mkdir(parents=True, exist_ok=True)
    access = _access(settings, host)
    memory = ["--persistent=True", f"--db={folder / 'flower'}", f"--state_save_interval={SAVED_EVERY_MILLISECONDS}"]
    address = [f"--address={host}", f"--port={port}", "--read_only=True"]
    shown = [f"--max_tasks={KEPT}", f"--tasks_columns={COLUMNS}"]
    apply_env_options()
    apply_options(sys.argv[0], [*address, *shown, *memory])
    extract_settings()
    setup_logging()
    RememberedState.kept_well = settings.flower_tasks
    flower.events.EventsState = RememberedState  # it takes no other; what was kept by a release before becomes one, too
    server = GuardedFlower(access, capp=app, options=options, **flower_settings)
    atexit.register(server.stop)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with having_address("--port", host, port):
        bound_port = server.start_http_server()
    log.info("Flower serves", host=host, port=bound_port)
    gc.freeze()  # what has been loaded stays: nobody need look whether it is still in use
    server.start()


def is_alive(settings: Settings, port: int) -> bool:
    """Whether the Flower of this machine answers, asked with its own password."""
    headers = urllib3.make_headers(basic_auth=next(iter(credentials(settings.data_dir / "flower")), None))
    address = f"http://127.0.0.1:{port}/healthcheck"
    try:
        return urllib3.request("GET", address, headers=headers, timeout=4, retries=False).status == HTTPStatus.OK
    except urllib3.exceptions.HTTPError:
        return False


def _access(settings: Settings, host: str) -> Access:
    names = {urlsplit(settings.flower_url).hostname or ""} - {""} if settings.flower_url else set()
    known = make_credentials(settings.data_dir / "flower")
    if CREDENTIALS in os.environ or not is_loopback(host):
        return Access(credentials=known, names=names, needs_password=lambda: True)
    tokens_exist = TokensExist(open_store(settings.store_location, patience_seconds=1.0), token_note(settings))
    return Access(credentials=known, names=names, needs_password=tokens_exist)
