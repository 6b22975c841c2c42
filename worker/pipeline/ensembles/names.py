"""How candidates that are made of others are called, and which of them a request asks for."""

from __future__ import annotations

from shared.domain.jobs import JobRequest
from worker.pipeline.ensembles.blends import BLENDS
from worker.pipeline.ensembles.by_lead_time import BY_LEAD_TIME

COMPOSITES = (*BLENDS, BY_LEAD_TIME)


def requested_composites(request: JobRequest) -> tuple[str, ...]:
    """Those that a request asks for: all with "auto", else those it names."""
    return tuple(name for name in COMPOSITES if request.model == "auto" or name in request.model)
