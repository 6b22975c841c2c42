"""A WSGI application behind the service's own HTTP server, in a thread of this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from wsgiref.types import WSGIApplication

from api.edge.bind_address import bind
from api.server.listener import Listener
from shared.config.settings import Settings


@contextmanager
def listening(app: WSGIApplication, settings: Settings | None = None) -> Iterator[Listener]:
    """Serve the application on a free port of this machine."""
    server = Listener(app, bind("127.0.0.1", 0), settings or Settings())
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        server.stop()  # a test has what it wanted
        thread.join()
        server.close()


@contextmanager
def serving(app: WSGIApplication) -> Iterator[str]:
    """The same; gives its URL."""
    with listening(app) as server:
        yield f"http://127.0.0.1:{server.effective_port}"
