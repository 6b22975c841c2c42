"""How commands speak: digits, times, whole rows, one JSON value."""

from __future__ import annotations

import json

import pytest

from shared.command.tables import print_table
from shared.command.terminal import notice, print_json, say, shown, shown_time


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        ("", "–"),
        (0.0, "0.00"),
        (7.514, "7.51"),
        (-0.153, "-0.15"),
        (51.96, "51.96"),
        (100.04, "100.0"),
        (2655.3, "2655"),
        (1234567.8, "1234568"),
        (0.0123, "0.012"),
        (72, "72"),
        (True, "True"),
    ],
)
def test_values_have_the_digits_that_say_something(value: object, text: str) -> None:
    assert shown(value) == text


def test_times_are_shown_to_the_minute() -> None:
    assert shown_time("2026-01-05T01:00:00Z") == "2026-01-05 01:00Z"
    assert shown_time(None) == "–"


def test_rows_stay_whole_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("queue", "reason"), [("root.etl", "a reason " * 30)])
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_a_narrow_terminal_breaks_names_and_cuts_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "20")
    print_table(("queue", "peak"), [("root.department.team.service", 7.5)])
    assert "…" not in capsys.readouterr().out


def test_a_table_without_rows_says_so_beside_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    for rows in ([], [["a"]]):
        print_table(("job",), rows, none="no job was found")
    found = capsys.readouterr()
    assert (found.out.split(), found.err) == (["job", "job", "a"], "no job was found\n")


def test_names_are_text_and_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("queue",), [("root.[red]etl[/red]:smile:",)])
    say("root.[bold]x")
    out = capsys.readouterr().out
    assert "root.[red]etl[/red]:smile:" in out
    assert "root.[bold]x" in out


def test_a_notice_is_one_line_beside_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    notice("first\n   second " + "word " * 100)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("first second word")


def test_json_is_one_value_in_one_line_and_never_nan(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": [1, None]})
    assert json.loads(capsys.readouterr().out) == {"a": [1, None]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        print_json(float("nan"))


def test_what_a_terminal_would_obey_is_written_out(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("queue",), [("a\x1b[2J\x9b1mb",)])
    say("c\x1b]0;title\x07\nd")
    notice("e\x1b[31m\u202ef")
    found = capsys.readouterr()
    assert "a\\x1b[2J\\x9b1mb" in found.out
    assert "c\\x1b]0;title\\x07\nd" in found.out
    assert found.err == "e\\x1b[31m\\u202ef\n"
