"""Holidays and events as runs of steps."""

from __future__ import annotations

from datetime import date, datetime

import pandas as pd
import pytest

from shared.domain.occasions import Event
from worker.prepare.occasions import Occasions, occasions_of

BERLIN = "Europe/Berlin"


def an_event(start: str, end: str, *, name: str = "visit", kind: str = "") -> Event:
    return Event(name=name, start=datetime.fromisoformat(start), end=datetime.fromisoformat(end), kind=kind)


def found(*events: Event, holidays: dict[date, str] | None = None, hours: int = 48, step: str = "1h") -> Occasions:
    """On the fifth and sixth of January, on Berlin's wall."""
    seconds = int(pd.Timedelta(step).total_seconds())
    times = pd.date_range("2026-01-05", periods=hours * 3_600 // seconds, freq=step)
    return occasions_of(times, seconds, BERLIN, holidays=holidays or {}, events=events)


@pytest.mark.parametrize(
    ("start", "end", "steps"),
    [
        ("2026-01-05T08:00+00:00", "2026-01-05T11:00+00:00", [9, 10, 11]),
        ("2026-01-05T08:20+00:00", "2026-01-05T11:10+00:00", [9, 10, 11]),  # those that are at least half in it
        ("2026-01-05T08:40+00:00", "2026-01-05T08:50+00:00", [9]),
        ("2026-01-04T08:00+00:00", "2026-01-05T01:00+00:00", [0, 1]),
        ("2026-01-04T08:00+00:00", "2026-01-04T09:00+00:00", []),
    ],
)
def test_an_event_is_the_steps_that_lie_in_it(start: str, end: str, steps: list[int]) -> None:
    occasions = found(an_event(start, end))
    assert [step for step, owner in enumerate(occasions.owner) if owner == 0] == steps
    assert [occasion.kind for occasion in occasions.all] == ["visit"] * bool(steps)


def test_a_holiday_is_a_day_on_the_wall_and_an_event_on_it_is_an_event() -> None:
    visit = an_event("2026-01-06T08:00+00:00", "2026-01-06T10:00+00:00", kind="visits")
    occasions = found(visit, holidays={date(2026, 1, 6): "Epiphany"})
    assert [(each.kind, each.name, each.day) for each in occasions.all] == [
        ("holiday", "Epiphany", date(2026, 1, 6)),
        ("visits", "visit", date(2026, 1, 6)),
    ]
    steps, ages = occasions.steps_of(0, 48)
    assert steps.tolist() == [24 + hour for hour in range(24) if hour not in {9, 10}]
    assert ages.tolist() == [hour for hour in range(24) if hour not in {9, 10}]


def test_an_event_that_has_begun_before_the_series_keeps_its_age() -> None:
    occasions = found(an_event("2026-01-04T21:00+00:00", "2026-01-05T01:00+00:00"))
    steps, ages = occasions.steps_of(0, 48)
    assert (steps.tolist(), ages.tolist()) == ([0, 1], [2, 3])


@pytest.mark.parametrize(("step", "steps"), [("1D", [1]), ("7D", [0])])
def test_a_holiday_in_longer_steps(step: str, steps: list[int]) -> None:
    occasions = found(holidays={date(2026, 1, 6): "Epiphany"}, hours=24 * 14, step=step)
    assert [index for index, owner in enumerate(occasions.owner) if owner == 0] == steps
