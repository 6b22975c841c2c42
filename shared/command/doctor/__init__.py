"""Is everything there, durable and alive? What `queuecast doctor` asks, one finding per question.

A finding that is well may still carry advice: nothing is broken, but a person should know.
"""

from __future__ import annotations

import platform
from importlib.metadata import version

from shared.command.doctor.databases import look_at_connection, look_at_data_folder, look_at_result_backend, look_at_store
from shared.command.doctor.findings import Finding, asked
from shared.command.doctor.fleet import look_at_broker
from shared.config.settings import Settings


def diagnose(settings: Settings) -> list[Finding]:
    """Every finding, in the order of dependence; what only a broker can answer is left out while it is away."""
    return [
        Finding(name="version", detail=f"Queuecast {version('queuecast')}, Python {platform.python_version()}"),
        Finding(name="settings", detail="valid"),
        *asked("data folder", lambda: look_at_data_folder(settings.data_dir)),
        *asked("store", lambda: look_at_store(settings)),
        *(finding for name in settings.all_connections for finding in look_at_connection(settings, name)),
        *(asked("result backend", lambda: [look_at_result_backend(settings)]) if settings.result_backend_url else []),
        *asked("broker", lambda: look_at_broker(settings)),
    ]
