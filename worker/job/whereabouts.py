"""Connections lead where they led before: to what a series was read from until now, and to what a job was planned with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from shared.domain.jobs import Job, JobRequest
from shared.domain.places import Place
from shared.domain.whereabouts import Whereabouts, is_elsewhere
from shared.errors import ConnectionMoved, MovedMeanwhile
from worker.job.resources import Resources

Addresses = dict[str, tuple[str, ...]]  # by connection


def led_to(resources: Resources, request: JobRequest) -> Addresses:
    """Where the places of the request are now; raises UnknownConnection."""
    found: dict[str, set[str]] = {}
    for place in (*request.data.sources, request.data.destination):
        found.setdefault(place.name, set()).update(_addresses(resources, request, place))
    return {name: tuple(sorted(addresses)) for name, addresses in found.items()}


def check_unmoved(resources: Resources, job: Job) -> None:
    """Raises MovedMeanwhile when one leads elsewhere than when the job was planned: half of it would be of either place."""
    for name, addresses in led_to(resources, job.request).items():
        if is_elsewhere(job.led_to.get(name, ()), addresses):
            raise MovedMeanwhile(_moved(job.led_to[name], addresses), connection=name)


def check_known(resources: Resources, request: JobRequest) -> None:
    """Raises ConnectionMoved when a source leads elsewhere than what is kept came from, and nobody says whose queues it has."""
    for place, addresses in _unnamed(resources, request):
        known = resources.store.whereabouts.get(place.name, place.database or "")
        if known is not None and is_elsewhere(known.addresses, addresses):
            raise ConnectionMoved(_moved(known.addresses, addresses), connection=place.name)


def keep_known(resources: Resources, job: Job) -> None:
    """Keep where the sources of a job lead, for the next ones."""
    known_at, whereabouts = datetime.now(UTC), resources.store.whereabouts
    for place, addresses in _unnamed(resources, job.request):
        database = place.database or ""
        known = whereabouts.get(place.name, database)
        if addresses and (known is None or known.addresses != addresses):
            known = Whereabouts(
                connection=place.name, database=database, addresses=addresses, job_id=job.job_id, known_at=known_at
            )
            whereabouts.save(known)


def _unnamed(resources: Resources, request: JobRequest) -> Iterator[tuple[Place, tuple[str, ...]]]:
    """The sources and where they are, unless a cluster is named: that is what tells its series from others then."""
    for place in () if request.cluster else request.data.sources:
        yield place, tuple(sorted(_addresses(resources, request, place)))


def _addresses(resources: Resources, request: JobRequest, place: Place) -> frozenset[str]:
    settings = resources.settings
    return settings.connection(place.name, project=request.project).leads_to(place, settings.data_dir)


def _moved(before: tuple[str, ...], now: tuple[str, ...]) -> str:
    return f"it led to {', '.join(before)} and leads to {', '.join(now)}"
