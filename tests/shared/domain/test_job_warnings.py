from __future__ import annotations

from datetime import timedelta
from typing import Any

from shared.domain.codec import from_json, to_json
from shared.domain.job_warnings import loss_lines, warnings_of, why_nothing
from shared.domain.jobs import QueueState
from shared.domain.losses import Loss
from shared.domain.reports import QualityReport, QueueReport
from tests.factories import MONDAY, a_loss, a_report


def losing(queue: str, *losses: Loss, warnings: tuple[str, ...] = (), **changes: Any) -> QueueReport:
    dropped = changes.pop("dropped_columns", {})
    return a_report(queue=queue, quality=QualityReport(losses=losses, warnings=warnings, dropped_columns=dropped), **changes)


def skipped(queue: str, reason: str) -> QueueReport:
    return a_report(queue=queue, state=QueueState.SKIPPED, reason=reason, quality=None)


def test_each_warning_is_said_once_with_the_queues_it_is_true_of() -> None:
    reports = [losing(f"q{number}", warnings=("short", *(("old",) if number < 5 else ()))) for number in range(6)]
    assert warnings_of(reports) == ["all 6 queues: short", "q0, q1, q2 and 2 more: old"]
    assert warnings_of([losing("q0", warnings=("short",)), a_report(queue="q1", quality=None)]) == ["q0: short"]


def test_losses_of_one_kind_are_said_once_and_before_all_else() -> None:
    reports = [
        losing("root.a", a_loss(count=3, last_at=MONDAY), warnings=("the level has changed",)),
        losing("root.b", a_loss(count=4, example="2,048.0")),
        losing("root.c", a_loss(count=300), state=QueueState.FAILED),
        losing("root.d", a_loss(count=5, column=None)),
    ]
    assert warnings_of(reports) == [
        "root.a, root.b: cells with text instead of a number in 'used_capacity': 7 of 672 (1.0%) left out from "
        "2025-12-27 00:00 UTC to 2026-01-05 00:00 UTC, such as '1,024.5'; say how they are written in `csv`",
        "root.c: cells with text instead of a number in 'used_capacity': 300 of 336 (89.3%) left out from "
        "2025-12-27 00:00 UTC to 2025-12-29 00:00 UTC, such as '1,024.5', too much as they are more than 5% of the column; "
        "say how they are written in `csv`",
        "root.d: cells with text instead of a number: 5 of 336 (1.5%) left out from 2025-12-27 00:00 UTC to "
        "2025-12-29 00:00 UTC, such as '1,024.5'; say how they are written in `csv`",
        "root.a: the level has changed",
    ]


def test_what_came_of_a_large_loss_is_said() -> None:
    [accepted] = warnings_of([losing("root.a", a_loss())])
    assert accepted.endswith("; accepted, as the request has `accept_losses`: else the queue would have no forecast")
    left_out = losing("root.a", a_loss(column="memory"), dropped_columns={"memory": "lost"})
    [said] = warnings_of([left_out])
    assert said.endswith("; so the column was left out")
    assert left_out.quality is not None
    assert loss_lines(left_out.quality) == [said.removeprefix("root.a: ")]


def test_queues_that_are_gone_are_said_once_by_the_day() -> None:
    reports = [skipped("root.a", "inactive since 2026-11-18"), a_report(), skipped("root.b", "inactive since 2026-11-10")]
    assert warnings_of(reports) == ["inactive since 2026-11-10: root.b; inactive since 2026-11-18: root.a"]


def test_why_no_queue_has_data_begins_with_what_was_lost() -> None:
    nobodys = a_loss(column="queue", is_nobodys=True)
    gone = [losing(queue, nobodys, state=QueueState.SKIPPED, reason="inactive since 2026-11-18") for queue in ("a", "b")]
    assert why_nothing(gone) == f"all 2 queues: {nobodys.text}; inactive since 2026-11-18: a, b"
    assert why_nothing([a_report()]) is None


def test_reports_of_the_release_before_are_read() -> None:
    kept = to_json(QualityReport(losses=(a_loss(first_at=MONDAY - timedelta(hours=1)),)))
    assert from_json(QualityReport, kept).losses == (a_loss(first_at=MONDAY - timedelta(hours=1)),)
    assert from_json(QualityReport, '{"rows": 5}').losses == ()
