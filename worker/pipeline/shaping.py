"""What the kind of a series means for its candidates: fits that learn a season or a path are not paid for where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shared.domain.forecasts import ModelCard, QueueWork
from shared.domain.identifiers import listed
from shared.domain.jobs import JobRequest
from shared.domain.series_kind import SeriesKind
from worker.pipeline.ensembles.weighted import LAST_VALUE
from worker.pipeline.plan import DEAR, blocks

PATHLESS = frozenset({SeriesKind.IDLE, SeriesKind.INTERMITTENT, SeriesKind.NOT_FORECASTABLE})


def shaped(
    work: QueueWork, kind: SeriesKind | None, request: JobRequest, cards: Sequence[ModelCard], steps: int
) -> tuple[QueueWork, tuple[str, ...]]:
    """The work without candidates that are dear and of no use for this kind, and what to say of the kind and of them.

    A model that was named is always tried: whoever names it wants to know.

    Args:
        kind: None = not known, and all are tried.
        steps: of history.
    """
    if kind is None:
        return work, ()
    work = _without_last_value(work, kind, request)
    costs = {card.name: card.cost for card in cards}
    is_shaped = request.model == "auto" and kind in PATHLESS
    kept = tuple(each for each in work.candidates if not is_shaped or costs[each.model] < DEAR)
    if not kept or len(kept) == len(work.candidates):
        return work, (kind.words,)
    left_out = sorted({each.model for each in work.candidates} - {each.model for each in kept})
    said = f"{kind.words}; {listed(left_out)} are tried only where they are named" if left_out else kind.words
    return replace(work, candidates=kept, blocks=blocks(kept, cards, work.spec, steps)), (said,)


def _without_last_value(work: QueueWork, kind: SeriesKind, request: JobRequest) -> QueueWork:
    """Of what repeats the last value is good only by luck: with "auto" it is a member of the blend, and not ranked."""
    if request.model != "auto" or kind is not SeriesKind.SEASONAL or LAST_VALUE not in work.candidates:
        return work
    return replace(work, unranked=(*work.unranked, LAST_VALUE))
