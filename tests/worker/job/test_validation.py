"""What a worker says of a request before anything runs, over real files."""

from __future__ import annotations

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from shared.config.settings import Settings
from shared.domain.codec import from_json
from shared.domain.jobs import DataPlaces, Place
from shared.domain.validation import Validation
from tests.factories import MONDAY, a_load, a_loss, a_request
from worker.fleet.tasks import check
from worker.job.resources import Resources
from worker.job.validation import validate
from worker.sources.base import Reading


def test_a_request_that_would_run_is_valid_and_says_how_many_queues(here: Resources) -> None:
    found = validate(a_request(model=("hour_mean",)), MONDAY)
    assert found.is_valid
    assert found.warnings == ("2 of 2 queues are asked for; 2 were looked at",)


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


def test_a_queue_that_is_gone_is_said_as_the_job_would_and_alone_it_is_a_problem(here: Resources, settings: Settings) -> None:
    assert settings.files_dir is not None
    a_load(24, end=MONDAY - timedelta(days=5)).rename_axis("timestamp").to_csv(settings.files_dir / "root.gone.csv")
    found = validate(a_request(), MONDAY)
    assert found.is_valid
    assert found.warnings[1] == "inactive since 2025-12-31: root.gone"
    alone = validate(a_request(queues=("root.g*",)), MONDAY)
    [problem] = alone.problems
    assert problem.message.startswith("no queue has data to forecast from: inactive since 2025-12-31: root.gone")
    named = validate(a_request(queues=("root.gone",)), MONDAY)
    assert "set `as_of` to the end of the data" in named.problems[0].message


def test_a_loss_by_which_every_queue_would_fail_is_a_problem(here: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Reading(frame=a_load().to_frame(), rows=336, losses=(a_loss(),))
    monkeypatch.setattr(here, "read", lambda _query, **_: reading)
    found = validate(a_request(queues=("root.etl",)), MONDAY)
    assert "Too much of the data was lost" in found.problems[0].message
    accepted = validate(a_request(queues=("root.etl",), accept_losses=True), MONDAY)
    assert accepted.is_valid
    assert "accepted, as the request has `accept_losses`" in accepted.warnings[1]


def test_data_that_end_long_ago_are_a_problem(here: Resources) -> None:
    found = validate(a_request(as_of=None), MONDAY + timedelta(days=90))
    assert "as_of" in found.problems[0].message


def test_every_source_and_the_sink_are_looked_at(here: Resources) -> None:
    places = DataPlaces(source=(Place(name="files"), Place(name="files", path="nodes/*.csv")), destination=Place(name="nowhere"))
    found = validate(a_request(data=places), MONDAY)
    assert {problem.field for problem in found.problems} == {"data.source", "data.destination"}


def test_an_error_of_ours_is_the_answer_instead_of_none(here: Resources) -> None:
    questions = here.run_state.questions
    questions.ask("q-7", '{"queues": 7}')  # as no API would
    with capture_logs() as lines:
        check("q-7")
    [problem] = from_json(Validation, questions.await_answer("q-7", 1) or "").problems
    assert problem.message == "Internal error: ValidationError; the log of the worker has the details of question q-7"
    assert [(line["event"], line["question_id"], line["exc_info"]) for line in lines] == [("internal error", "q-7", True)]
