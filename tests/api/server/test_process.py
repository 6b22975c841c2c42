"""The real process under attack, by the real clock."""

from __future__ import annotations

import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
import urllib3

from api.server.connection import HEAD_SECONDS
from tests.api.scene import QUEUECAST
from tests.api.server.sockets import HALF_A_BODY, HALF_A_HEAD
from tests.polling import eventually, without_waiting
from tests.servers import free_port


@pytest.mark.nightly
def test_strangers_hold_nobody_up_and_are_gone_in_time(tmp_path: Path) -> None:
    port = free_port()
    command = [*QUEUECAST, "serve", "--port", str(port), "--data-dir", str(tmp_path)]
    service = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: _probe(port), what="the API")
        with ExitStack() as stack:
            strangers = [b""] * 300 + [HALF_A_HEAD] * 50 + [HALF_A_BODY] * 8
            socks = [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60)) for _ in strangers]
            for sock, sent in zip(socks, strangers, strict=True):
                sock.sendall(sent)
            dripping = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=0.5))
            with without_waiting(4 * HEAD_SECONDS):
                while _drips(dripping):
                    assert _probe(port)
    finally:
        service.terminate()
        assert service.wait(60) == 0


def _probe(port: int) -> bool:
    """Whether the process says that it is well."""
    try:
        return urllib3.request("GET", f"http://127.0.0.1:{port}/healthz", retries=False, timeout=60).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def _drips(sock: socket.socket) -> bool:
    """Send a byte of a head, and say whether the server still listens to it."""
    try:
        sock.sendall(b"G")
        sock.recv(1)
    except TimeoutError:
        return True
    except OSError:
        return False
    return False
