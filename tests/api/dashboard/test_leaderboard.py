"""What a leaderboard and a quality report say to people."""

from __future__ import annotations

import pytest

from api.dashboard.leaderboard import about_score, failures, quality_lines, standings
from shared.domain.jobs import QueueState
from shared.domain.reports import QualityReport, QueueReport, ReportedScore
from tests.factories import a_report


def test_scores_have_their_rank_and_failures_none() -> None:
    found = standings(a_report())
    assert [standing.rank for standing in found if standing.kind == "score"] == list(range(1, len(found) - failures(found) + 1))
    assert all(standing.reason for standing in found if standing.rank is None)


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
