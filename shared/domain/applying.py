"""When a proposal may be put into force by us: how often that is done, and how long is waited for a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from shared.domain.configuration_change import ConfigChange
from shared.domain.proposals import Proposal
from shared.domain.timegrid import MINUTE

PARENT_REST = timedelta(hours=6)  # between two changes below one parent
DAY, MAX_A_DAY = timedelta(days=1), 3  # changes of one cluster
SETTLED = timedelta(minutes=2)  # so long after it was sent a request is carried out, or will not be
ANSWERED = timedelta(minutes=10)  # a cluster that answers nothing for longer is sent nothing
LOOKED = timedelta(hours=1)  # a cluster that was sent a change, and answers nothing for longer, is given up


def why_too_often(proposal: Proposal, others: Iterable[Proposal], rows: Iterable[ConfigChange], now: datetime) -> str:
    """Why it is too early to send another change to this cluster; "" = it is not. What undoes the last change need not wait.

    Args:
        others: of the same cluster; those that were sent count, whatever has come of them.
        rows: what was seen to change in the cluster, by whomever: below the same parent that counts, too.
    """
    sent = {each.decision_id: each for each in others if each.put_at is not None and each.decision_id != proposal.decision_id}
    ours = ((each.put_at or now, decision_id) for decision_id, each in sent.items() if each.parent == proposal.parent)
    last_at, by = max([*ours, *_by_hand(proposal, rows)], default=(now - PARENT_REST, ""))
    if by != proposal.undoes and now < last_at + PARENT_REST:
        what = f"the children of {proposal.parent} were changed less than 6 h ago; accepted is one change in 6 h"
        return f"{what}, so from {last_at + PARENT_REST:{MINUTE}} on"
    of_day = sorted(each.put_at for each in sent.values() if each.put_at and now - each.put_at < DAY)
    if len(of_day) >= MAX_A_DAY:
        what = f"the cluster was changed {len(of_day)} times in 24 h; accepted are {MAX_A_DAY}"
        return f"{what}, so from {of_day[-MAX_A_DAY] + DAY:{MINUTE}} on"
    return ""


def _by_hand(proposal: Proposal, rows: Iterable[ConfigChange]) -> Iterator[tuple[datetime, str]]:
    """When children of the same parent were seen to have another configuration than before, and what wanted it so."""
    for row in rows:
        if row.before and row.queue.rpartition(".")[0] == proposal.parent and row.by != proposal.decision_id:
            yield row.changed_at, row.by
