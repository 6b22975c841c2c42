"""The source of the made-up kind."""

from __future__ import annotations

import numpy as np
import pandas as pd

from shared.connections.waves import WavesConnection
from worker.sources import sources
from worker.sources.base import Query, Reading, SourceView

DAY_SECONDS = 86_400


@sources.register("waves")
class WavesSource:
    """One queue with a wave a day."""

    def __init__(self, connection: WavesConnection) -> None:
        self._height = connection.height

    def queues(self, query: Query) -> list[str]:
        return ["root.tide"]

    def check(self, query: Query) -> SourceView:
        columns = (query.target or "level",)
        return SourceView(queues=("root.tide",), columns=columns, start_at=query.start, end_at=query.end)

    def read(self, query: Query) -> Reading:
        times = pd.date_range(query.start, query.end, freq=f"{query.step_seconds}s", inclusive="left", tz="UTC")
        angle = 2 * np.pi * (times.hour * 3_600 + times.minute * 60).to_numpy() / DAY_SECONDS
        wave = np.sin(angle) if query.place.given["shape"] == "sine" else np.sign(np.sin(angle + 0.1))
        frame = pd.DataFrame({query.target or "level": self._height * (1.5 + wave)}, index=times)
        return Reading(frame=frame, rows=len(frame))
