"""The configuration file of a process that runs: connections that change in it are taken up without a restart.

It is looked at where a piece of work begins (a task, a request, a look of the reaper), so that what has begun ends as it began.
"""

from __future__ import annotations

import os
import stat
import threading
import time

import structlog

from shared.config.connection import Connection, kinds
from shared.config.origins import config_file
from shared.config.settings import PREFIX, Settings, load_settings
from shared.errors import InvalidSettings

LOOK_EVERY_SECONDS = 1.0  # one `stat`, some microseconds
SETTLED_SECONDS = 1.0  # a file that was written later may be half of what is being written
Signature = tuple[int, ...]

log = structlog.get_logger(__name__)


class SettingsFile:
    """Tells the settings of this process with the connections that its file has now; safe for threads."""

    def __init__(self) -> None:
        self._path = config_file().absolute()
        self._seen: Signature | None = None
        self._was_there = False
        self._is_refused = False
        self._look_at = 0.0
        self._turn = threading.Lock()

    def look(self, settings: Settings) -> Settings:
        """The settings to go on with: the same, or those with other connections. A file that is not accepted changes nothing."""
        if time.monotonic() < self._look_at or not self._turn.acquire(blocking=False):
            return settings
        try:
            self._look_at = time.monotonic() + LOOK_EVERY_SECONDS
            return self._read(settings) if self._has_changed() else settings
        finally:
            self._turn.release()

    def _has_changed(self) -> bool:
        """Whether it is another one than at the last look, and not just being written."""
        try:
            status = self._path.stat()
        except OSError as error:
            return self._is_gone(f"it cannot be looked at: {error.strerror}")
        if not stat.S_ISREG(status.st_mode):  # of which settings take nothing, as if no connection were wanted
            return self._is_gone("it is no file")
        signature = _signature(status)
        if signature == self._seen or 0 <= time.time() - status.st_mtime < SETTLED_SECONDS:
            return False
        self._was_there, self._seen = True, signature
        return True

    def _is_still_there(self) -> bool:
        """Whether it is the one that was looked at: what is read in between two files has no connections."""
        try:
            return _signature(self._path.stat()) == self._seen
        except OSError:
            return False

    def _is_gone(self, problem: str) -> bool:
        if self._was_there:
            self._refuse([problem])
        self._was_there, self._seen = False, None
        return False

    def _read(self, settings: Settings) -> Settings:
        try:
            found = load_settings(data_dir=settings.data_dir)
        except InvalidSettings as error:
            self._refuse(error.problems)
            return settings
        if not self._is_still_there():
            return settings  # the next look reads what is there then
        if self._is_refused:
            log.info("the configuration file is accepted again", file=str(self._path))
            self._is_refused = False
        update = {name: getattr(found, name) for name in reloaded() if getattr(found, name) != getattr(settings, name)}
        names = [name for name in Settings.model_fields if name not in reloaded()]
        if waiting := [PREFIX + name.upper() for name in names if getattr(found, name) != getattr(settings, name)]:
            log.warning("settings have changed that need a restart", file=str(self._path), settings=waiting)
        if not update:
            return settings
        new = settings.model_copy(update=update)
        if update.keys() - {"apply"}:
            _tell(settings.all_connections, new.all_connections)
        if "apply" in update:
            log.warning("decisions are applied again" if new.apply == "on" else "no decision is applied any more")
        return new

    def _refuse(self, problems: list[str] | tuple[str, ...]) -> None:
        what = "the configuration file is refused, the connections of before stay in force"
        log.error(what, file=str(self._path), problems=list(problems))
        self._is_refused = True


def _signature(status: os.stat_result) -> Signature:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def reloaded() -> frozenset[str]:
    """The settings that are taken up while a process runs: connections, those that make one exist, and what stops applying."""
    made_by = {setting for kind in kinds for setting in kinds[kind].taken_from.values()}
    return frozenset({"connections", "apply", *made_by} & set(Settings.model_fields))


def _tell(before: dict[str, Connection], after: dict[str, Connection]) -> None:
    """Say what is other than before, and let go of what is open for the old ones."""
    changed = [name for name in before.keys() & after.keys() if before[name] != after[name]]
    removed = before.keys() - after.keys()
    about = {"added": sorted(after.keys() - before.keys()), "changed": sorted(changed), "removed": sorted(removed)}
    for name in (*changed, *removed):
        before[name].let_go()
    log.info("the connections of the configuration file are in force", **about)
