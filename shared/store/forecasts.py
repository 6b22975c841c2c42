"""Forecasts as they were issued."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import TypeGuard

from shared.domain.distribution import Paths
from shared.domain.forecasts import Forecast
from shared.domain.reports import Issue, issue
from shared.domain.series import UNASSIGNED, Series
from shared.errors import QueueNotFound
from shared.store.accuracy import ACCURACY
from shared.store.calibration import CALIBRATIONS
from shared.store.records import Between, Condition, Exists, Is, OneOf, Records, Where, given
from shared.store.tables import ISSUE_COLUMNS, SERIES_COLUMNS, Column, Kept, Kind, Table

MAX_TOGETHER = 500  # series whose paths are asked for at once
ASSIGNED = OneOf("cluster", [UNASSIGNED], not_=True)
BY_QUEUE = tuple((name, True) for name in ("queue", "metric", "project", "cluster", "job", "issued_at", "created_at"))
NEWEST_FIRST = (("issued_at", False), ("created_at", False), ("job", True), ("job_id", False))

FORECASTS = Table(
    name="forecasts",
    value=Forecast,
    columns=(*SERIES_COLUMNS, *ISSUE_COLUMNS),
    key=("series_id", "job", "issued_at", "job_id"),
    indexes=(
        *(("queue", "metric"), ("job_id",), ("created_at",)),
        *(("metric", "cluster", "project", "queue"), ("series_id", "job", "issued_at", "cluster", "project")),  # read alone
    ),
    newest=("issued_at", "created_at", "job_id"),
    missing=QueueNotFound,
    kept=Kept(by="created_at", setting="keep_forecasts"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestPaths:
    """The paths of the newest forecast of a series and job; those of older ones are not kept."""

    series_id: str
    job: str
    issued_at: datetime
    job_id: str
    created_at: datetime
    paths: Paths | None


PATHS = Table(
    name="forecast_paths",
    value=NewestPaths,
    columns=(Column("series_id"), Column("job"), Column("issued_at", Kind.GRID), Column("created_at", Kind.CLOCK)),
    key=("series_id", "job"),
    indexes=(("created_at",),),
    kept=Kept(by="created_at", setting="keep_forecasts"),
)


@dataclass(frozen=True, slots=True)
class Forecasts:
    """Forecasts by (series, job, issued_at, job_id): two jobs of one name never share one."""

    records: Records

    def save(self, forecast: Forecast) -> None:
        """Keep a forecast; the same key again replaces all of it, steps included, and paths unless newer ones are there."""
        paths = NewestPaths(**{each.name: getattr(forecast, each.name) for each in fields(NewestPaths)})
        with self.records.together():
            self.records.put_many(FORECASTS, [replace(forecast, paths=None)])
            before = self._paths(forecast)
            is_newest = before is None or (before.issued_at, before.created_at) <= (paths.issued_at, paths.created_at)
            if is_newest and (before or paths.paths):
                self.records.put_many(PATHS, [paths])

    def with_paths(self, forecast: Forecast) -> Forecast:
        """The forecast with its paths, where it is the newest of its series and job; they know whether chances hold."""
        kept = self._paths(forecast)
        return _joined(forecast, kept, is_calibrated=self._is_calibrated()) if _is_of(kept, forecast) else forecast

    def all_with_paths(self, forecasts: Sequence[Forecast]) -> list[Forecast]:
        """Each of them likewise, by few questions."""
        kept: dict[tuple[str, str], NewestPaths] = {}
        for first in range(0, len(forecasts), MAX_TOGETHER):
            series = sorted({forecast.series_id for forecast in forecasts[first : first + MAX_TOGETHER]})
            kept |= {(each.series_id, each.job): each for each in self.records.find(PATHS, [OneOf("series_id", series)])}
        own = [(forecast, kept.get((forecast.series_id, forecast.job))) for forecast in forecasts]
        is_calibrated = self._is_calibrated() if kept else True
        return [
            _joined(forecast, paths, is_calibrated=is_calibrated) if _is_of(paths, forecast) else forecast
            for forecast, paths in own
        ]

    def _is_calibrated(self) -> bool:
        verdict = self.records.first(CALIBRATIONS, given(pool="all"))
        return verdict is None or verdict.lost_at is None

    def beside(self, forecast: Forecast, queues: Sequence[str]) -> list[Forecast]:
        """What the same run of the job has forecast of these queues, alike but for the queue, by its name, with their paths.

        Of queues that have a newer forecast by jobs of this name there are no paths; those that it has not forecast are left out.

        Args:
            forecast: read with its paths, which say whether chances hold.
        """
        series = forecast.series
        by_queue = {queue: replace(series, queue=queue).series_id for queue in queues}
        ids = [*by_queue.values()]
        where: Where = [OneOf("series_id", ids), *given(job=forecast.job, issued_at=forecast.issued_at, job_id=forecast.job_id)]
        found = self.records.find(FORECASTS, where, order=BY_QUEUE) if ids else []
        kept = self.records.find(PATHS, [OneOf("series_id", ids), Is("job", forecast.job)]) if found else []
        newest = {(each.series_id, each.issued_at, each.job_id): each.paths for each in kept}
        holds = forecast.paths is None or forecast.paths.is_calibrated
        paths = [newest.get((by_queue[each.queue], each.issued_at, each.job_id)) for each in found]
        calibrated = [own and replace(own, is_calibrated=holds) for own in paths]
        return [replace(each, paths=own) for each, own in zip(found, calibrated, strict=True)]

    def _paths(self, forecast: Forecast) -> NewestPaths | None:
        return self.records.first(PATHS, given(series_id=forecast.series_id, job=forecast.job))

    def newest(self, series_id: str, job: str, issued_at: datetime | None = None) -> Forecast | None:
        """The newest forecast of a series by jobs of this name, of this issue time if one is given; None = there is none."""
        where = given(series_id=series_id, job=job, issued_at=issued_at)
        return self.records.first(FORECASTS, where, order=NEWEST_FIRST)

    def find(
        self,
        queue: str | None = None,
        *,
        job_id: str | None = None,
        project: str | None = None,
        cluster: str | None = None,
    ) -> list[Forecast]:
        """Every forecast that matches, by queue, metric, project, cluster, job and time."""
        where = given(queue=queue, job_id=job_id, project=project, cluster=cluster)
        return self.records.find(FORECASTS, where, order=BY_QUEUE)

    def newest_of_each(
        self,
        queue: str | None = None,
        *,
        metric: str | None = None,
        cluster: str | None = None,
        projects: Sequence[str] | None = None,
        job: str | None = None,
    ) -> list[Forecast]:
        """The newest forecast of every series and job that matches, by queue; `projects`: of one of these, None = of any."""
        where: Where = [*given(queue=queue, metric=metric, cluster=cluster, job=job), *_of_projects(projects), ASSIGNED]
        return self.records.find(FORECASTS, where, newest_of=("series_id", "job"), order=BY_QUEUE)

    def queues(self, metric: str, *, cluster: str, projects: Sequence[str] | None = None) -> list[str]:
        """Names of a cluster's queues that have a forecast of this metric, in order; `projects` as for `newest_of_each`."""
        where = [Is("metric", metric), Is("cluster", cluster), *_of_projects(projects)]
        return list(self.records.sum_by(FORECASTS, where, "queue", []))

    def names(self, *, projects: Sequence[str] | None = None) -> list[str]:
        """Names of all queues that have a forecast, in order; `projects` as for `newest_of_each`."""
        return list(self.records.sum_by(FORECASTS, [ASSIGNED, *_of_projects(projects)], "queue", []))

    def projects(self, cluster: str, *, projects: Sequence[str] | None = None) -> list[str]:
        """Projects that have a forecast of a cluster's queues, in order; `projects` as for `newest_of_each`."""
        return sorted(self.records.sum_by(FORECASTS, [Is("cluster", cluster), *_of_projects(projects)], "project", []))

    def issues(self, series_id: str, *, job: str | None = None, limit: int) -> list[Issue]:
        """What was issued and matches, newest first; at most `limit`."""
        where = given(series_id=series_id, job=job)
        return [issue(forecast) for forecast in self.records.find(FORECASTS, where, order=NEWEST_FIRST, limit=limit)]

    def of_issue(self, series_id: str, job: str, issued_at: datetime) -> list[Forecast]:
        """The forecasts of a series that jobs of this name have issued at this time."""
        return self.records.find(FORECASTS, given(series_id=series_id, job=job, issued_at=issued_at), order=NEWEST_FIRST)

    def jobs_since(self, series_id: str, job: str, since: datetime) -> list[str]:
        """Ids of the jobs of this name that have issued a forecast of the series since then."""
        where: Where = [*given(series_id=series_id, job=job), Between("issued_at", since)]
        return list(self.records.sum_by(FORECASTS, where, "job_id", []))

    def issued(self, series: Series, *, since: datetime, before: datetime, limit: int) -> list[Forecast]:
        """Those issued in [since, before), newest first; at most `limit`."""
        where: Where = [Is("series_id", series.series_id), Between("issued_at", since, before)]
        return self.records.find(FORECASTS, where, order=NEWEST_FIRST, limit=limit)

    def of_each_day(self, series_id: str, job: str, *, since: datetime, before: datetime) -> list[Forecast]:
        """Of each 24 hours that end at `before` or whole days earlier, back to `since`, the last one issued, oldest first."""
        mine = given(series_id=series_id, job=job)
        moments = sorted(self.records.sum_by(FORECASTS, [*mine, Between("issued_at", since, before)], "issued_at", []))
        last = {(before - at) // timedelta(days=1): at for at in moments}
        found = self.records.find(FORECASTS, [*mine, OneOf("issued_at", [*last.values()])], order=(("issued_at", True),))
        return [*{forecast.issued_at: forecast for forecast in found}.values()]

    def unverified(self, series: Series, *, since: datetime, before: datetime, limit: int) -> list[Forecast]:
        """Those issued in [since, before) that have no final accuracy, oldest first by issue time and job; at most `limit`.

        The accuracy of a forecast that was replaced by another one under its key is not its own.
        """
        own = ("series_id", "job", "issued_at", "job_id", "created_at")
        where: Where = [
            Is("series_id", series.series_id),
            Between("issued_at", since, before),
            Exists(ACCURACY, own, [Is("is_final", True)], not_=True),
        ]
        return self.records.find(FORECASTS, where, order=(("issued_at", True), ("job", True)), limit=limit)


def _of_projects(projects: Sequence[str] | None) -> list[Condition]:
    return [] if projects is None else [OneOf("project", projects)]


def _is_of(kept: NewestPaths | None, forecast: Forecast) -> TypeGuard[NewestPaths]:
    """Whether the paths are those of this very forecast."""
    return kept is not None and kept.paths is not None and (kept.issued_at, kept.job_id) == (forecast.issued_at, forecast.job_id)


def _joined(forecast: Forecast, kept: NewestPaths, *, is_calibrated: bool) -> Forecast:
    return replace(forecast, paths=replace(kept.paths, is_calibrated=is_calibrated) if kept.paths else None)
