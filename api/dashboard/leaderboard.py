"""A leaderboard for people: standings in order, failures last, and what the quality report means in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from api.dashboard import words
from api.queue_answers import Standing
from shared.reports import QualityReport, QueueReport

HONEST = "shown score"
CHOSEN_ON = (
    "The shown score is that of the windows on which the winner was chosen; "
    "of many candidates the best was also lucky there, so expect about a tenth more."
)


def standings(report: QueueReport) -> list[Standing]:
    """Every candidate: scores first, best first."""
    return [Standing.of(place, outcome) for place, outcome in enumerate(report.outcomes, start=1)]


def failures(found: Sequence[Standing]) -> int:
    """How many of them have no score."""
    return sum(standing.rank is None for standing in found)


def about_score(report: QueueReport) -> str:
    """How honest the winner's score is."""
    return f"{report.selected_on[0].upper()}{report.selected_on[1:]}." if HONEST in report.selected_on else CHOSEN_ON


def quality_lines(quality: QualityReport) -> Iterator[str]:
    """What was found in the data and what was done about it."""
    yield f"{quality.rows:,} samples became {quality.steps:,} steps."
    if quality.filled_steps:
        share = words.percent(quality.filled_share * 100)
        yield f"{quality.filled_steps:,} steps ({share}) were missing and filled; the longest gap: {quality.longest_gap_steps:,}."
    if quality.duplicates:
        yield f"{quality.duplicates:,} samples were there twice."
    if quality.non_finite:
        yield f"{quality.non_finite:,} samples were no numbers."
    yield from (f"Column {name} was left out: {why}." for name, why in quality.dropped_columns.items())
    yield from (f"{note[0].upper()}{note[1:]}." for note in quality.notes)
