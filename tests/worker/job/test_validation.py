"""What a worker says of a request before anything runs, over real files."""

from __future__ import annotations

from datetime import timedelta

from shared.config.settings import Settings
from shared.domain.jobs import DataPlaces, Place
from tests.factories import MONDAY, a_request
from worker.job.resources import Resources
from worker.job.validation import validate


def test_a_request_that_would_run_is_valid_and_says_how_many_queues(here: Resources) -> None:
    found = validate(a_request(model=("hour_mean",)), MONDAY)
    assert found.is_valid
    assert found.warnings == ("2 of 2 queues would be forecast; 2 were looked at",)


def test_a_missing_column_is_a_problem_with_those_there_are(here: Resources) -> None:
    found = validate(a_request(target="load"), MONDAY)
    assert [problem.field for problem in found.problems] == ["data.source"]
    assert "used_capacity" in found.problems[0].message


def test_too_little_history_is_said_queue_by_queue(here: Resources, settings: Settings) -> None:
    assert settings.files_dir is not None
    (settings.files_dir / "root.new.csv").write_text("timestamp,used_capacity\n2026-01-04T23:00Z,5\n")
    found = validate(a_request(queues=("root.new", "root.etl")), MONDAY)
    assert found.is_valid
    assert any(warning.startswith("root.new: it would have no forecast") for warning in found.warnings)


def test_data_that_end_long_ago_are_a_problem(here: Resources) -> None:
    found = validate(a_request(as_of=None), MONDAY + timedelta(days=90))
    assert "as_of" in found.problems[0].message


def test_every_source_and_the_sink_are_looked_at(here: Resources) -> None:
    places = DataPlaces(source=(Place(name="files"), Place(name="files", path="nodes/*.csv")), destination=Place(name="nowhere"))
    found = validate(a_request(data=places), MONDAY)
    assert {problem.field for problem in found.problems} == {"data.source", "data.destination"}
