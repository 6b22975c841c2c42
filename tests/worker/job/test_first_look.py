"""A first look at a source: its rows, what its columns were taken for, its queues; and what is wrong, in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.config.settings import Settings
from shared.domain.codec import from_json, to_json
from shared.domain.first_look import MAX_CELL, FirstLook, Guess
from shared.domain.jobs import JobRequest
from shared.domain.places import Place
from shared.domain.units import Unit
from tests.factories import MONDAY, a_request
from worker.fleet.tasks import look as answer_look
from worker.job.first_look import first_look
from worker.job.resources import Resources

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def asked(path: str | None, **changes: object) -> JobRequest:
    request = a_request(as_of=None)
    return replace(request, data=replace(request.data, source=Place(name="files", path=path)), **changes)


def seen(settings: Settings, name: str, text: str, **changes: object) -> FirstLook:
    (settings.files_folder / name).write_text(text)
    return first_look(asked(name, **changes), NOW)


def test_the_default_columns_are_found_and_the_newest_history_is_told(here: Resources, settings: Settings) -> None:
    look = first_look(asked("*.csv"), MONDAY)
    assert look.guess == Guess(
        time_field="timestamp", target="used_capacity", unit=Unit.PERCENT, has_zone=True, step_seconds=3_600
    )
    assert (look.queues, look.queue_count, look.problems) == (("root.adhoc", "root.etl"), 2, ())
    assert len(look.rows) == 5
    assert look.files == ("root.adhoc.csv", "root.etl.csv")
    assert look.start_at is not None
    assert look.start_at < (look.end_at or NOW) < MONDAY


@pytest.mark.parametrize(
    ("text", "guess", "queues"),
    [
        (  # as a spreadsheet writes it, of years ago
            "Date;Pool Name;CPU %\n2015-03-01 00:00;etl;12,5\n2015-03-01 00:00;adhoc;2,5\n2015-03-01 01:00;etl;13,5\n",
            Guess(time_field="Date", queue_field="Pool Name", target="CPU %", unit=Unit.PERCENT, step_seconds=3_600),
            ("adhoc", "etl"),
        ),
        (  # a column per queue, times in seconds since 1970
            "time,a,b,c\n1740787200,1,2,3\n1740873600,1,,4\n1740960000,5,6,7\n",
            Guess(time_field="time", target="used_capacity", queues_from_columns=True, has_zone=True, step_seconds=86_400),
            ("a", "b", "c"),
        ),
        (  # names that say nothing: the cells do
            "x,y,z\n2025-03-01T00:00:00Z,9,q1\n2025-03-01T00:00:00Z,8,q2\n2025-03-01T01:00:00Z,9,q1\n",
            Guess(time_field="x", queue_field="z", target="y", has_zone=True, step_seconds=3_600),
            ("q1", "q2"),
        ),
    ],
    ids=["spreadsheet", "panel", "nameless"],
)
def test_columns_of_other_names_are_told_by_name_and_cells(
    here: Resources, settings: Settings, text: str, guess: Guess, queues: tuple[str, ...]
) -> None:
    look = seen(settings, "other.csv", text)
    assert (look.guess, look.queues, look.problems) == (guess, queues, ())


def test_what_the_request_names_is_not_guessed(here: Resources, settings: Settings) -> None:
    text = "t,pool,team,load,mem\n2026-02-01T00:00Z,a,x,1,2\n2026-02-01T01:00Z,a,x,1,2\n"
    look = seen(settings, "other.csv", text, time_field="t", queue_field="team", target="mem")
    assert (look.guess.time_field, look.guess.queue_field, look.guess.target) == ("t", "team", "mem")
    assert look.queues == ("x",)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("empty.csv", "", "found 0 bytes"),
        ("bare.csv", "timestamp,queue,used_capacity\n", "row"),
        ("no_times.csv", "queue,used_capacity\na,1\nb,2\n", "found no column 'timestamp'"),
        ("binary.csv", "\x00\x01,\x02\n\x03,\x04\n", ""),
    ],
)
def test_what_is_wrong_is_a_problem_and_what_could_be_seen_is_shown(
    here: Resources, settings: Settings, name: str, text: str, said: str
) -> None:
    look = seen(settings, name, text)
    assert [said in problem.message for problem in look.problems] == [True]
    assert str(settings.data_dir) not in to_json(look)
    assert look.queue_count == 0


def test_nothing_of_it_is_long_and_outside_of_the_folder_nothing_is_seen(
    here: Resources, settings: Settings, tmp_path: Path
) -> None:
    row = f"2026-02-01T00:00Z,{'x' * 500},1"
    look = seen(settings, "wide.csv", f"timestamp,queue,used_capacity,{'y' * 300}\n{row},z\n")
    assert max(len(text) for text in (*look.columns, *(cell for row in look.rows for cell in row))) == MAX_CELL
    (tmp_path / "secret.csv").write_text("timestamp,queue,used_capacity\n2026-02-01T00:00Z,secret,1\n")
    (settings.files_folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    for path in ("link.csv", "../secret.csv"):
        assert "secret" not in to_json(replace(first_look(asked(path), NOW), problems=()))


def test_a_worker_answers_and_an_error_of_ours_is_an_answer(here: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    questions = here.run_state.questions
    questions.ask("q-1", to_json(asked("*.csv")))
    answer_look("q-1")
    assert from_json(FirstLook, questions.await_answer("q-1", 1.0) or "").queue_count == 2
    questions.ask("q-2", "[]")
    answer_look("q-2")
    assert "Internal error" in (questions.await_answer("q-2", 1.0) or "")
