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
from shared.connections.yarn import applier, readers


def diagnose(settings: Settings) -> list[Finding]:
    """Every finding, in the order of dependence; what only a broker can answer is left out while it is away."""
    return [
        Finding(name="version", detail=f"Queuecast {version('queuecast')}, Python {platform.python_version()}"),
        Finding(name="settings", detail="valid"),
        *asked("data folder", lambda: look_at_data_folder(settings.data_dir)),
        *asked("store", lambda: look_at_store(settings)),
        *(finding for name in settings.all_connections for finding in look_at_connection(settings, name)),
        *applying(settings),
        *(asked("result backend", lambda: [look_at_result_backend(settings)]) if settings.result_backend_url else []),
        *asked("broker", lambda: look_at_broker(settings)),
    ]


def applying(settings: Settings) -> list[Finding]:
    """Where there are clusters: to which of them decisions may be applied."""
    clusters = [each.cluster for each in readers(settings.all_connections).values()]
    may = [cluster for cluster in clusters if applier(settings.all_connections, cluster) is not None]
    if not clusters:
        return []
    if not may:
        return [Finding(name="applying", detail="off: no connection of a cluster has `may_apply`")]
    which = ", ".join(sorted(may))
    if settings.apply == "off":
        return [Finding(name="applying", detail=f"off by the setting apply; there are connections for it to {which}")]
    return [Finding(name="applying", detail=f"approved decisions may be applied to {which}, by a person's click")]
