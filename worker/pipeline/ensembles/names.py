"""How candidates that are made of others are called, and which of them a request asks for."""

from __future__ import annotations

from shared.domain.choice import Effort
from shared.domain.forecasts import Candidate
from shared.domain.jobs import JobRequest
from worker.pipeline.ensembles.blends import BLEND_WEIGHTED, BLENDS
from worker.pipeline.ensembles.by_lead_time import BY_LEAD_TIME
from worker.pipeline.ensembles.weighted import ARITHMETIC, MEMBERS

COMPOSITES = (*BLENDS, BY_LEAD_TIME)


def requested_composites(request: JobRequest) -> tuple[str, ...]:
    """Those that a request asks for: with "auto" the weighted blend, or all where it is to be thorough; else those it names."""
    if request.model == "auto":
        return COMPOSITES if request.effort is Effort.THOROUGH else (BLEND_WEIGHTED,)
    return tuple(name for name in COMPOSITES if name in request.model)


def members_of(request: JobRequest) -> tuple[Candidate, ...]:
    """The candidates of which the weighted blend is made, where the request asks for it."""
    if BLEND_WEIGHTED not in requested_composites(request):
        return ()
    return ARITHMETIC if request.effort is Effort.FAST else MEMBERS
