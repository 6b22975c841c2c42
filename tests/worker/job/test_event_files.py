"""Events of a job that lie in iCal files of a connection."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.connections.files import FilesConnection
from shared.connections.mongodb import MongodbConnection
from shared.domain.jobs import JobRequest
from shared.domain.occasions import EventFile
from shared.errors import InvalidRequest
from tests.factories import MONDAY, a_calendar, a_job, a_request
from worker.job import steps
from worker.job.event_files import text_at, with_file_events
from worker.job.resources import Resources
from worker.job.validation import validate


def asking_for(path: str, connection: str = "files") -> JobRequest:
    """A request with this file."""
    return a_request(events=(EventFile(ical=path, name=connection, kind="maintenance"),))


def store_calendar(here: Resources, path: str, day: str) -> Path:
    """A file with one event, on that day of January."""
    assert here.settings.files_dir is not None
    file = here.settings.files_dir / path
    file.parent.mkdir(exist_ok=True, parents=True)
    file.write_bytes(a_calendar(f"SUMMARY:patches|DTSTART;VALUE=DATE:{day}"))
    return file


def days(here: Resources, request: JobRequest) -> list[str]:
    """On which the events begin."""
    return [f"{event.start:%Y-%m-%d} {event.kind}" for event in here.with_file_events(request, MONDAY).known_events]


def test_the_file_is_read_whenever_something_is_forecast(here: Resources) -> None:
    inside, request = MONDAY - timedelta(days=3), asking_for("calendars/all.ics")
    store_calendar(here, "calendars/all.ics", f"{inside:%Y%m%d}")
    assert days(here, request) == [f"{inside:%Y-%m-%d} maintenance"]
    store_calendar(here, "calendars/all.ics", f"{MONDAY:%Y%m%d}")
    assert days(here, request) == [f"{MONDAY:%Y-%m-%d} maintenance"]
    store_calendar(here, "calendars/all.ics", f"{MONDAY + timedelta(days=90):%Y%m%d}")
    assert days(here, request) == []


def test_a_file_that_cannot_be_read_is_a_problem_of_events(here: Resources) -> None:
    file = store_calendar(here, "all.ics", "20260105")
    file.with_name("out.ics").symlink_to("/etc/hostname")
    file.with_name("bad.ics").write_text("hello")
    for name, reason in (
        ("no.ics", "found no file"),
        ("out.ics", "found no file"),
        ("bad.ics", "no iCal"),
        (".", "found no file"),
    ):
        problems = validate(replace(asking_for(name), as_of=MONDAY), datetime.now(UTC)).problems
        assert [problem.field for problem in problems] == ["events"]
        assert reason in problems[0].message


def test_a_job_with_a_broken_file_ends_before_anything_is_trained(here: Resources) -> None:
    store_calendar(here, "all.ics", "20260105").write_text("hello")
    job = here.store.jobs.add(a_job(request=asking_for("all.ics"), created_at=datetime.now(UTC)))
    here.run_state.begin_job(job.job_id, job.deadline_at)
    with pytest.raises(InvalidRequest, match=r"all\.ics.*no iCal"):
        steps.plan(job.job_id)


def test_files_lie_in_connections_of_kind_files_only() -> None:
    with pytest.raises(InvalidRequest, match="a connection of kind files"):
        text_at(EventFile(ical="all.ics", name="docs"), MongodbConnection(url="mongodb://h/hr"))


def test_what_the_connection_hides_is_no_calendar(here: Resources, tmp_path: Path) -> None:
    store_calendar(here, "all.ics", "20260105").with_name("link.ics").symlink_to("all.ics")
    assert here.settings.files_dir is not None
    hiding = FilesConnection(path=here.settings.files_dir, readable=("link*", "usage*"))
    for name in ("all.ics", "link.ics"):
        with pytest.raises(InvalidRequest, match="lets anybody read"):
            with_file_events(asking_for(name), MONDAY, lambda file: text_at(file, hiding))
