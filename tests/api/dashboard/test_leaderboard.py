"""What a leaderboard and a quality report say to people."""

from __future__ import annotations

import pytest

from api.dashboard.leaderboard import about_score, quality_lines
from shared.domain.jobs import QueueState
from shared.domain.reports import QualityReport, QueueReport, ReportedScore


@pytest.mark.parametrize(("reported", "says"), [(ReportedScore.SELECTED_ON, "lucky"), (ReportedScore.KEPT_APART, "no part")])
def test_a_score_is_told_with_how_honest_it_is(reported: ReportedScore, says: str) -> None:
    report = QueueReport(job_id="j", queue="q", state=QueueState.SUCCEEDED, selected_on=reported)
    assert says in about_score(report)


def test_of_good_data_only_their_amount_is_told() -> None:
    assert list(quality_lines(QualityReport(rows=7_200, steps=120))) == ["7,200 samples became 120 steps."]


def test_whatever_was_wrong_is_told_with_what_was_done() -> None:
    quality = QualityReport(
        rows=100, steps=20, notes=("the last hour is not over yet", "2 rows repeat a timestamp: the last was kept.")
    )
    assert list(quality_lines(quality))[1:] == ["The last hour is not over yet.", "2 rows repeat a timestamp: the last was kept."]
