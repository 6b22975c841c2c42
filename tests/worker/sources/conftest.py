"""Places in which the tests of sources store rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def empty_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Makes one at each call."""
    return lambda: tmp_path_factory.mktemp("data")
