"""What schema 5 kept by a queue's name alone joins the series that it belongs to; a schedule goes on accepting losses.

A forecast belongs to what its job's request says. Actual values belong to the only series that ever used their queue, metric and
step; where there are several they stay unassigned: kept, and shown nowhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

from shared.domain.codec import Document, from_document
from shared.domain.jobs import JobRequest
from shared.domain.samples import Aggregation
from shared.domain.series import UNASSIGNED, Series
from shared.store.codec import Row
from shared.store.reading import DISORDER
from shared.store.tables import DOCUMENT

NAME = ("queue", "metric", "period_seconds")  # the columns by which actual values were kept

Name = tuple[str, str, int]  # the values of NAME


@dataclass(frozen=True, slots=True)
class Owners:
    """Which series the records of earlier releases belong to."""

    requests: Mapping[str, JobRequest]
    users: dict[Name, set[Series]] = field(default_factory=dict)  # the series that have used a name

    @classmethod
    def of(cls, jobs: Iterable[Row], reports: Iterable[Row]) -> Owners:
        """As the jobs and their reports have it; a record that cannot be read says nothing.

        Args:
            jobs, reports: rows of schema 5 and later.
        """
        owners = cls({row["job_id"]: request for row in jobs if (request := _request(row)) is not None})
        for row in reports:
            if (request := owners.requests.get(row["job_id"])) is not None:
                owners._use(request.series(row["queue"]))
        return owners

    def of_forecast(self, row: Row) -> Series:
        """The series of a forecast, or of its accuracy."""
        request = self.requests.get(row["job_id"])
        if request is None or (request.target, request.step_seconds) != (row["metric"], row["period_seconds"]):
            return self.of_name(*(row[name] for name in NAME))
        series = request.series(row["queue"])
        self._use(series)
        return series

    def of_name(self, queue: str, metric: str, step_seconds: int) -> Series:
        """The only series that has used the name; else one that nobody asks for."""
        users = self.users.get((queue, metric, step_seconds), set())
        if len(users) == 1:
            return next(iter(users))
        return Series(
            queue=queue,
            metric=metric,
            project="",
            cluster=UNASSIGNED,
            step_seconds=step_seconds,
            aggregation=Aggregation.MEAN,
        )

    def _use(self, series: Series) -> None:
        self.users.setdefault((series.queue, series.metric, series.step_seconds), set()).add(series)


def with_series(row: Row, series: Series) -> Document:
    """The row of a forecast with the columns of its series, in its document too."""
    known = asdict(series) | {"aggregation": series.aggregation.value}
    columns = {"series_id": series.series_id, **{name: known[name] for name in ("project", "cluster", "aggregation")}}
    values = dict(row) | columns
    if DOCUMENT in values:
        values[DOCUMENT] = json.dumps(json.loads(values[DOCUMENT]) | columns)
    return values


def scored(row: Row, series: Series) -> Document:
    """The row of an accuracy in today's columns."""
    return {name: value for name, value in dict(row).items() if name not in NAME} | {"series_id": series.series_id}


def accepting_losses(document: str) -> str:
    """The document of a schedule that was made when losses failed nothing."""
    schedule = json.loads(document)
    schedule["request"]["accept_losses"] = True
    return json.dumps(schedule)


def _request(row: Row) -> JobRequest | None:
    try:
        return from_document(JobRequest, json.loads(row[DOCUMENT])["request"])
    except DISORDER:
        return None
