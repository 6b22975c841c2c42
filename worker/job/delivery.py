"""Delivery: one writer at a time of what may be the same steps, and where a forecast stands beside those that its place has."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.domain.forecasts import Forecast
from shared.domain.identifiers import shown
from shared.domain.jobs import JobRequest
from shared.domain.places import Place
from shared.domain.series import Series
from shared.domain.timegrid import MINUTE
from shared.errors import JobNotFound, RecordUnreadable, SinkRefused
from shared.telemetry.tracing import span
from worker.job.resources import Resources
from worker.sinks.base import ALL_OF_IT, Standing

MAX_LOOKED_AT = 500  # jobs that issued something later, elsewhere
OF_THE_DOCUMENT = frozenset({"expires_in"})  # what a destination says that is no part of where it is


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the forecasts of a request meet at its destination."""

    resources: Resources
    request: JobRequest

    def write(self, forecast: Forecast) -> None:
        """Sink first, store second; raises what the sink raises, and ServiceError while another one writes the same series."""
        place, of_name = self._place, (forecast.project, forecast.queue, forecast.metric, forecast.job)
        with self.resources.run_state.alone(of_name):
            self.refuse_mixture([forecast.queue], forecast.issued_at)
            with span("write", connection=place.name, queue=forecast.queue):
                self.resources.sink(place, self.request.project).write(forecast, place, self._standing(forecast))
            self.resources.store.forecasts.save(forecast)

    def refuse_mixture(self, queues: Collection[str], issued_at: datetime) -> None:
        """Raises SinkRefused where another series still reaches ahead under what the place knows these queues by.

        Two clusters that nobody has named, two steps, two aggregations or two partitions would take each other's steps there.
        """
        told_by = self.resources.sink(self._place, self.request.project).told_by
        if told_by == ALL_OF_IT:
            return
        request, only = self.request, next(iter(queues)) if len(queues) == 1 else None
        newest_of_each = self.resources.store.forecasts.newest_of_each
        for other in newest_of_each(only, metric=request.target, job=request.job_name, projects=[request.project]):
            own, its = request.series(other.queue), other.series
            is_alike = own != its and all(getattr(own, part) == getattr(its, part) for part in told_by)
            if is_alike and other.queue in queues and other.end_at > issued_at and self._has_taken(other.job_id):
                raise _mixture(own, other)

    def _standing(self, forecast: Forecast) -> Standing:
        """What it is beside those that were written there: no run in the past touches others, nor does the first of two."""
        forecasts, series_id, job = self.resources.store.forecasts, forecast.series_id, forecast.job
        newest = forecasts.newest(series_id, job)
        if newest is None or newest.issued_at < forecast.issued_at:
            return Standing.NEWEST
        later = sorted(forecasts.jobs_since(series_id, job, forecast.start_of(2)), reverse=True)
        if len(later) > MAX_LOOKED_AT or any(map(self._has_taken, later)):
            return Standing.OLDER
        of_its_hour = forecasts.of_issue(series_id, job, forecast.issued_at)
        is_replaced = any(other.created_at > forecast.created_at and self._has_taken(other.job_id) for other in of_its_hour)
        return Standing.REPLACED if is_replaced else Standing.NEWEST

    @property
    def _place(self) -> Place:
        return self.request.data.destination

    def _has_taken(self, job_id: str) -> bool:
        """Whether the job wrote to the same place; of one that is gone nobody knows, so it may have."""
        try:
            job = self.resources.store.jobs.get(job_id)
        except (JobNotFound, RecordUnreadable):
            return True
        return self._where(job.request.data.destination) == self._where(self._place)

    def _where(self, place: Place) -> Mapping[str, object]:
        connection = self.resources.settings.all_connections.get(place.name)
        said = {"database": getattr(connection, "database", None)} | place.given | {"name": place.name}
        return {name: value for name, value in said.items() if name not in OF_THE_DOCUMENT}


def _mixture(own: Series, other: Forecast) -> SinkRefused:
    """The refusal, with what tells the two series apart and the ways out."""
    parts = ("cluster", "where", "step_seconds", "aggregation", "day_timezone")
    differs = [name for name in parts if getattr(own, name) != getattr(other, name)]
    told = ", ".join(f"{name} {shown(str(getattr(other, name)))}" for name in differs)
    way = "name a `cluster` in the request or its connection, " if "cluster" in differs else "name "
    return SinkRefused(
        f"until {other.end_at:{MINUTE}} it has forecasts of another series under the same names ({told}); "
        f"they would take each other's steps: {way}another `job_name` or another place",
        queue=own.queue,
    )
