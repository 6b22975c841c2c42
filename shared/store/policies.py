"""Policies by project, cluster, parent and partition: the last that was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.policies import Group, Policy
from shared.errors import NotFound
from shared.store.records import OneOf, Records, given
from shared.store.tables import Column, Table

POLICIES = Table(
    name="policies",
    value=Policy,
    columns=(Column("project"), Column("cluster"), Column("parent"), Column("partition")),
    key=("project", "cluster", "parent", "partition"),
)


@dataclass(frozen=True, slots=True)
class Policies:
    """What holds for the children of each parent."""

    records: Records

    def of(self, group: Group) -> Policy:
        """What holds for these queues; where nobody has said anything, the default."""
        said = group._asdict()
        return self.records.first(POLICIES, given(**said)) or Policy(**said)

    def find(self, clusters: Sequence[str], projects: Sequence[str]) -> list[Policy]:
        """What was said of trees of these clusters, and of queues without one of these projects; by project, cluster, parent."""
        of_trees = self.records.find(POLICIES, [*given(project=""), OneOf("cluster", clusters)]) if clusters else []
        own = [project for project in projects if project]
        return [*of_trees, *(self.records.find(POLICIES, [OneOf("project", own)]) if own else [])]

    def replace(self, known: Policy, new: Policy) -> bool:
        """Compare-and-set: `new` in place of `known`, if that is what holds still; whether this call did it."""
        if not known.version and self.records.add(POLICIES, new):
            return True
        try:
            return self.records.update_if(POLICIES, known.group, lambda policy: new if policy == known else None)
        except NotFound:
            return False
