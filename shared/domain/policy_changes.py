"""What a new version of a policy says otherwise than the one before, in words for the audit trail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from hashlib import sha256

from shared.domain.audits import AuditEntry
from shared.domain.codec import to_json
from shared.domain.policies import Group, Policy, QueueRule

MAX_CHARACTERS = 4_000  # of all together: rules of thousands of queues may change at once
NOT_KNOWN = "what was changed is not known: whoever kept it did not live to tell"
_APART = frozenset({*Group._fields, "queues", "version", "changed_at", "changed_by", "changed_by_id"})
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def entry_of(new: Policy, known: Policy | None = None, source: str = "") -> AuditEntry:
    """The row of a new version in the audit trail.

    Args:
        known: the version before; None = nobody knows any more what it was, as who has replaced it has left no row.
        source: the address that the change came from.
    """
    about = sha256("\n".join(new.group).encode()).hexdigest()[:16]
    return AuditEntry(
        entry_id=f"policy.{about}.{new.version}",
        at=new.changed_at or _BEGINNING,
        what="policy",
        cluster=new.cluster,
        project=new.project,
        subject=new.parent,
        who=new.changed_by_id,
        name=new.changed_by,
        source=source,
        reason=NOT_KNOWN if known is None else changes(known, new),
        before=_digest(known) if known is not None and known.version else "",
        after=_digest(new),
    )


def changes(known: Policy, new: Policy) -> str:
    """`field before → after`, one after the other; "" = nothing. Of very many the first are told, and how many there are."""
    told = list(_changes(known, new))
    text = "; ".join(told)
    if len(text) <= MAX_CHARACTERS:
        return text
    return f"{text[:MAX_CHARACTERS]}… ({len(told)} changes)"


def _changes(known: Policy, new: Policy) -> Iterator[str]:
    for name in (field.name for field in fields(Policy) if field.name not in _APART):
        yield from _change(name, getattr(known, name), getattr(new, name))
    before, after = ({rule.queue: rule for rule in policy.queues} for policy in (known, new))
    for queue in sorted({**before, **after}):
        old, now = before.get(queue, QueueRule(queue=queue)), after.get(queue, QueueRule(queue=queue))
        for name in (field.name for field in fields(QueueRule)):
            yield from _change(f"{queue} {name}", getattr(old, name), getattr(now, name))


def _change(name: str, before: object, after: object) -> Iterator[str]:
    if before != after:
        yield f"{name} {to_json(before)} → {to_json(after)}"


def _digest(policy: Policy) -> str:
    return sha256(to_json(policy).encode()).hexdigest()
