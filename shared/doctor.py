"""Is everything there, durable and alive? What `queuecast doctor` asks, one finding per question.

A finding that is well may still carry advice: nothing is broken, but a person should know.
"""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import cast

from celery.backends.redis import RedisBackend

from shared._doctor_fleet import Finding, look_at_fleet
from shared.broker import make_celery
from shared.connections import Connection
from shared.data_folder import INBOX, ROOT, entries, problem_with, user_name
from shared.databases import look_at_influxdb, look_at_mongodb
from shared.drivers.faults import translated
from shared.drivers.redis_server import redis_server
from shared.errors import BrokerAway, QueuecastError, ServiceError
from shared.forecasts import Lane
from shared.runstate import RunState
from shared.settings import Settings
from shared.storage import is_new, open_store

FULLEST_SHARE = 0.7  # 3-fleet.md: alarm at 70 % of the broker's memory; at 100 % workers die
NETWORK_FILE_SYSTEMS = frozenset(
    {"9p", "afs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "glusterfs", "lustre", "nfs", "nfs4", "smb3", "smbfs"}
)


def diagnose(settings: Settings) -> list[Finding]:
    """Every finding, in the order of dependence; what only a broker can answer is left out while it is away."""
    return [
        Finding(name="version", detail=f"Queuecast {version('queuecast')}, Python {platform.python_version()}"),
        Finding(name="settings", detail="valid"),
        _data_folder(settings.data_dir),
        *_modes(settings.data_dir),
        *_asked("store", lambda: _store(settings)),
        *(_files(name, connection.path) for name, connection in settings.all_connections.items() if connection.path),
        *(each for name, connection in settings.all_connections.items() for each in _database(name, connection)),
        *_asked("result backend", lambda: [_result_backend(settings)] if settings.result_backend_url else []),
        *_asked("broker", lambda: _broker(settings)),
    ]


def _asked(name: str, ask: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return ask()
    except QueuecastError as error:
        return [Finding(name=name, detail=str(error), is_well=False, is_away=isinstance(error, ServiceError))]


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


def _files(name: str, folder: Path) -> Finding:
    """Whether the folder of a `files` connection can be read."""
    if os.access(folder, os.R_OK | os.X_OK):
        return Finding(name=f"connection {name}", detail=f"{folder} is readable")
    advice = "jobs over this connection fail until the folder is there, with CSV or Parquet files in it"
    return Finding(name=f"connection {name}", detail=f"{folder} is not there or not readable", is_well=False, advice=advice)


def _database(name: str, connection: Connection) -> list[Finding]:
    """Whether a database that is a connection answers us, and what it could do better; nothing of a folder."""
    looks = {"mongodb": look_at_mongodb, "influxdb": look_at_influxdb}
    if connection.kind not in looks:
        return []

    def ask() -> list[Finding]:
        detail, advice = looks[connection.kind](name, connection)
        return [Finding(name=f"connection {name}", detail=detail, advice=advice)]

    return _asked(f"connection {name}", ask)


def _result_backend(settings: Settings) -> Finding:
    """A round trip through Celery's own client, as the workers make it."""
    app = make_celery(redis_server(settings), "api")
    try:
        with translated(BrokerAway):
            cast("RedisBackend", app.backend).client.ping()
    finally:
        app.close()
    return Finding(name="result backend", detail="answers")


def _broker(settings: Settings) -> list[Finding]:
    """All that is asked of the broker's server: first whether it answers at all."""
    state = RunState.open(settings, is_patient=False)
    try:
        with translated(BrokerAway):
            info = cast("dict[str, object]", state.client.info())
        findings = [Finding(name="broker", detail=f"answers (Redis {info['redis_version']})"), *_durability(info)]
        state.active()
        return [
            *findings,
            Finding(name="run state", detail="is readable"),
            *look_at_fleet(settings, state),
            *_lanes(state),
            _catalogue(state),
        ]
    finally:
        state.client.close()


def _durability(info: dict[str, object]) -> list[Finding]:
    """Whether a restart of the server loses nothing, nothing is evicted, and there is room (3-fleet.md, section 4)."""
    has_file, policy = bool(info.get("aof_enabled")), str(info.get("maxmemory_policy"))
    limit, used = (float(str(info.get(name) or 0)) for name in ("maxmemory", "used_memory"))
    share = used / limit if limit else 0.0
    room = f"{share:.0%} of {limit / 2**20:.0f} MiB used" if limit else f"{used / 2**20:.0f} MiB used, no limit set"
    return [
        Finding(
            name="broker's file",
            detail=f"appendonly {'yes' if has_file else 'no'}",
            is_well=has_file,
            advice="" if has_file else "set `appendonly yes`: without it a restart of the broker loses every waiting task",
        ),
        Finding(
            name="broker's eviction",
            detail=f"maxmemory-policy {policy}",
            is_well=policy == "noeviction",
            advice="" if policy == "noeviction" else "set `maxmemory-policy noeviction`: eviction loses tasks",
        ),
        Finding(
            name="broker's memory",
            detail=room,
            is_well=share < FULLEST_SHARE,
            advice="" if share < FULLEST_SHARE else "raise `maxmemory`: at 100 % the workers die",
        ),
    ]


def _lanes(state: RunState) -> list[Finding]:
    """Whether every lane has a living worker."""
    workers = state.workers()
    slots = {lane: sum(worker.slots for worker in workers if lane.value in worker.lanes) for lane in Lane}
    return [
        Finding(
            name=f"lane {lane.value}",
            detail=f"slots of living workers: {count}" if count else "no living worker",
            is_well=count > 0,
            advice="" if count else f"start one: `queuecast work --lanes {lane.value}`",
        )
        for lane, count in slots.items()
    ]


def _catalogue(state: RunState) -> Finding:
    """Whether a worker has said which models there are."""
    cards = state.catalogue()
    if cards:
        return Finding(name="catalogue", detail=", ".join(card.name for card in cards))
    return Finding(name="catalogue", detail="no worker has ever said which models it has", is_well=False, advice="start a worker")
