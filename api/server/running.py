"""The server's process: its limit of open files, and its shutdown."""

from __future__ import annotations

import resource
import signal
import socket
import sys
from wsgiref.types import WSGIApplication

import structlog

from api.server.listener import Listener
from api.server.memory import keep_little
from shared.config.settings import Settings

FILES_OF_A_CONNECTION = 3  # its socket, a long body, a long answer
FILES_OF_THE_REST = 100
SWITCH_SECONDS = 0.001  # the interpreter's switch interval: the loop must not wait long for threads that compute

log = structlog.get_logger(__name__)


def serve_until_asked(application: WSGIApplication, sock: socket.socket, settings: Settings) -> None:
    """Answer until SIGTERM or Ctrl-C, and then what has come; a second one ends at once."""
    keep_little()
    sys.setswitchinterval(SWITCH_SECONDS)
    most = affordable_connections(settings.max_connections)
    if most < settings.max_connections:
        log.warning("fewer connections than set: the system allows too few open files", connections=most)
    listener = Listener(application, sock, settings.model_copy(update={"max_connections": most}))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: listener.stop())
    log.info("listening", address=listener.effective_host, port=int(listener.effective_port))
    listener.run()
    log.info("ended")


def affordable_connections(most: int) -> int:
    """At most that many, and as many as the limit of open files allows, which is raised as far as possible."""
    needed = most * FILES_OF_A_CONNECTION + FILES_OF_THE_REST
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return most if soft == resource.RLIM_INFINITY else min(most, (soft - FILES_OF_THE_REST) // FILES_OF_A_CONNECTION)
