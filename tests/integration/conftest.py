"""An empty fleet for each test of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.config.settings import Settings
from shared.fleet.runstate import RunState
from tests.api.scene import make_app
from tests.factories import write_loads
from tests.integration.fleet import Fleet, fleet_on

__all__ = ["make_app"]  # a fixture


@pytest.fixture
def fleet(settings: Settings, run_state: RunState) -> Iterator[Fleet]:
    """An empty fleet over two queues of 14 days, one file each."""
    assert settings.files_dir is not None
    write_loads(settings.files_dir, "root.adhoc", "root.etl")
    with fleet_on(settings) as fleet:
        yield fleet
