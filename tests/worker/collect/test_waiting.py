"""Rows that wait: written together in their order, once each, and of too many the oldest are lost, which is said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
import structlog

from shared.domain.collected import QueueSample
from shared.errors import SinkAway
from tests.factories import MONDAY
from worker.collect import waiting
from worker.collect.tables import QUEUES, Row, Table
from worker.collect.waiting import Waiting


class Taker:
    """Takes so many writes, and then none until it is told to."""

    def __init__(self, writes: int = 1_000) -> None:
        self.writes, self.taken = writes, list[list[Row]]()

    def write(self, _table: Table, rows: Sequence[Row]) -> None:
        if len(self.taken) >= self.writes:
            raise SinkAway("nobody is there")
        self.taken.append(list(rows))


def look(place: int, queues: int = 2) -> list[QueueSample]:
    at = MONDAY + place * timedelta(seconds=30)
    return [QueueSample(cluster="prod", queue=f"root.{number}", partition="default", timestamp=at) for number in range(queues)]


def test_several_looks_are_one_write_and_what_was_written_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MAX_TOGETHER", 4)
    taker = Taker(writes=2)
    rows = Waiting(taker, "prod")
    for place in range(5):
        rows.put(QUEUES, look(place))
    with pytest.raises(SinkAway):
        list(rows.write())
    taker.writes = 1_000
    assert list(rows.write()) == [look(4)]
    assert taker.taken == [look(0) + look(1), look(2) + look(3), look(4)]
    assert list(rows.write()) == []


def test_of_too_many_the_oldest_are_lost_and_the_log_says_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MAX_ROWS", 5)
    taker = Taker(writes=0)
    rows = Waiting(taker, "prod")
    with structlog.testing.capture_logs() as said:
        for place in range(5):
            rows.put(QUEUES, look(place))
        taker.writes = 1_000
        assert list(rows.write()) == [look(3) + look(4)]
    assert [line["event"] for line in said] == ["samples are lost: nobody takes them", "samples are kept again"]
    assert (said[0]["first"], said[1]["lost_rows"]) == (str(MONDAY), 6)


def test_a_look_larger_than_what_may_wait_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MAX_ROWS", 1)
    taker = Taker()
    rows = Waiting(taker, "prod")
    rows.put(QUEUES, look(0))
    assert list(rows.write()) == [look(0)]
