"""Connections lead where they led before: to what a series was read from until now, and to what a job was planned with.

Hosts of one fleet may call one place by different addresses, as through a tunnel. So a place is known by what all workers that
live call it when it is first seen; another name is accepted by its administrator, or is that of a replica set's new member.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import structlog

from shared.domain.jobs import Job, JobRequest
from shared.domain.places import Place
from shared.domain.whereabouts import Whereabouts, is_elsewhere
from shared.errors import ConnectionMoved, MovedMeanwhile
from worker.job.resources import Resources

Addresses = dict[str, tuple[str, ...]]  # by connection

log = structlog.get_logger(__name__)


def led_to(resources: Resources, request: JobRequest) -> Addresses:
    """By connection of the request, where it leads; raises UnknownConnection.

    What is known of a source counts, and where nothing is, what the other workers call it, too.
    """
    workers = resources.run_state.members.workers()
    known = {place.name: each for place, each in _known(resources, request) if each is not None}
    found: dict[str, set[str]] = {}
    for place in _places(request):
        here = found.setdefault(place.name, set())
        here.update(_addresses(resources, request, place))
        before = known.get(place.name)
        if before is not None and before.addresses:
            here.update(before.addresses)
        else:
            told = frozenset().union(*(worker.addresses.get(place.name, ()) for worker in workers))
            here.update(told.difference(before.left if before else ()))
    return {name: tuple(sorted(addresses)) for name, addresses in found.items()}


def check_unmoved(resources: Resources, job: Job) -> None:
    """Raises MovedMeanwhile when one leads elsewhere than when the job was planned: half of it would be of either place."""
    for place in _places(job.request):
        before, now = job.led_to.get(place.name, ()), _addresses(resources, job.request, place)
        if is_elsewhere(before, now):
            raise MovedMeanwhile(_moved(before, now), connection=place.name)


def check_known(resources: Resources, request: JobRequest) -> None:
    """Raises ConnectionMoved when a source leads elsewhere than what is kept came from, and nobody says whose queues it has."""
    for place, known in _known(resources, request):
        now = _addresses(resources, request, place)
        if known is not None and is_elsewhere(known.addresses, now):
            raise ConnectionMoved(_moved(known.addresses, now), connection=place.name)


def keep_known(resources: Resources, job: Job, planned_with: Addresses) -> None:
    """Keep where the sources of a job lead, for the next ones. `planned_with`: as `led_to` has it."""
    for place, known in _known(resources, job.request):
        here, addresses = _addresses(resources, job.request, place), planned_with[place.name]
        if not here or (known is not None and known.addresses == addresses):
            continue
        if (known is None or not known.addresses) and here < set(addresses):
            log.warning("workers call a connection by several addresses", connection=place.name, addresses=", ".join(addresses))
        kept = Whereabouts(
            connection=place.name,
            database=place.database or "",
            addresses=addresses,
            job_id=job.job_id,
            known_at=datetime.now(UTC),
        )
        resources.store.whereabouts.save(kept)


def _places(request: JobRequest) -> tuple[Place, ...]:
    return (*request.data.sources, request.data.destination)


def _known(resources: Resources, request: JobRequest) -> Iterator[tuple[Place, Whereabouts | None]]:
    """The sources and what is known of each, unless a cluster is named: that is what tells its series from others then."""
    for place in () if request.cluster else request.data.sources:
        yield place, resources.store.whereabouts.get(place.name, place.database or "")


def _addresses(resources: Resources, request: JobRequest, place: Place) -> frozenset[str]:
    settings = resources.settings
    return settings.connection(place.name, project=request.project).leads_to(place, settings.data_dir)


def _moved(before: Iterable[str], now: Iterable[str]) -> str:
    return f"it led to {', '.join(sorted(before))} and leads to {', '.join(sorted(now))}"
