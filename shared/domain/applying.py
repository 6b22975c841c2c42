"""When a proposal may be put into force by us: how often that is done, and how long is waited for a cluster."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from shared.domain.proposals import Proposal
from shared.domain.timegrid import MINUTE

PARENT_REST = timedelta(hours=6)  # between two changes below one parent
DAY, MAX_A_DAY = timedelta(days=1), 3  # changes of one cluster
SETTLED = timedelta(minutes=2)  # so long after it was sent a request is carried out, or will not be
ANSWERED = timedelta(minutes=10)  # a cluster that answers nothing for longer is sent nothing
LOOKED = timedelta(hours=1)  # a cluster that was sent a change, and answers nothing for longer, is given up


def why_too_often(proposal: Proposal, others: Iterable[Proposal], now: datetime) -> str:
    """Why it is too early to send another change to this cluster; "" = it is not. What undoes the last change need not wait.

    Args:
        others: of the same cluster; those that were sent count, whatever has come of them.
    """
    sent = [each for each in others if each.put_at is not None and each.decision_id != proposal.decision_id]
    below = [each for each in sent if each.parent == proposal.parent]
    last = max(below, key=lambda each: each.put_at or now, default=None)
    rests_until = (last.put_at or now) + PARENT_REST if last is not None and proposal.undoes != last.decision_id else now
    if now < rests_until:
        what = f"the children of {proposal.parent} were changed less than 6 h ago; accepted is one change in 6 h"
        return f"{what}, so from {rests_until:{MINUTE}} on"
    of_day = sorted(each.put_at for each in sent if each.put_at and now - each.put_at < DAY)
    if len(of_day) >= MAX_A_DAY:
        what = f"the cluster was changed {len(of_day)} times in 24 h; accepted are {MAX_A_DAY}"
        return f"{what}, so from {of_day[-MAX_A_DAY] + DAY:{MINUTE}} on"
    return ""
