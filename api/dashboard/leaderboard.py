"""What a leaderboard and a quality report mean, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

from shared.domain.reports import QualityReport, QueueReport, ReportedScore

ABOUT_SCORE = {
    ReportedScore.KEPT_APART: "Kept apart: the shown score is that of the newest window, which took no part in the choice.",
    ReportedScore.SELECTED_ON: (
        "The shown score is that of the windows on which the winner was chosen; "
        "of many candidates the best was also lucky there, so expect about a tenth more."
    ),
}


def about_score(report: QueueReport) -> str:
    """How honest the winner's score is."""
    return ABOUT_SCORE[report.selected_on]


def quality_lines(quality: QualityReport) -> Iterator[str]:
    """What was found in the data and what was done about it."""
    yield f"{quality.rows:,} samples became {quality.steps:,} steps."
    yield from (f"{note[0].upper()}{note[1:].rstrip('.')}." for note in quality.notes)
