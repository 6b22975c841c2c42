from __future__ import annotations

from pathlib import Path

import pytest

from shared.config.settings import Settings
from shared.domain.jobs import Place
from shared.errors import SinkRefused
from tests.factories import a_forecast
from worker.sinks import sinks


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


def test_with_an_sqlite_store_nothing_is_written_twice(settings: Settings) -> None:
    sink = sinks["files"](settings.connection("files"), settings)
    sink.write(a_forecast(), Place(name="files"))
    assert not settings.data_dir.exists()  # the store, which is written next, is the sink


def test_what_a_sink_refuses_is_refused_with_an_sqlite_store_too(settings: Settings) -> None:
    sink = sinks["files"](settings.connection("files"), settings)
    with pytest.raises(SinkRefused, match="not finite"):
        sink.write(a_forecast(mape=float("inf")), Place(name="files"))
