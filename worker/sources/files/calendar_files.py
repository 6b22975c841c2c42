"""iCal files in the folder of a connection."""

from __future__ import annotations

import os
from pathlib import Path

from shared.connections.files import FilesConnection
from shared.errors import SourceNotFound
from worker.prepare.ical import MAX_BYTES
from worker.sources.files.listing import Files, opened


def calendar_text(connection: FilesConnection, path: str) -> bytes:
    """What is in the file, or a little more than is accepted of one.

    Args:
        path: of the file, below the connection's folder.

    Raises:
        SourceNotFound: there is none that may be read. UnreadableData: it cannot be read.
    """
    folder = connection.path.resolve()
    real = Path(os.path.realpath(folder / path))  # also of links in a circle
    is_file = real.is_relative_to(folder) and os.path.isfile(real)  # noqa: PTH113 - Path's raises for names that are too long
    if not is_file or connection.hides(real):
        raise SourceNotFound(f"found no file {path!r} in the connection's folder")
    if not all(map(connection.may_read, (path, str(real.relative_to(folder))))):
        raise SourceNotFound(f"found no file {path!r} that this connection lets anybody read")
    files = Files(folder=folder, paths={path: real}, left_out=(), unnamed=(), unread=())
    with opened(files, path) as own, own.open("rb") as file:
        return file.read(MAX_BYTES + 1)
