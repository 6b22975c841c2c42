"""What a release before has written into InfluxDB is led on: `queuecast migrate influxdb`.

Which places those are, and whose points, is what our own store says: its jobs name the places, its forecasts the projects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from shared.config.settings import Settings
from shared.connections.influxdb import InfluxdbConnection
from shared.domain.jobs import Job, JobFilter
from shared.domain.series import named_cluster
from shared.errors import SinkRefused
from shared.store import Store
from worker.sinks._influx_ahead import Found, OwnersOf, give_tags, untagged
from worker.sinks._influx_place import Measurement, Tags
from worker.sinks._influx_steps import Tell, rewrite_steps, twice_stepped

Look = Callable[[Measurement], Iterator["Change"]]
PAGE = 500  # jobs of one question
KEEPS = "the server deletes nothing by DELETE: read `project` or `cluster` with the tag, those without end by themselves"
BY_HAND = "the server rewrites nothing; name another measurement in the destination, this one stays readable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be done, or was done, with the points of one queue, or of a whole measurement."""

    connection: str = ""
    database: str
    measurement: str
    job: str = ""
    metric: str = ""
    queue: str = ""
    project: str = ""
    cluster: str = ""
    points: int
    what: str


@dataclass(frozen=True, slots=True)
class Owners:
    """Whose the points of a job's name, a metric and a queue are."""

    store: Store
    settings: Settings
    jobs: Mapping[str, Job]

    def of(self, name: Tags, issued_at: int | None) -> list[Tags]:
        """The tags of every series that it may be; of those with a forecast of this issue time, if one is given."""
        forecasts = self.store.forecasts.newest_of_each(name["queue"], metric=name["metric"], job=name["job"])
        if issued_at is not None:
            moment = datetime.fromtimestamp(issued_at, UTC)
            forecasts = [each for each in forecasts if self.store.forecasts.newest(each.series_id, each.job, moment)]
        owners = [self._tags(each.job_id, each.project, each.cluster) for each in forecasts]
        return [dict(tags) for tags in sorted({tuple(owner.items()) for owner in owners})]

    def _tags(self, job_id: str, project: str, cluster: str) -> Tags:
        """As the job's next forecast will have them: its connection may name a cluster meanwhile."""
        job = self.jobs.get(job_id)
        named = self.settings.with_cluster(job.request).cluster if job else named_cluster(cluster)
        return {name: tag for name, tag in (("project", project), ("cluster", named)) if tag}


def migrate(store: Store, settings: Settings, *, apply: bool, tell: Tell) -> Iterator[Change]:
    """What there is to do, as soon as it is found; with `apply` it is done before it is told. May be repeated at any time.

    Raises SinkAway, CredentialsRefused: what was told is done, the next call goes on.
    """
    jobs = {job.job_id: job for job in _jobs(store)}
    owners, since = Owners(store, settings, jobs).of, int(datetime.now(UTC).timestamp())
    steps: Look = partial(_without_steps, apply=apply, tell=tell)
    tags: Look = partial(_with_tags, since=since, owners=owners, apply=apply, tell=tell)
    for connection, place in _places(jobs, settings):
        issued = replace(place, name=f"{place.name}_issued")
        for look, measurement in ((steps, issued), (tags, place), (tags, issued)):
            try:
                yield from (replace(change, connection=connection) for change in look(measurement))
            except SinkRefused as error:  # of this one; the others go on
                yield replace(_change(measurement, 0, f"stays as it is: {error.detail}"), connection=connection)


def _change(measurement: Measurement, points: int, what: str) -> Change:
    return Change(database=measurement.database, measurement=measurement.name, points=points, what=what)


def _with_tags(measurement: Measurement, *, since: int, owners: OwnersOf, apply: bool, tell: Tell) -> Iterator[Change]:
    for found in untagged(measurement, since, owners):
        tell(f"{measurement.name}: {found.name['queue']}")
        done = _moved(measurement, found, since, owners) if apply and not found.stays else found.stays
        yield Change(
            database=measurement.database,
            measurement=measurement.name,
            job=found.name["job"],
            metric=found.name["metric"],
            queue=found.name["queue"],
            project=(found.tags or {}).get("project", ""),
            cluster=(found.tags or {}).get("cluster", ""),
            points=found.points,
            what=done or "would get its tags",
        )


def _without_steps(issued: Measurement, *, apply: bool, tell: Tell) -> Iterator[Change]:
    points = twice_stepped(issued)
    if not points:
        return
    if issued.server.version == "3":
        yield _change(issued, points, BY_HAND)
    elif not apply:
        yield _change(issued, points, "`step` is tag and field: the field would go")
    else:
        rewrite_steps(issued, tell)
        yield _change(issued, points, "`step` is a tag only now")


def _moved(measurement: Measurement, found: Found, since: int, owners: OwnersOf) -> str:
    try:
        left = give_tags(measurement, found, since, owners)
    except SinkRefused:
        if measurement.server.version == "1":
            raise
        return f"has its tags; {KEEPS}"
    return f"has its tags, but for {left:,} points: several projects or clusters may have issued them" if left else "has its tags"


def _places(jobs: Mapping[str, Job], settings: Settings) -> Iterator[tuple[str, Measurement]]:
    """Where the jobs have written to, of the connections that there are."""
    known = settings.all_connections
    written = {(job.request.data.destination.name, job.request.data.destination) for job in jobs.values()}
    seen = set[tuple[str, str, str]]()
    for name, place in sorted(written, key=str):
        connection = known.get(name)
        if not isinstance(connection, InfluxdbConnection) or place.measurement is None:
            continue
        database = place.database or connection.database
        if database is not None and (name, database, place.measurement) not in seen:
            seen.add((name, database, place.measurement))
            yield name, Measurement(server=connection.server(), database=database, name=place.measurement)


def _jobs(store: Store) -> Iterator[Job]:
    before: tuple[datetime, str] | None = None
    while page := store.jobs.find(JobFilter(), PAGE, before):
        yield from page
        before = page[-1].created_at, page[-1].job_id
