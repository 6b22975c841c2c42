"""A listener with an application that does what each test needs of one."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from api.server.listener import Listener
from shared.config.settings import Settings
from tests.api.scene import MakeApp
from tests.api.serving import listening


@pytest.fixture
def server(settings: Settings, make_app: MakeApp) -> Iterator[Listener]:
    """The whole service."""
    with listening(make_app(settings), settings) as made:
        yield made


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a request waits for that shall keep its thread."""
    event = threading.Event()
    yield event
    event.set()
