"""Each test of this folder breaks a fleet of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.chaos.verdict")  # so that it says what was wrong

from tests.chaos.fleet import ChaosFleet, chaos_fleet  # noqa: E402


@pytest.fixture
def chaos(tmp_path: Path) -> Iterator[ChaosFleet]:
    """A fleet that is not started yet."""
    with chaos_fleet(tmp_path) as fleet:
        yield fleet
