"""What a worker has at hand while it runs the steps of a job."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.config.settings import Settings
from shared.fleet.runstate import RunState
from tests.api.scene import make_app
from tests.factories import write_loads
from worker.job.resources import Resources, use

__all__ = ["make_app"]  # a fixture


@pytest.fixture
def here(settings: Settings, run_state: RunState) -> Iterator[Resources]:
    """Resources over two queues of 14 days, one file each."""
    assert settings.files_dir is not None
    write_loads(settings.files_dir, "root.adhoc", "root.etl")
    with use(Resources(settings)) as given:
        yield given
        given.store.close()
