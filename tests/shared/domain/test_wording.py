"""How things are counted in sentences."""

from __future__ import annotations

from shared.domain.wording import counted


def test_what_is_counted_stands_in_the_plural_but_for_one() -> None:
    assert [counted(count, "queue") for count in (0, 1, 2_000)] == ["0 queues", "1 queue", "2,000 queues"]
    assert [counted(count, "series", "series") for count in (1, 2)] == ["1 series", "2 series"]
