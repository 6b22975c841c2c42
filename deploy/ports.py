"""Which ports the processes of one machine get."""

from __future__ import annotations

import socket

from shared.errors import SetupError

HERE = "127.0.0.1"
FLOWER_PORT = 5555  # Flower's own default; taken, another one is found


def free_port(host: str, port: int, option: str) -> int:
    """The port itself, or any free one for 0."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port whose last owner has just gone is free
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SetupError(
                f"{option} {port} on {host} cannot be had ({error.strerror}); name another, or 0 for any free one"
            ) from error
        return int(probe.getsockname()[1])


def flower_port_of(port: int | None) -> int:
    """The port that was asked for, else Flower's own, else any free one."""
    if port is not None:
        return free_port(HERE, port, "--flower-port")
    try:
        return free_port(HERE, FLOWER_PORT, "--flower-port")
    except SetupError:
        return free_port(HERE, 0, "--flower-port")
