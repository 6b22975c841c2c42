"""Each test of this folder breaks a fleet of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.fleet import ChaosFleet, chaos_fleet


@pytest.fixture
def chaos(tmp_path: Path) -> Iterator[ChaosFleet]:
    """A fleet that is not started yet."""
    with chaos_fleet(tmp_path) as fleet:
        yield fleet
