"""Who has done what to a decision or a policy, or has deleted a job, when and from where: kept for good, and never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.domain.codec import to_json

JOB_DELETED = "job deleted"
AUTOMATIC = "queuecast"  # who has done what nobody has asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One of them.

    entry_id: the same for the same thing done once, so that it is kept once, whoever tells of it again.
    what: the state that a decision has come to, `policy`, or JOB_DELETED.
    subject: id of the decision or of the job, or the parent whose policy it is.
    who: id of the token, "local", or AUTOMATIC. name: of the token. source: the address that it came from; "" = no request.
    before, after: hashes of the tree, of the policy, or of the configuration, as `what` has them; "" = none. Of a job that was
        deleted `before` is who had submitted it.
    """

    entry_id: str
    at: datetime
    what: str
    cluster: str
    project: str
    subject: str
    who: str
    name: str
    source: str = ""
    reason: str = ""
    before: str = ""
    after: str = ""


def as_line(entry: AuditEntry) -> str:
    """It as a line of JSON."""
    return to_json(entry) + "\n"
