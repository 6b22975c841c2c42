from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.domain.durations import ACCEPTED_FORMS, PATTERN, WAIT_FORMS, Duration, seconds_to_wait
from tests.factories import MONDAY

WORDS = {
    "min": ["min", "minute", "minutes"],
    "h": ["h", "hour", "hours"],
    "d": ["d", "day", "days"],
    "w": ["w", "week", "weeks"],
    "mo": ["mo", "month", "months"],
}
DURATIONS = st.builds(Duration, st.integers(1, 99_999), st.sampled_from(sorted(WORDS)))


@given(DURATIONS, st.data())
def test_every_accepted_text_is_read_as_what_it_says(duration: Duration, data: st.DataObject) -> None:
    word = data.draw(st.sampled_from(WORDS[duration.unit]))
    word = data.draw(st.sampled_from([word, word.upper(), word.title()]))
    space = st.text(" \t\n", max_size=2)
    text = f"{data.draw(space)}{duration.count}{data.draw(space)}{word}{data.draw(space)}"
    assert Duration.parse(text) == duration


@given(DURATIONS)
def test_a_duration_is_written_as_it_is_read(duration: Duration) -> None:
    assert Duration.parse(str(duration)) == duration


@pytest.mark.parametrize(
    "text",
    [
        "5m", "5M", "1.5h", "0d", "00d", "05d", "-1d", "+1d", "5", "h", "", " ", "5 d d", "5y", "1h30min", "5secs", "100000h",
        "1e3h", "٥d", "５d", "5ｄ", "5\u00a0d", "5\u2003d", "5d\u0085", "5 dayss", "5 mon", "5 minuteſ", "1 hour 2", "1_0h",
    ],
)  # fmt: skip
def test_any_other_text_is_refused_with_the_accepted_forms(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(ACCEPTED_FORMS)):
        Duration.parse(text)


@pytest.mark.parametrize(
    ("text", "instead"),
    [("1y", "365d or 12mo"), ("2 Years", "730d or 24mo"), ("90s", "2min"), ("30 sec", "1min"), ("5M", "5min or 5mo")],
)
def test_a_unit_that_is_not_there_is_answered_with_what_to_write(text: str, instead: str) -> None:
    with pytest.raises(ValueError, match=f"{text}' is not a duration; .*: {instead}; accepted is"):
        Duration.parse(text)
    for written in instead.split(" or "):
        Duration.parse(written)


@given(st.text() | st.from_regex(PATTERN))
def test_a_text_is_read_exactly_if_it_has_the_published_form(text: str) -> None:
    published = re.compile(PATTERN, re.IGNORECASE | re.ASCII)
    if published.fullmatch(text):
        Duration.parse(text)
    else:
        with pytest.raises(ValueError, match="is not a duration"):
            Duration.parse(text)


def test_a_refusal_shows_the_text_and_not_all_of_a_long_one() -> None:
    with pytest.raises(ValueError, match="'5 parsecs' is not a duration"):
        Duration.parse("5 parsecs")
    with pytest.raises(ValueError, match=r"^'x{40}' is not"):
        Duration.parse("x" * 1_000)


@pytest.mark.parametrize(("text", "seconds"), [("1min", 60), ("2h", 7_200), ("3d", 259_200), ("1w", 604_800)])
def test_fixed_durations_have_seconds(text: str, seconds: int) -> None:
    assert Duration.parse(text).is_fixed
    assert Duration.parse(text).seconds == seconds


def test_months_have_no_fixed_length() -> None:
    assert not Duration(2, "mo").is_fixed
    with pytest.raises(ValueError, match="2mo has no fixed length"):
        _ = Duration(2, "mo").seconds


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("1mo", datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 2, 28, tzinfo=UTC)),
        ("1mo", datetime(2024, 1, 31, tzinfo=UTC), datetime(2024, 2, 29, tzinfo=UTC)),
        ("13mo", datetime(2025, 12, 5, 7, tzinfo=UTC), datetime(2027, 1, 5, 7, tzinfo=UTC)),
        ("2w", MONDAY, MONDAY + timedelta(days=14)),
    ],
)
def test_months_are_calendar_months(text: str, start: datetime, end: datetime) -> None:
    assert Duration.parse(text).after(start) == end


def test_a_month_before_the_31st_is_the_last_day_of_a_shorter_one() -> None:
    assert Duration(1, "mo").before(datetime(2026, 3, 31, tzinfo=UTC)) == datetime(2026, 2, 28, tzinfo=UTC)
    assert Duration(36, "h").before(MONDAY) == MONDAY - timedelta(hours=36)


@pytest.mark.parametrize("text", ["99999mo", "99999w"])
def test_what_leaves_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"{text} before 0100-.* is outside of the calendar"):
        Duration.parse(text).before(datetime(100, 1, 1, tzinfo=UTC))
    with pytest.raises(ValueError, match=f"{text} after 9000-.* is outside of the calendar"):
        Duration.parse(text).after(datetime(9000, 1, 1, tzinfo=UTC))


def test_in_documents_it_is_a_text() -> None:
    adapter = TypeAdapter(Duration)
    assert adapter.dump_json(Duration(5, "d")) == b'"5d"'
    assert adapter.validate_json('"5 days"') == Duration(5, "d")
    assert adapter.validate_python(Duration(5, "d")) == Duration(5, "d")
    assert adapter.json_schema() == {"type": "string", "pattern": f"^{PATTERN}$"}


@pytest.mark.parametrize("value", [5, 5.0, None, True, ["5d"], {"count": 5, "unit": "d"}, "5 parsecs"])
def test_in_documents_anything_else_is_refused_with_the_accepted_forms(value: object) -> None:
    with pytest.raises(ValidationError, match=re.escape(ACCEPTED_FORMS)):
        TypeAdapter(Duration).validate_json(json.dumps(value))


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("1 Second", 1), ("10min", 600), ("2 hours", 7_200), ("1d", 86_400)])
def test_a_wait_is_counted_in_seconds_too(text: str, seconds: int) -> None:
    assert seconds_to_wait(text) == seconds


@pytest.mark.parametrize("text", ["0s", "soon", "1.5s", "9" * 200 + "s", "5m", "1mo", "90"])
def test_a_wait_of_any_other_form_is_refused_with_what_is_accepted(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(WAIT_FORMS)):
        seconds_to_wait(text)
