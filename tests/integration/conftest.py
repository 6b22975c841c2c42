"""An empty fleet for each test of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.config.settings import Settings
from shared.fleet.runstate import RunState
from shared.store import open_store
from tests.factories import a_load
from tests.integration.fleet import Fleet


@pytest.fixture
def fleet(settings: Settings, run_state: RunState) -> Iterator[Fleet]:
    """An empty fleet over two queues of 14 days, one file each."""
    assert settings.files_dir is not None
    settings.files_dir.mkdir()
    for number, queue in enumerate(("root.adhoc", "root.etl")):
        a_load(seed=number).rename_axis("timestamp").to_csv(settings.files_dir / f"{queue}.csv")
    store = open_store(settings.store_location)
    fleet = Fleet(settings, run_state, store)
    yield fleet
    fleet.stop()
    store.close()
