"""The collector of a stack that had no cluster when it started: it begins once the configuration file names one."""

from __future__ import annotations

import time
from contextlib import suppress

from deploy.stack import collector, has_clusters
from deploy.supervise import Supervisor
from shared.command.reading import load_settings
from shared.config.origins import config_file
from shared.config.settings import Settings
from shared.errors import InvalidSettings

LOOK_SECONDS = 2.0


class LateCollector:
    """Looks at the file now and then. Once it runs it stays, and goes by the file itself."""

    def __init__(self, settings: Settings, supervisor: Supervisor) -> None:
        """settings: those that the stack was started with."""
        self._settings, self._supervisor = settings, supervisor
        self._has_begun = has_clusters(settings)
        self._seen: tuple[int, int] | None = None  # also what was written while the stack started is read
        self._look_at = 0.0

    def look(self) -> bool:
        """Begin the collector, if it is wanted now. False, always: the stack runs on."""
        if self._has_begun or time.monotonic() < self._look_at:
            return False
        self._look_at = time.monotonic() + LOOK_SECONDS
        with suppress(OSError, InvalidSettings):  # what is refused each process says in its log
            status = config_file().stat()
            seen = status.st_mtime_ns, status.st_size
            if seen != self._seen:
                self._seen = seen
                self._begin(load_settings(data_dir=self._settings.data_dir))
        return False

    def _begin(self, settings: Settings) -> None:
        if has_clusters(settings):
            self._supervisor.add(collector(settings))
            self._has_begun = True
