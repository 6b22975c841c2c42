"""Whether a worker of this machine lives. Engines ask every few seconds, so nothing is loaded for the answer."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.config.settings import Settings


COLLECTOR_PULSE = "collector"  # whose pulse is beside those of the workers
SILENCE_SECONDS = 60.0  # how old a pulse may become


def pulse_file(settings: Settings, name: str) -> Path:
    """Where the worker `name` of this machine shows that it lives."""
    return settings.data_dir / "pulse" / name


def is_alive(settings: Settings, name: str) -> bool:
    """Whether the worker `name` of this machine has shown life within SILENCE_SECONDS; the liveness probe."""
    try:
        return time.time() - pulse_file(settings, name).stat().st_mtime <= SILENCE_SECONDS
    except FileNotFoundError:
        return False
