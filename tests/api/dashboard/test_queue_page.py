"""What the page of a queue says of its score and its data."""

from __future__ import annotations

from api.dashboard.queue_page import ABOUT_SCORE, quality_lines
from shared.domain.reports import QualityReport, ReportedScore


def test_every_score_is_told_with_how_honest_it_is() -> None:
    assert ABOUT_SCORE.keys() == set(ReportedScore)


def test_of_good_data_only_their_amount_is_told() -> None:
    assert list(quality_lines(QualityReport(rows=7_200, steps=120))) == ["7,200 samples became 120 steps."]


def test_whatever_was_wrong_is_told_with_what_was_done() -> None:
    quality = QualityReport(
        rows=100, steps=20, notes=("the last hour is not over yet", "2 rows repeat a timestamp: the last was kept.")
    )
    assert list(quality_lines(quality))[1:] == ["The last hour is not over yet.", "2 rows repeat a timestamp: the last was kept."]
