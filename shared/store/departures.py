"""Queues that a cluster does not have any more: by its newest tree, the changes of its configuration, and aliases."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from shared.domain.configuration_change import GONE
from shared.domain.dynamic_queues import PART_OF_WHICH
from shared.domain.queue_tree import ROOT
from shared.domain.timegrid import MINUTE
from shared.store.aliases import Aliases
from shared.store.trees import LEAST, Changes, Trees


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """A queue that its cluster does not have any more.

    since: when it was first seen to be gone; None = nobody saw that, as dynamic queues come and go without a change.
    seen_at: when the cluster was last read without it. renamed_to: what it is called now, as an administrator says.
    """

    since: datetime | None
    seen_at: datetime
    renamed_to: str | None = None

    @property
    def words(self) -> str:
        """Why it is not forecast, in plain words."""
        if self.renamed_to:
            return f"renamed: it is {self.renamed_to} now, which goes on from its history"
        if self.since:
            return f"gone since {self.since:{MINUTE}}"
        return f"gone: the cluster did not have it when it was read, {self.seen_at:{MINUTE}}"


@dataclass(frozen=True, slots=True)
class Departures:
    """Which queues are gone."""

    trees: Trees
    changes: Changes
    aliases: Aliases

    def of(self, cluster: str, queues: Iterable[str], *, read_since: datetime | None = None) -> dict[str, Departure]:
        """Those that are gone now; where a tree was read before `read_since`, those that were seen to go."""
        kept = self.trees.newest(cluster)
        if kept is None:
            return {}
        names = (each for each in dict.fromkeys(queues) if each.startswith(f"{ROOT}."))
        missing = [each for each in names if each.removesuffix(PART_OF_WHICH) not in kept.tree.by_path]
        is_fresh = read_since is None or kept.at >= read_since
        found = {each: Departure(since=self._since(cluster, each), seen_at=kept.at) for each in missing}
        return {
            each: self._renamed(cluster, each, gone, kept.at)
            for each, gone in found.items()
            if is_fresh or gone.since is not None
        }

    def before(self, cluster: str, queue: str, partition: str, moment: datetime) -> Departure | None:
        """Whether it was gone from a partition at a moment, as far as somebody saw it go by then."""
        since = self._since(cluster, queue, partition, until=moment + LEAST)
        return None if since is None else self._renamed(cluster, queue, Departure(since=since, seen_at=since), moment)

    def _since(self, cluster: str, queue: str, partition: str | None = None, until: datetime | None = None) -> datetime | None:
        newest = self.changes.of(cluster, queue, partition, until=until, limit=1)
        return next((change.changed_at for change in newest if change.state == GONE), None)

    def _renamed(self, cluster: str, queue: str, gone: Departure, moment: datetime) -> Departure:
        known = (each for each in self.aliases.of(cluster) if each.old == queue)
        said = next((each for each in known if each.renamed_at is None or each.renamed_at <= moment), None)
        return Departure(since=gone.since, seen_at=gone.seen_at, renamed_to=said.new if said else None)
