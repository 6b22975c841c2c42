"""Planning reads every grid, the API reads none: neither pays for a forecasting library."""

from __future__ import annotations

import sys

import pytest

from tests.architecture.house import output_of

HEAVY = ("torch", "prophet", "cmdstanpy", "statsforecast", "statsmodels", "sklearn", "pyarrow", "matplotlib")
FORECASTING = (*HEAVY, "numpy", "pandas", "scipy", "worker")

EVERY_GRID = "from worker.models import models; assert [models[name].grid for name in models]"
EVERY_SOURCE_AND_SINK = "from worker.sources import sources; from worker.sinks import sinks; assert [sources[name] for name in sources] and [sinks[name] for name in sinks]"


@pytest.mark.parametrize(
    ("program", "unwanted"),
    [
        (EVERY_GRID, HEAVY),
        (EVERY_SOURCE_AND_SINK, HEAVY),
        ("import worker.app", HEAVY),
        ("import api.app", FORECASTING),
        ("import api.cli", FORECASTING),
        ("import shared.cli", FORECASTING),
    ],
    ids=["every grid", "every source and sink", "worker.app", "api.app", "api.cli", "shared.cli"],
)
def test_an_entry_point_loads_no_library_that_it_does_not_need(program: str, unwanted: tuple[str, ...]) -> None:
    script = f"import sys; {program}; print(*sorted(set({unwanted!r}) & set(sys.modules)))"
    assert output_of(sys.executable, "-c", script).split() == []
