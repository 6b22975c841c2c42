"""Decisions whose task is lost are sent again, and end after a while: whoever has asked for one gets an answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog

from shared.domain.decision_requests import sent_again
from worker.job.resources import Resources

MAX_SENT = 100  # at a look

log = structlog.get_logger(__name__)


def send_lost(resources: Resources, now: datetime, send: Callable[[str], None]) -> None:
    """Send again what is due, by its id; raises ServiceError."""
    requests = resources.store.decision_requests
    for request in requests.due(now, MAX_SENT):
        again = sent_again(request, now)
        if not requests.replace(request, again):
            continue
        if again.due_at is None:
            log.error("no decision was made", decision_id=request.decision_id, reason=again.error)
        else:
            log.info("the decision is asked for again", decision_id=request.decision_id, times=again.sent)
            send(request.decision_id)
