"""A cursor comes back as the position it was made of, or not at all."""

from __future__ import annotations

from datetime import timedelta

import pytest
from itsdangerous import URLSafeSerializer

from api.v1.job_answers import cursor_after, position
from shared.errors import MalformedRequest
from tests.factories import MONDAY, a_job


def test_a_cursor_is_the_position_behind_a_job() -> None:
    at = MONDAY + timedelta(microseconds=1)
    assert position(cursor_after(a_job(job_id="job-7", created_at=at), "key"), "key") == (at, "job-7")


def test_a_cursor_of_another_service_is_refused() -> None:
    with pytest.raises(MalformedRequest):
        position(cursor_after(a_job(), "key"), "other key")


@pytest.mark.parametrize("content", [1, "x", [], ["x"], ["x", "y"], [1, 2], ["0001-01-01T00:00:00+14:00", "x"], {"a": 1}, None])
def test_what_was_signed_with_the_key_may_still_be_no_position(content: object) -> None:
    with pytest.raises(MalformedRequest):
        position(str(URLSafeSerializer("key", salt="jobs").dumps(content)), "key")


def test_a_changed_cursor_is_refused() -> None:
    cursor = cursor_after(a_job(), "key")
    for changed in (cursor[1:], cursor[:-1], cursor.swapcase(), ""):
        with pytest.raises(MalformedRequest):
            position(changed, "key")
