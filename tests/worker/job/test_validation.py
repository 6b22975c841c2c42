"""What a worker says of a request before anything runs, over real files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from shared.config.settings import Settings
from shared.domain.jobs import DataPlaces, Place
from shared.fleet.runstate import RunState
from tests.factories import MONDAY, a_request, write_loads
from worker.job.resources import Resources, use
from worker.job.validation import validate


@pytest.fixture
def files(settings: Settings, run_state: RunState) -> Iterator[Path]:
    """A folder with two queues of 14 days."""
    assert settings.files_dir is not None
    write_loads(settings.files_dir, "root.adhoc", "root.etl")
    with use(Resources(settings)):
        yield settings.files_dir


def test_a_request_that_would_run_is_valid_and_says_how_many_queues(files: Path) -> None:
    found = validate(a_request(model=("hour_mean",)), MONDAY)
    assert found.is_valid
    assert found.warnings == ("2 of 2 queues would be forecast; 2 were looked at",)


def test_a_missing_column_is_a_problem_with_those_there_are(files: Path) -> None:
    found = validate(a_request(target="load"), MONDAY)
    assert [problem.field for problem in found.problems] == ["data.source"]
    assert "used_capacity" in found.problems[0].message


def test_too_little_history_is_said_queue_by_queue(files: Path) -> None:
    (files / "root.new.csv").write_text("timestamp,used_capacity\n2026-01-04T23:00Z,5\n")
    found = validate(a_request(queues=("root.new", "root.etl")), MONDAY)
    assert found.is_valid
    assert any(warning.startswith("root.new: it would have no forecast") for warning in found.warnings)


def test_data_that_end_long_ago_are_a_problem(files: Path) -> None:
    found = validate(a_request(as_of=None), MONDAY + timedelta(days=90))
    assert "as_of" in found.problems[0].message


def test_every_source_and_the_sink_are_looked_at(files: Path) -> None:
    places = DataPlaces(source=(Place(name="files"), Place(name="files", path="nodes/*.csv")), destination=Place(name="nowhere"))
    found = validate(a_request(data=places), MONDAY)
    assert {problem.field for problem in found.problems} == {"data.source", "data.destination"}


def test_a_destination_that_its_connection_is_not_open_for_is_a_problem(files: Path, settings: Settings) -> None:
    limited = {"charts": {"kind": "influxdb", "url": "http://127.0.0.1:1", "writable": ["queue_*"], "database": "fc"}}
    places = DataPlaces(source=Place(name="files"), destination=Place(name="charts", measurement="cpu"))
    known = Settings(data_dir=settings.data_dir, files_dir=files, store_url=settings.store_url, connections=limited)
    with use(Resources(known)):
        found = validate(a_request(data=places), MONDAY)
    assert [(problem.field, "takes forecasts for fc.queue_*" in problem.message) for problem in found.problems] == [
        ("data.destination", True)
    ]
