"""Planning reads every grid, the API reads none: neither pays for a forecasting library."""

from __future__ import annotations

import sys

import pytest

from tests.architecture.house import output_of

HEAVY = ("torch", "prophet", "cmdstanpy", "statsforecast", "statsmodels", "sklearn", "matplotlib")  # pandas brings pyarrow
EVERY_GRID = "from worker.models import models; assert [models[name].grid for name in models]"
EVERY_SOURCE_AND_SINK = "from worker import sinks, sources; assert all([*sources.sources, *sinks.sinks])"
HELP = (
    "from typer.main import get_command; from shared.command.root import build_app; get_command(build_app()).list_commands(None)"
)


@pytest.mark.parametrize(
    ("program", "unwanted"),
    [
        (EVERY_GRID, HEAVY),
        (EVERY_SOURCE_AND_SINK, HEAVY),
        ("import worker.app", HEAVY),
        ("import api.app", (*HEAVY, "numpy", "pandas", "scipy", "pyarrow", "worker")),
        (HELP, (*HEAVY, "numpy", "pandas", "scipy", "celery", "flask", "pyarrow")),
    ],
    ids=["every grid", "every source and sink", "worker", "API", "command line"],
)
def test_an_entry_point_loads_no_library_that_it_does_not_need(program: str, unwanted: tuple[str, ...]) -> None:
    script = f"import sys; {program}; print(*sorted(set({unwanted!r}) & set(sys.modules)))"
    assert output_of(sys.executable, "-c", script, QUEUECAST_BROKER_URL="redis://127.0.0.1:1/0").split() == []


def test_help_is_quick_since_it_loads_few_modules() -> None:
    """Counted, since seconds say more about the machine; 360 are a quarter of a second of CPU."""
    script = f"import sys; {HELP}; print(len(sys.modules))"
    assert int(output_of(sys.executable, "-c", script)) < 450
