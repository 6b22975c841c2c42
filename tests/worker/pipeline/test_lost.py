"""What is lost fails a queue, costs a covariate its column, or is a warning; a queue that is gone fails nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.durations import Duration
from shared.domain.jobs import JobRequest
from shared.domain.losses import Loss
from shared.errors import DataError, DataLost, EmptySeries, SeriesTooShort, UnreadableData
from tests.factories import MONDAY, a_load, a_loss, a_request
from tests.worker.pipeline.factories import a_covariate
from worker.job.catalogue import model_cards
from worker.pipeline.lost import why_skipped
from worker.pipeline.queue import PreparedQueue, prepare_queue
from worker.sources.base import Reading

READING = Reading(frame=a_load().to_frame().assign(memory=a_covariate()), rows=336)
SMALL = {"count": 3}


def prepared(*losses: Loss, reading: Reading = READING, **changes: Any) -> PreparedQueue:
    request = a_request(model=("hour_mean",), **changes)
    return prepare_queue(request, replace(reading, losses=losses), queue="root.etl", issued_at=MONDAY, cards=model_cards())


@pytest.mark.parametrize(
    "loss",
    [
        a_loss(),
        a_loss(**SMALL, is_at_end=True),
        a_loss(**SMALL, is_one_sided=True),
        a_loss(what="rows without a readable timestamp", column=None),
        a_loss(what="rows without a readable timestamp", column="timestamp"),
    ],
)
def test_a_large_loss_fails_the_queue_by_its_name_unless_the_request_accepts_it(loss: Loss) -> None:
    with pytest.raises(DataLost) as failed:
        prepared(loss)
    assert str(failed.value).startswith(f"Too much of the data was lost (queue root.etl): {loss.text}")
    assert "accept_losses" in str(failed.value)
    assert prepared(loss, accept_losses=True).quality.losses == (loss,)


def test_a_small_loss_is_kept_with_the_report_and_fails_nothing() -> None:
    assert prepared(a_loss(**SMALL)).quality.losses == (a_loss(**SMALL),)


def test_a_covariate_that_was_lost_is_left_out_with_its_reason() -> None:
    loss = a_loss(column="memory")
    found = prepared(loss)
    assert list(found.snapshot.frame.columns) == ["used_capacity"]
    assert found.quality.dropped_columns["memory"] == loss.text
    assert found.quality.losses == (loss,)
    assert list(prepared(a_loss(column="memory", **SMALL)).snapshot.frame.columns) == ["used_capacity", "memory"]


def test_what_an_accepted_loss_has_left_too_little_of_fails_by_the_loss() -> None:
    loss = a_loss(is_at_end=True)
    ended = replace(READING, frame=READING.frame.iloc[:200])
    with pytest.raises(
        DataLost, match=r"Too much of the data was lost .*: cells with text instead of a number.*newest value ends"
    ):
        prepared(loss, reading=ended, accept_losses=True)


def test_what_may_be_of_a_queue_that_is_gone_comes_first_in_the_reason() -> None:
    nobodys = a_loss(what="rows that name no queue", column="queue", is_nobodys=True)
    assert prepared(nobodys).quality.losses == (nobodys,)
    with pytest.raises(DataLost):
        prepared(replace(nobodys, count=200))
    ended = replace(READING, frame=READING.frame.iloc[:200])
    with pytest.raises(EmptySeries, match=r"\(queue root\.etl\): rows that name no queue in 'queue'.*newest value ends") as gone:
        prepared(nobodys, reading=ended)
    assert gone.value.last_at is not None


GONE = EmptySeries("the newest value ends long ago", last_at=MONDAY - timedelta(days=5))
SHORT = SeriesTooShort("found 2 steps with a value, at least 3 are needed")


@pytest.mark.parametrize(
    ("request_", "error", "why"),
    [
        (a_request(), GONE, "inactive since 2025-12-31"),
        (a_request(queues=("root.*",)), GONE, "inactive since 2025-12-31"),
        (a_request(queues=("root.*", "root.etl")), GONE, None),
        (a_request(aggregation_time_period=Duration(6, "h")), GONE, None),  # 24 steps are six days
        (a_request(), EmptySeries("found no row of it"), "without a value from 2025-12-22 to 2026-01-05"),
        (
            a_request(),
            EmptySeries("found 9 rows", last_at=MONDAY + timedelta(days=3_000)),
            "without a value before 2026-01-05 00:00 UTC, all are later, up to 2034-03-24 00:00 UTC",
        ),
        (
            a_request(),
            EmptySeries("found 9 rows", last_at=MONDAY + timedelta(minutes=35)),
            "without a value before 2026-01-05 00:00 UTC, all are later, up to 2026-01-05 00:35 UTC; "
            "that step ends 2026-01-05 01:00 UTC",
        ),
        (a_request(), SHORT, "too new to be forecast, found 2 steps with a value, at least 3 are needed"),
        (a_request(), DataLost("3 days of timestamps are text"), None),
        (a_request(), UnreadableData("it is no file"), None),
    ],
)
def test_a_queue_that_is_gone_or_too_new_fails_only_if_somebody_named_it(
    request_: JobRequest, error: DataError, why: str | None
) -> None:
    assert why_skipped(request_, "root.etl", error, MONDAY) == why
