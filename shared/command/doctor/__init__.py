"""Is everything there, durable and alive? What `queuecast doctor` asks, one finding per question.

A finding that is well may still carry advice: nothing is broken, but a person should know.
"""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import cast

from celery.backends.redis import RedisBackend

from shared.command.doctor.broker import look_at_broker
from shared.command.doctor.findings import Finding, asked, of_look
from shared.config.connection import look_at
from shared.config.data_folder import INBOX, ROOT, entries, problem_with, user_name
from shared.config.settings import Settings
from shared.drivers.faults import translated
from shared.drivers.redis_server import redis_server
from shared.errors import BrokerAway
from shared.fleet.broker import make_celery
from shared.store import is_new, open_store

NETWORK_FILE_SYSTEMS = frozenset(
    {"9p", "afs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "glusterfs", "lustre", "nfs", "nfs4", "smb3", "smbfs"}
)


def diagnose(settings: Settings) -> list[Finding]:
    """Every finding, in the order of dependence; what only a broker can answer is left out while it is away."""
    return [
        Finding(name="version", detail=f"Queuecast {version('queuecast')}, Python {platform.python_version()}"),
        Finding(name="settings", detail="valid"),
        *asked("data folder", lambda: [_data_folder(settings.data_dir), *_modes(settings.data_dir)]),
        *asked("store", lambda: _store(settings)),
        *(finding for name in settings.all_connections for finding in _connection(settings, name)),
        *asked("result backend", lambda: [_result_backend(settings)] if settings.result_backend_url else []),
        *asked("broker", lambda: look_at_broker(settings)),
    ]


def _data_folder(folder: Path) -> Finding:
    """Whether files can be written to it, on a disk of this machine."""
    if problem := problem_with(folder):
        return Finding(name="data folder", detail=problem, is_well=False)
    if not folder.is_dir():
        return Finding(name="data folder", detail=f"{folder} is not there", is_well=False, advice="`queuecast up` makes it")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:  # a full disk, or one that is read only
        return Finding(
            name="data folder", detail=f"{folder}: {error.strerror}", is_well=False, advice="let this user write to it"
        )
    kind, free = file_system(folder), shutil.disk_usage(folder).free / 2**30
    advice = "SQLite is unsafe on a network file system: move QUEUECAST_DATA_DIR to a local disk"
    return Finding(
        name="data folder",
        detail=f"{folder} is writable ({kind}, {free:.1f} GiB free)",
        advice=advice if kind in NETWORK_FILE_SYSTEMS else "",
    )


def _modes(folder: Path) -> list[Finding]:
    """Whether nobody else on this machine can read or change what is in the data folder."""
    if problem_with(folder) or not folder.is_dir():
        return []
    inbox, name = folder / INBOX, "data folder's modes"  # what people have put there is as open as they like; the folder is not
    found = [each for each in entries(folder) if inbox not in each.path.parents and (each.is_wide or each.is_foreign)]
    if not found:
        return [Finding(name=name, detail="this user alone may read and write")]
    first = found[0]
    detail = f"{len(found)} open to others, such as {first.path} (mode {first.mode:04o}, of {user_name(first.owner)})"
    if os.geteuid() != ROOT and {each.owner for each in found} == {ROOT}:  # as container platforms mount a folder
        return [Finding(name=name, detail=detail, advice="it cannot be narrowed: let nobody else run where it can be reached")]
    advice = f"restart Queuecast, or `chmod -R go= {folder}`; what belongs to others, `chown` or remove"
    return [Finding(name=name, detail=detail, is_well=False, advice=advice)]


def file_system(folder: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """The kind of file system that holds `folder`, as Linux calls it; elsewhere "unknown file system"."""
    kind, longest = "unknown file system", 0
    for line in mounts.read_text().splitlines() if mounts.exists() else ():
        _device, place, its_kind, *_ = line.split()
        mount = Path(place.replace(r"\040", " "))
        if folder.resolve().is_relative_to(mount) and len(mount.parts) >= longest:  # a later mount hides an earlier one
            kind, longest = its_kind, len(mount.parts)
    return kind


def _store(settings: Settings) -> list[Finding]:
    """A real write; opening it checks the version of SQLite. Looking makes nothing: neither folder nor file."""
    if is_new(settings.store_location):
        return [Finding(name="store", detail="is not there yet", is_well=False, advice="`queuecast up` makes it")]
    store = open_store(settings.store_location, patience_seconds=1)
    try:
        store.check()
        tokens = [token for token in store.tokens.all() if token.revoked_at is None]
        schedules = store.schedules.all()
    finally:
        store.close()
    open_to_all = "" if tokens else "whoever reaches this machine's API may do everything; `queuecast token create` ends that"
    return [
        Finding(name="store", detail=f"{settings.masked()['store_url']} can be written"),
        Finding(name="tokens", detail=f"{len(tokens)} valid or expired", advice=open_to_all),
        Finding(name="schedules", detail=f"{len(schedules)}, {sum(each.is_paused for each in schedules)} of them paused"),
    ]


def _connection(settings: Settings, name: str) -> list[Finding]:
    """A folder is there, a database answers us."""
    title = f"connection {name}"
    return asked(title, lambda: [of_look(title, look_at(name, settings.all_connections[name]))])


def _result_backend(settings: Settings) -> Finding:
    """A round trip through Celery's own client, as the workers make it."""
    app = make_celery(redis_server(settings), "api")
    try:
        with translated(BrokerAway):
            cast("RedisBackend", app.backend).client.ping()
    finally:
        app.close()
    return Finding(name="result backend", detail="answers")
