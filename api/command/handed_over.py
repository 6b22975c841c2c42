"""The files of a decision, written into a folder: whole, as they were made, and over nothing that is there."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp

from api.command.client import Client
from shared.command.terminal import using
from shared.domain.codec import Document
from shared.domain.identifiers import control_in, shown
from shared.errors import ApiAway, UsageError


def write_files(client: Client, decision_id: str, folder: str, reason: str) -> Document:
    """Export a decision into a folder that is new or empty; what is told of it, with the paths that were written.

    Raises UsageError for another folder, before anything is exported; ApiAway for a file that is not what was told.
    """
    place = Path(folder)
    with using(place, "written"):
        if place.exists() and (not place.is_dir() or any(place.iterdir())):
            raise UsageError(f"{place} is there already, and nothing is overwritten; accepted is a folder that is new or empty")
    told = client.post("decisions", decision_id, "export", body={"reason": reason} if reason else {})
    contents = {_plain(file["name"]): _content(client, decision_id, file) for file in told["files"]}
    with using(place, "written"):
        _write(place, contents)
    return told | {"written": [str(place / name) for name in contents]}


def _content(client: Client, decision_id: str, file: Document) -> bytes:
    content, _ = client.read("decisions", decision_id, "files", file["name"])
    if sha256(content).hexdigest() != file["sha256"]:
        raise ApiAway(f"{shown(file['name'])} has not come as it was told: its SHA-256 is another one", url=client.base_url)
    return content


def _write(place: Path, contents: dict[str, bytes]) -> None:
    """All of them or none: they come from a folder beside it, whose name is changed last."""
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(mkdtemp(prefix=f".{place.name[:50]}.", dir=place.parent))
    try:
        for name, content in contents.items():
            (beside / name).write_bytes(content)
        beside.chmod(0o777 & ~_umask())
        beside.rename(place)  # refused for a folder that has anything in it
    except BaseException:
        with suppress(OSError):
            shutil.rmtree(beside)
        raise


def _plain(name: str) -> str:
    """The name of a file, which leads nowhere else; raises ApiAway."""
    if not name or name.startswith((".", "-")) or {"/", "\\", "\0"} & {*name} or control_in(name) is not None:
        raise ApiAway(f"the service names a file {name[:60]!r}, which is none of a decision")
    return name


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
