"""Who decides on queues: the owners whom policies name, of a queue those of it and of all above it.

policy of root        owners maria              maria decides on everything below root
                      root.etl: owners ben      ben beside her on root.etl, and on what is below that
policy of root.etl    nobody named              maria and ben; where nobody is named at all, whoever has the scope
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from shared.domain.identifiers import MAX_SHOWN, first_of, listed, shown
from shared.domain.policies import Policy


def owners_of(policies: Sequence[Policy], queue: str) -> frozenset[str]:
    """Ids of the tokens that decide on a queue; none = whoever has the scope does.

    Args:
        policies: those of its parent and of all above that.
    """
    names = {*_with_those_above(queue)}
    named = (owner for policy in policies for rule in policy.queues if rule.queue in names for owner in rule.owners)
    return frozenset([*named, *(owner for policy in policies for owner in policy.owners)])


def owned_by_others(policies: Sequence[Policy], token_id: str, queues: Sequence[str]) -> tuple[str, ...]:
    """Those of the queues on which others decide, and whoever has this token does not."""
    owners = {queue: owners_of(policies, queue) for queue in queues}
    return tuple(queue for queue in queues if owners[queue] and token_id not in owners[queue])


def with_owners(policies: Sequence[Policy], queues: Sequence[str], names: Mapping[str, str]) -> str:
    """Queues in a message, each with its owners by their names; of one whose name is not known the id is told."""

    def said(queue: str) -> str:
        owners = sorted(names.get(owner, owner) for owner in owners_of(policies, queue))
        return f"{shown(queue)} ({listed(owners)})"

    return first_of(queues, MAX_SHOWN, say=said)


def may_change(known: Policy, new: Policy, token_id: str, above: Sequence[Policy] = ()) -> bool:
    """Whether whoever has this token may say `new` where `known` holds; administrators may, and are not asked about.

    Where anything has owners, they alone change it: those of a queue what is said of it, those of the policy, and of its parent
    and all above that, the whole of it. Who the first owners are an administrator says.
    """
    of_all = owners_of(above, known.parent) | {*known.owners}
    if token_id in of_all:
        return True
    if not of_all and not known.has_owners:
        return not new.has_owners
    before, after = ({rule.queue: rule for rule in policy.queues} for policy in (known, new))
    changed = [queue for queue in {**before, **after} if before.get(queue) != after.get(queue)]
    is_whole = replace(known.said, queues=()) != replace(new.said, queues=())
    return not is_whole and bool(changed) and all(queue in before and token_id in before[queue].owners for queue in changed)


def _with_those_above(queue: str) -> Iterator[str]:
    while queue:
        yield queue
        queue = queue.rpartition(".")[0]
