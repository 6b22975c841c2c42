"""How things are counted in sentences."""

from __future__ import annotations

import pytest

from shared.domain.wording import counted, digits


def test_what_is_counted_stands_in_the_plural_but_for_one() -> None:
    assert [counted(count, "queue") for count in (0, 1, 2_000)] == ["0 queues", "1 queue", "2,000 queues"]
    assert [counted(count, "series", "series") for count in (1, 2)] == ["1 series", "2 series"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (13_107_200.0, "13,107,200"),
        (1_471_521.4, "1,471,521"),
        (73.333333, "73.33"),
        (0.133333, "0.1333"),
        (47, "47"),
        (5e-6, "0.000005"),
    ],
)
def test_numbers_are_written_as_people_do(value: float, text: str) -> None:
    assert digits(value) == text
