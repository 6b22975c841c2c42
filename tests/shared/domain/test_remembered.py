"""What was computed last, within its room."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.remembered import Remembered


@given(asked=st.lists(st.integers(0, 9), max_size=60), room=st.integers(0, 20))
def test_it_answers_as_if_it_computed_each_time_and_stays_within_its_room(asked: list[int], room: int) -> None:
    known = Remembered[str](room)
    made: list[int] = []

    def make(number: int) -> str:
        made.append(number)
        return "x" * number

    for place, number in enumerate(asked):
        assert known.get(number, lambda number=number: make(number), len) == "x" * number  # type: ignore[misc] # used at once
        latest = {*asked[: place + 1]}
        assert len(known) <= len(latest)
        if sum(latest) <= room:
            assert sorted(made) == sorted(latest)  # each once, where there is room for all
        assert sum(sorted(latest)[: len(known)]) <= room


def test_what_nobody_has_asked_for_longest_goes() -> None:
    known, made = Remembered[int](2), list[int]()
    for number in (1, 2, 1, 3, 1, 2):
        known.get(number, lambda number=number: made.append(number) or number, lambda value: 1)  # type: ignore[misc,func-returns-value]
    assert made == [1, 2, 3, 2]


def test_what_is_larger_than_the_room_is_answered_and_not_kept() -> None:
    known = Remembered[str](3)
    assert known.get("long", lambda: "1234", len) == "1234"
    assert known.get("short", lambda: "12", len) == "12"
    assert len(known) == 1


def test_threads_may_share_it() -> None:
    known = Remembered[int](5)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: known.get(n % 9, lambda: n % 9, lambda value: 1), range(5_000)))
    assert found == [number % 9 for number in range(5_000)]
    assert len(known) == 5
