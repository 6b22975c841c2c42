"""What schema 5 kept by a queue's name alone joins the series that it belongs to; a schedule goes on accepting losses.

A forecast belongs to what its job's request says; where the job is gone, to the only series whose jobs were called so. Actual
values belong to the only series that ever used their queue, metric and step. What may be of several stays unassigned: kept, and
shown nowhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from shared.domain.codec import Document, from_document
from shared.domain.jobs import JobRequest
from shared.domain.samples import Aggregation
from shared.domain.series import UNASSIGNED, Series
from shared.store.codec import Row
from shared.store.reading import DISORDER
from shared.store.tables import DOCUMENT

NAME = ("queue", "metric", "period_seconds")  # the columns by which actual values were kept
OF_FORECAST = (*NAME, "job", "job_id")  # the columns that tell whose a forecast is

Name = tuple[str, str, int]  # the values of NAME


@dataclass(frozen=True, slots=True)
class Owners:
    """Which series the records of earlier releases belong to."""

    requests: Mapping[str, JobRequest]
    users: dict[Name, dict[Series, set[str]]] = field(default_factory=dict)  # series that used a name → names of their jobs

    @classmethod
    def of(cls, jobs: Iterable[Row], reports: Iterable[Row], forecasts: Iterable[Row]) -> Owners:
        """As the jobs, their reports and all forecasts have it; a record that cannot be read says nothing.

        Args:
            jobs, reports: rows of schema 5 and later.
            forecasts: rows with the columns OF_FORECAST.
        """
        owners = cls({row["job_id"]: request for row in jobs if (request := _request(row)) is not None})
        for row in reports:
            if (request := owners.requests.get(row["job_id"])) is not None:
                owners._use(request.series(row["queue"]), request.job_name)
        of_lost_jobs = []
        for row in forecasts:
            if row["job_id"] in owners.requests:
                owners._use(owners.of_forecast(row), row["job"])
            else:
                of_lost_jobs.append(row)
        for row in of_lost_jobs:  # also what nobody knows is a user: then another one is not the only one
            owners._use(owners.of_forecast(row), row["job"])
        return owners

    def of_forecast(self, row: Row) -> Series:
        """The series of a forecast, or of its accuracy."""
        request, name = self.requests.get(row["job_id"]), (row["queue"], row["metric"], row["period_seconds"])
        if request is not None and (request.target, request.step_seconds) == name[1:]:
            return request.series(row["queue"])
        return _only([series for series, jobs in self.users.get(name, {}).items() if row["job"] in jobs], name)

    def interval_of(self, row: Row) -> float:
        """The level of the bounds of a forecast, or of its accuracy; 0 = nobody knows it any more."""
        request = self.requests.get(row["job_id"])
        return request.interval if request else 0.0

    def of_name(self, name: Name) -> Series:
        """The only series that has used the name; else one that nobody asks for."""
        return _only(list(self.users.get(name, {})), name)

    def _use(self, series: Series, job: str) -> None:
        name = (series.queue, series.metric, series.step_seconds)
        self.users.setdefault(name, {}).setdefault(series, set()).add(job)


def _only(users: Sequence[Series], name: Name) -> Series:
    """The only one; else what belongs to nobody."""
    if len(users) == 1:
        return users[0]
    queue, metric, step_seconds = name
    return Series(
        queue=queue, metric=metric, project="", cluster=UNASSIGNED, step_seconds=step_seconds, aggregation=Aggregation.MEAN
    )


def with_series(row: Row, series: Series, interval: float) -> Document:
    """The row of a forecast with the columns of its series, in its document too, and the level of its bounds."""
    of_request = {"project": series.project, "cluster": series.cluster, "aggregation": series.aggregation.value}
    columns: Document = {"series_id": series.series_id, "interval": interval} | of_request
    values = dict(row) | columns
    if DOCUMENT in values:
        with suppress(*DISORDER):  # what cannot be read is carried along
            values[DOCUMENT] = json.dumps(json.loads(values[DOCUMENT]) | columns, ensure_ascii=False)
    return values


def scored(row: Row, series: Series, interval: float) -> Document:
    """The row of an accuracy in today's columns."""
    kept = {name: value for name, value in dict(row).items() if name not in NAME}
    return kept | {"series_id": series.series_id, "interval": interval, "bounded_steps": kept["steps"]}


def accepting_losses(document: str) -> str:
    """The document of a schedule; one that was made when losses failed nothing, and knows no such field, goes on like that."""
    try:
        schedule = json.loads(document)
        schedule["request"] = {"accept_losses": True} | schedule["request"]
    except DISORDER:  # one that cannot be read fires nothing
        return document
    return json.dumps(schedule, ensure_ascii=False)


def _request(row: Row) -> JobRequest | None:
    try:
        return from_document(JobRequest, json.loads(row[DOCUMENT])["request"])
    except DISORDER:
        return None
