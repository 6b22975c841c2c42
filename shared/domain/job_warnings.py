"""What a person should know of a job's data: each thing once, with the queues that it is true of; what was lost comes first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from shared.domain.identifiers import first_of, shown
from shared.domain.jobs import QueueState
from shared.domain.losses import Loss, together
from shared.domain.reports import QualityReport, QueueReport

MAX_QUEUES_NAMED = 3  # in a warning
MAX_REASONS = 5  # why queues were skipped
ACCEPTED = "accepted, as the request has `accept_losses`: else the queue would have no forecast"
LEFT_OUT = "so the column was left out"


def warnings_of(reports: Sequence[QueueReport]) -> list[str]:
    """Every warning of a job whose queues have come this far."""
    queues: dict[str, list[str]] = {}
    for report in reports:
        for warning in report.quality.warnings if report.quality else ():
            queues.setdefault(warning, []).append(report.queue)
    skipped = skipped_queues(reports)
    said = [f"{_named(names, of=len(reports))}: {warning}" for warning, names in queues.items()]
    return [*_losses(reports), *([skipped] if skipped else []), *said]


def loss_lines(quality: QualityReport) -> list[str]:
    """What was lost of one queue, a line for each loss."""
    return ["; ".join(filter(None, (loss.text, _column_goes(loss, quality)))) for loss in quality.losses]


def skipped_queues(reports: Iterable[QueueReport]) -> str | None:
    """The queues that were skipped, by reason: `inactive since 2026-11-18: root.users.gone`; None = none was."""
    queues: dict[str, list[str]] = {}
    for report in reports:
        if report.state is QueueState.SKIPPED:
            queues.setdefault(report.reason or "", []).append(report.queue)
    reasons = [f"{reason}: {first_of(names, MAX_QUEUES_NAMED, say=shown)}" for reason, names in sorted(queues.items())]
    return first_of(reasons, MAX_REASONS, between="; ") or None


def why_nothing(reports: Sequence[QueueReport]) -> str | None:
    """Why queues were skipped, as the reason of a job that has no others: what was lost of them comes first."""
    if not (skipped := skipped_queues(reports)):
        return None
    return "; ".join((*_losses([report for report in reports if report.state is QueueState.SKIPPED]), skipped))


def _losses(reports: Sequence[QueueReport]) -> Iterator[str]:
    """Losses of one kind are one, whatever their numbers are: 300 queues of one file have 300 different ones.

    What is too much of one queue is told apart from what another can do without.
    """
    kinds: dict[tuple[str | None, ...], list[tuple[str, Loss]]] = {}
    for report in reports:
        for loss in report.quality.losses if report.quality else ():
            kind = loss.what, loss.column, loss.advice, loss.why_severe, _came_of(loss, report)
            kinds.setdefault(kind, []).append((report.queue, loss))
    for (*_kind, came_of), lost in kinds.items():
        named = _named([queue for queue, _loss in lost], of=len(reports))
        yield "; ".join(filter(None, (f"{named}: {together(loss for _queue, loss in lost).text}", came_of)))


def _came_of(loss: Loss, report: QueueReport) -> str | None:
    """What was done about a loss that is too much; of a queue that failed its reason says it."""
    if report.quality and (goes := _column_goes(loss, report.quality)):
        return goes
    return ACCEPTED if loss.is_severe and report.state is QueueState.SUCCEEDED else None


def _column_goes(loss: Loss, quality: QualityReport) -> str | None:
    return LEFT_OUT if loss.is_severe and loss.column in quality.dropped_columns else None


def _named(names: Sequence[str], of: int) -> str:
    return f"all {of} queues" if len(names) == of > 1 else first_of(names, MAX_QUEUES_NAMED, say=shown)
