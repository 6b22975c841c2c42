"""Run failures: for each series and job name the last run that brought no forecast."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from shared.domain.forecasts import Forecast
from shared.domain.reports import RunFailure
from shared.domain.run_failures import EVERY_QUEUE
from shared.store.records import OneOf, Records
from shared.store.tables import Column, Kept, Kind, Table

RUN_FAILURES = Table(
    name="run_failures",
    value=RunFailure,
    columns=(Column("series_id"), Column("job"), Column("at", Kind.CLOCK)),
    key=("series_id", "job"),
    indexes=(("job",), ("at",)),
    kept=Kept(by="at", setting="keep_forecasts"),
)


@dataclass(frozen=True, slots=True)
class RunFailures:
    """Run failures by series and name of the job."""

    records: Records

    def save(self, failures: Iterable[RunFailure]) -> None:
        """Keep them; those of the run before are replaced."""
        self.records.put_many(RUN_FAILURES, [*failures])

    def since(self, forecasts: Sequence[Forecast]) -> dict[tuple[str, str], RunFailure]:
        """(series_id, job) of those of these forecasts that a later run has failed to replace → how it failed."""
        jobs = sorted({forecast.job for forecast in forecasts})
        failures = self.records.find(RUN_FAILURES, [OneOf("job", jobs)]) if jobs else []
        known = {(each.series_id, each.job): each for each in failures}
        found: dict[tuple[str, str], RunFailure] = {}
        if not known:
            return found
        for forecast in forecasts:
            key = forecast.series_id, forecast.job
            of_all = replace(forecast.series, queue=EVERY_QUEUE).series_id, forecast.job
            later = [each for each in (known.get(key), known.get(of_all)) if each and each.at > forecast.created_at]
            if later := [each for each in later if each.job_id != forecast.job_id]:
                found[key] = max(later, key=lambda each: each.at)
        return found

    def after(self, forecast: Forecast) -> RunFailure | None:
        """How a later run has failed to replace this forecast; None = none has."""
        return self.since([forecast]).get((forecast.series_id, forecast.job))
