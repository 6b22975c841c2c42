"""What `queuecast doctor` asks of whatever keeps data: the data folder, the store, connections, Celery's result backend."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import cast

from celery.backends.redis import RedisBackend

from shared.command.doctor.findings import Finding, asked
from shared.config.connection import State, look_at
from shared.config.data_folder import INBOX, ROOT, entries, problem_with, user_name
from shared.config.settings import Settings
from shared.domain.places import Place
from shared.domain.timegrid import MINUTE
from shared.domain.whereabouts import is_elsewhere
from shared.domain.wording import counted
from shared.drivers.faults import translated
from shared.drivers.redis_server import redis_server
from shared.errors import BrokerAway
from shared.fleet.broker import make_celery
from shared.store import is_new, open_store

ACCEPT_MOVE = "jobs over it are refused: give it a `cluster`, or, if its queues are the same, `queuecast config accept-move {}`"
NETWORK_FILE_SYSTEMS = frozenset(
    {"9p", "afs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "glusterfs", "lustre", "nfs", "nfs4", "smb3", "smbfs"}
)


def look_at_data_folder(folder: Path) -> list[Finding]:
    """Whether files can be written to it, on a disk of this machine, and nobody else can read or change them."""
    name = "data folder"
    if problem := problem_with(folder):
        return [Finding(name=name, detail=problem, is_well=False)]
    if not folder.is_dir():
        return [Finding(name=name, detail=f"{folder} is not there", is_well=False, advice="`queuecast up` makes it")]
    kind, free = file_system(folder), shutil.disk_usage(folder).free / 2**30
    advice = "SQLite is unsafe on a network file system: move QUEUECAST_DATA_DIR to a local disk"
    finding = Finding(
        name=name,
        detail=f"{folder} is writable ({kind}, {free:.1f} GiB free)",
        advice=advice if kind in NETWORK_FILE_SYSTEMS else "",
    )
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:  # a full disk, or one that is read only
        finding = Finding(name=name, detail=f"{folder}: {error.strerror}", is_well=False, advice="let this user write to it")
    return [finding, _modes(folder)]


def _modes(folder: Path) -> Finding:
    """Whether nobody else on this machine can read or change what is in the data folder."""
    inbox, name = folder / INBOX, "data folder's modes"  # what people have put there is as open as they like; the folder is not
    ours = (entry for entry in entries(folder) if inbox not in entry.path.parents)
    open_to_others = [entry for entry in ours if entry.is_wide or entry.is_foreign]
    if not open_to_others:
        return Finding(name=name, detail="this user alone may read and write")
    first = open_to_others[0]
    detail = f"{len(open_to_others)} open to others, such as {first.path} (mode {first.mode:04o}, of {user_name(first.owner)})"
    if os.geteuid() != ROOT and {entry.owner for entry in open_to_others} == {ROOT}:  # as container platforms mount a folder
        return Finding(name=name, detail=detail, advice="it cannot be narrowed: let nobody else run where it can be reached")
    advice = f"restart Queuecast, or `chmod -R go= {folder}`; what belongs to others, `chown` or remove"
    return Finding(name=name, detail=detail, is_well=False, advice=advice)


def file_system(folder: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """The kind of file system that holds `folder`, as Linux calls it; elsewhere "unknown file system"."""
    kind, longest = "unknown file system", 0
    for line in mounts.read_text().splitlines() if mounts.exists() else ():
        _device, place, its_kind, *_ = line.split()
        mount = Path(place.replace(r"\040", " "))
        if folder.resolve().is_relative_to(mount) and len(mount.parts) >= longest:  # a later mount hides an earlier one
            kind, longest = its_kind, len(mount.parts)
    return kind


def look_at_store(settings: Settings) -> list[Finding]:
    """A real write; opening it checks the version of SQLite. Looking makes nothing: neither folder nor file."""
    if is_new(settings.store_location):
        return [Finding(name="store", detail="is not there yet", is_well=False, advice="`queuecast up` makes it")]
    with closing(open_store(settings.store_location, patience_seconds=1)) as store:
        store.check()
        tokens = [token for token in store.tokens.all() if token.revoked_at is None]
        schedules = store.schedules.all()
    open_to_all = "" if tokens else "whoever reaches this machine's API may do everything; `queuecast token create` ends that"
    return [
        Finding(name="store", detail=f"{settings.masked()['store_url']} can be written"),
        Finding(name="tokens", detail=f"{counted(len(tokens), 'token')} not revoked", advice=open_to_all),
        Finding(name="schedules", detail=f"{len(schedules)}, {sum(schedule.is_paused for schedule in schedules)} of them paused"),
    ]


def look_at_connection(settings: Settings, name: str) -> list[Finding]:
    """A folder is there, a database answers us."""
    title = f"connection {name}"

    def ask() -> list[Finding]:
        look = look_at(name, settings.all_connections[name])
        is_well, is_away = look.state is State.WELL, look.state is State.AWAY
        found = Finding(name=title, detail=look.detail, is_well=is_well, is_away=is_away, advice=look.advice)
        return [found, *_moved(settings, name, title)]

    return asked(title, ask)


def _moved(settings: Settings, name: str, title: str) -> Iterator[Finding]:
    """Whether it leads elsewhere than when jobs last read over it."""
    connection = settings.all_connections[name]
    if connection.cluster or is_new(settings.store_location):
        return
    with closing(open_store(settings.store_location, patience_seconds=1)) as store:
        known = store.whereabouts.of_connection(name)
    for before in known:
        now = connection.leads_to(Place(name=name, database=before.database or None), settings.data_dir)
        if is_elsewhere(before.addresses, now):
            detail = (
                f"leads to {', '.join(sorted(now))}, and led to {', '.join(before.addresses)} until {before.known_at:{MINUTE}}"
            )
            yield Finding(name=title, detail=detail, is_well=False, advice=ACCEPT_MOVE.format(name))


def look_at_result_backend(settings: Settings) -> Finding:
    """A round trip through Celery's own client, as the workers make it."""
    with closing(make_celery(redis_server(settings), "api")) as app, translated(BrokerAway):
        cast("RedisBackend", app.backend).client.ping()
    return Finding(name="result backend", detail="answers")
