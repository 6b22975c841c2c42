"""Files as a sink: the forecast tables of SQLite, which `queuecast forecast export` turns into CSV, Parquet or JSON lines."""

from __future__ import annotations

from contextlib import closing
from typing import ClassVar

import structlog

from shared.config.connection import Connection
from shared.config.settings import Settings
from shared.domain.forecasts import Forecast
from shared.domain.places import Place
from shared.errors import SinkAway, StoreAway
from shared.store import open_store
from worker.sinks import sinks
from worker.sinks.base import ALL_OF_IT, Standing, refuse_unwritable

log = structlog.get_logger(__name__)


@sinks.register("files")
class FileSink:
    """When the store is SQLite, its own tables are the sink and nothing is written twice; else a file with the same tables."""

    told_by: ClassVar[tuple[str, ...]] = ALL_OF_IT

    def __init__(self, connection: Connection, settings: Settings) -> None:  # noqa: ARG002 - the promise of every sink
        self._is_store = settings.store_location.startswith("sqlite:")
        self._url = f"sqlite://{settings.data_dir / 'forecasts.db'}"

    def check(self, place: Place) -> None:
        """Our own tables are always there."""

    def write(self, forecast: Forecast, place: Place, standing: Standing = Standing.NEWEST) -> None:  # noqa: ARG002 - likewise
        """Deliver one forecast; each has a place of its own, whatever was issued later. Raises SinkRefused, SinkAway."""
        refuse_unwritable(forecast)
        if self._is_store:
            return
        try:
            with closing(open_store(self._url)) as file:
                file.forecasts.save(forecast)
        except StoreAway as error:
            log.warning("the file of forecasts cannot be written", error=str(error))
            raise SinkAway("the file of forecasts in the data folder cannot be written; the worker's log says why") from error
