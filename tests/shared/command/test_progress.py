"""How far long work is: lines with the time that is left, and a bar on a terminal alone."""

from __future__ import annotations

import re

import pytest

from shared.command import progress
from shared.command.progress import counting, time_left
from shared.command.terminal import now_and_then


def test_the_time_left_goes_on_at_the_pace_so_far() -> None:
    assert time_left(90.0, 3, 9) == ", about 0:03:00 left"
    assert (time_left(90.0, 0, 9), time_left(90.0, 9, 9)) == ("", "")


def test_a_pipe_gets_lines_and_a_terminal_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LINE_EVERY_SECONDS", 0.0)
    with counting("queues", lambda done, total: f"{done} of {total} replayed") as show:
        show(1, 3)
        show(3, 3)
    first, last = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"1 of 3 replayed, about \d:\d\d:\d\d left", first)
    assert last == "3 of 3 replayed"
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("TERM", "xterm")
    with counting("queues", lambda _done, _total: "never") as show:
        show(1, 3)
    shown = capsys.readouterr()
    assert ("1/3" in shown.err, "never" in shown.err, shown.out) == (True, False, "")


def test_what_does_not_change_is_said_again_after_a_while(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("shared.command.terminal.time.monotonic", lambda: now[0])
    tell = now_and_then(10.0)
    for now[0] in (5.0, 12.0, 30.0, 71.0, 73.0, 80.0, 134.0):
        tell("queued: 0 of ? queues")
    assert capsys.readouterr().err.splitlines() == ["queued: 0 of ? queues", *2 * ["still queued: 0 of ? queues"]]
