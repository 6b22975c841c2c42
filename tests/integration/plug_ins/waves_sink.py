"""The sink of the made-up kind."""

from __future__ import annotations

import json

from shared.config.settings import Settings
from shared.connections.waves import WavesConnection
from shared.domain.forecasts import Forecast
from shared.domain.places import Place
from worker.sinks import sinks
from worker.sinks.base import ALL_OF_IT, Standing


@sinks.register("waves")
class WavesSink:
    """The newest forecast of each queue, in a file."""

    told_by = ALL_OF_IT

    def __init__(self, connection: WavesConnection, settings: Settings) -> None:
        self._file = connection.taken

    def check(self, place: Place) -> None:
        """It takes everything."""

    def write(self, forecast: Forecast, place: Place, standing: Standing = Standing.NEWEST) -> None:
        self._file.write_text(json.dumps({"queue": forecast.queue, "model": forecast.model, "steps": forecast.horizon_steps}))
