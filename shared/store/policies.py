"""Policies by project, cluster, parent and partition: the last that was said."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.policies import Group, Policy, Sight
from shared.domain.policy_changes import entry_of
from shared.errors import NotFound
from shared.store.audits import AUDITS
from shared.store.records import Is, OneOf, Records, Where, given
from shared.store.tables import Column, Table

POLICIES = Table(
    name="policies",
    value=Policy,
    columns=(Column("project"), Column("cluster"), Column("parent"), Column("partition")),
    key=("project", "cluster", "parent", "partition"),
)


def in_sight(sight: Sight | None) -> list[Where]:
    """The conditions for what somebody may see: of trees, and of queues without one; what fits any of them is seen."""
    if sight is None:
        return [[]]
    of_trees: Where = [OneOf("parent", [""], not_=True), OneOf("cluster", sight.clusters)]
    of_projects: Where = [Is("parent", ""), OneOf("project", sight.projects)]
    return [where for where, known in ((of_trees, sight.clusters), (of_projects, sight.projects)) if known]


@dataclass(frozen=True, slots=True)
class Policies:
    """What holds for the children of each parent."""

    records: Records

    def of(self, group: Group) -> Policy:
        """What holds for these queues; where nobody has said anything, the default."""
        said = group._asdict()
        return self.records.first(POLICIES, given(**said)) or Policy(**said)

    def above(self, group: Group) -> list[Policy]:
        """What holds for these queues, and then for their parent and for all above that."""
        parents = [group.parent]
        while parent := parents[-1].rpartition(".")[0]:
            parents.append(parent)
        return [self.of(group._replace(parent=parent)) for parent in parents]

    def find(self, sight: Sight | None, group: tuple[str | None, str | None] = (None, None)) -> list[Policy]:
        """What was said of the groups in sight, by cluster, parent and partition; None = of all.

        Args:
            group: cluster and parent of those that are looked for; None = of any.
        """
        asked = given(cluster=group[0], parent=group[1])
        found = [policy for where in in_sight(sight) for policy in self.records.find(POLICIES, [*where, *asked])]
        return sorted(found, key=lambda policy: (policy.cluster, policy.parent, policy.partition, policy.project))

    def replace(self, known: Policy, new: Policy, source: str = "") -> bool:
        """Compare-and-set: `new` in place of `known`, if that is what holds still; whether this call did it.

        Args:
            source: the address that the change comes from, for its row in the audit trail, which is kept with it. Where a
                database has no transactions the reaper makes good for a row that is missing.
        """
        with self.records.together():
            is_new = self._replaced(known, new)
            if is_new:
                self.records.add(AUDITS, entry_of(new, known, source))
        return is_new

    def _replaced(self, known: Policy, new: Policy) -> bool:
        if not known.version and self.records.add(POLICIES, new):
            return True
        try:
            return self.records.update_if(POLICIES, known.group, lambda policy: new if policy == known else None)
        except NotFound:
            return False
