"""What the kind of a series means for its candidates: fits that learn a season or a path are not paid for where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf

from shared.domain.choice import Effort
from shared.domain.forecasts import QueueWork
from shared.domain.identifiers import listed
from shared.domain.jobs import JobRequest
from shared.domain.model_cards import ModelCard
from shared.domain.series_kind import SeriesKind
from worker.pipeline.ensembles.weighted import LAST_VALUE
from worker.pipeline.plan import DEAR, blocks

# LSTM and ETS were two thirds of the price of a series where dear models were tried, and won on none of 30 of M4-Hourly (tuning
# half of tests/bench/forecast.py).
DEAREST = 50
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
    most = _dearest(kind, request)
    kept = tuple(each for each in work.candidates if costs[each.model] < most or each.model in request.hyperparameters)
    if not kept or len(kept) == len(work.candidates):
        return work, (kind.words,)
    left_out = sorted({each.model for each in work.candidates} - {each.model for each in kept})
    otherwise = "" if kind in PATHLESS else ", or with the effort thorough"
    said = f"{kind.words}; {listed(left_out)} are tried only where they are named{otherwise}" if left_out else kind.words
    return replace(work, candidates=kept, blocks=blocks(kept, cards, work.spec, steps)), (said,)


def _dearest(kind: SeriesKind, request: JobRequest) -> float:
    """What a model may cost that nobody has named."""
    if request.model != "auto":
        return inf
    if kind in PATHLESS:
        return DEAR
    return inf if request.effort is Effort.THOROUGH else DEAREST


def _without_last_value(work: QueueWork, kind: SeriesKind, request: JobRequest) -> QueueWork:
    """Of what repeats the last value is good only by luck: with "auto" it is a member of the blend, and not ranked."""
    if request.model != "auto" or kind is not SeriesKind.SEASONAL or LAST_VALUE not in work.candidates:
        return work
    return replace(work, unranked=(*work.unranked, LAST_VALUE))
