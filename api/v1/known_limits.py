"""What queues have and can get, now and where nodes are lost: as forecasts say it, else as the cluster's tree was read last."""

from __future__ import annotations

from dataclasses import dataclass

from api.edge.context import Services
from shared.connections.yarn import YarnConnection
from shared.domain.capacities import Mode, Resources
from shared.domain.collected import DEFAULT
from shared.domain.day_ahead import partition_of
from shared.domain.forecasts import Forecast
from shared.domain.moving import Limits
from shared.domain.queue_tree import DEFAULT_PARTITION, QueueTree, Share
from shared.domain.units import Unit
from shared.domain.whatif import Kept
from shared.yarn.effective import resolved

RESOURCES = {Unit.MEGABYTES: "memory_mb", Unit.VCORES: "vcores"}
DIVIDED = {Mode.PERCENTAGE, Mode.WEIGHT}


@dataclass(frozen=True, kw_only=True)
class KnownLimits:
    """The limits of the queues of one cluster, in the unit of a forecast.

    tree: as it was read last; None = none is there that the caller's project may see.
    after: the tree as its configuration comes to with the nodes that are left; None = none is lost, or it cannot be told.
    resource: of the tree that the unit counts; None = it counts something else.
    """

    tree: QueueTree | None
    after: QueueTree | None
    partition: str
    resource: str | None
    lost: float

    @classmethod
    def of(cls, services: Services, forecast: Forecast, lost: float) -> KnownLimits:
        """Of the cluster and the partition of a forecast, where so much of the nodes is lost."""
        partition, resource = partition_of(forecast), RESOURCES.get(forecast.unit) if forecast.unit else None
        tree = None if partition is None else tree_of(services, forecast)
        totals = _totals(tree) if tree is not None and lost else {}
        left = {name: _part(total, 1 - lost) for name, total in totals.items()}
        return cls(
            tree=tree,
            after=resolved(tree, left) if tree is not None and totals else None,
            partition=DEFAULT_PARTITION if partition in {None, DEFAULT} else partition,
            resource=resource,
            lost=lost,
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know about the nodes that are lost."""
        if self.after is None:
            return ()
        return ("with fewer nodes, guarantees and ceilings are what the cluster's configuration comes to, as it was read last",)

    def now(self, queue: str, forecast: Forecast | None) -> Limits:
        """Of a queue, and its own forecast where there is one."""
        share = self._share(self.tree, queue)
        told = Limits() if forecast is None else Limits(guaranteed=forecast.guaranteed, maximum=forecast.maximum)
        return Limits(
            guaranteed=self._amount(share.guaranteed) if share and told.guaranteed is None else told.guaranteed,
            maximum=self._amount(share.ceiling) if share and told.maximum is None else told.maximum,
        )

    def kept(self, queue: str) -> Kept:
        """What is left of a queue's guarantee and of its ceiling."""
        before, after = self._share(self.tree, queue), self._share(self.after, queue)
        if before is None or after is None:
            return Kept(1 - self.lost, 1 - self.lost)
        parts = ((after.guaranteed, before.guaranteed), (after.ceiling, before.ceiling))
        return Kept(*(self._ratio(left, whole) for left, whole in parts))

    def left(self, queue: str, limits: Limits) -> Limits:
        """A queue's limits without the lost nodes."""
        kept = self.kept(queue)
        return Limits(
            guaranteed=None if limits.guaranteed is None else limits.guaranteed * kept.guaranteed,
            maximum=None if limits.maximum is None else limits.maximum * kept.maximum,
        )

    def children(self, parent: str) -> list[str]:
        """The queues right below one, as the tree has them, but for those that come and go with their applications."""
        return [queue.path for queue in self.tree.children(parent) if not queue.is_dynamic] if self.tree else []

    def knows(self, queue: str) -> bool:
        """Whether the tree has it."""
        return self.tree is not None and queue in self.tree.by_path

    def is_divided(self, parent: str) -> bool | None:
        """Whether its children's guarantees are parts of one whole; None = nobody knows."""
        shares = [share for path in self.children(parent) if (share := self._share(self.tree, path)) is not None]
        return all(share.mode in DIVIDED for share in shares) if shares else None

    def _share(self, tree: QueueTree | None, queue: str) -> Share | None:
        known = tree.by_path.get(queue) if tree else None
        return known.share(self.partition) if known else None

    def _amount(self, resources: Resources | None) -> float | None:
        return None if resources is None or self.resource is None else float(getattr(resources, self.resource))

    def _ratio(self, left: Resources | None, whole: Resources | None) -> float:
        """By memory where the unit is neither."""
        name = self.resource or RESOURCES[Unit.MEGABYTES]
        all_of_it = getattr(whole, name, 0)
        return getattr(left, name, 0) / all_of_it if all_of_it else 1 - self.lost


def tree_of(services: Services, forecast: Forecast) -> QueueTree | None:
    """The newest tree of the forecast's cluster, where its project may use the cluster's connection; None = there is none."""
    every = services.settings.all_connections.values()
    ours = [each for each in every if isinstance(each, YarnConnection) and each.cluster == forecast.cluster]
    if not any(each.serves(forecast.project) for each in ours):
        return None
    kept = services.store.trees.newest(forecast.cluster)
    return kept.tree if kept else None


def _totals(tree: QueueTree) -> dict[str, Resources]:
    """What each partition has, as far as it is told."""
    told = {share.partition: share.guaranteed for share in tree.root.shares if share.guaranteed is not None}
    default = {DEFAULT_PARTITION: tree.totals.total} if tree.totals else {}
    return default | told


def _part(total: Resources, share: float) -> Resources:
    return Resources(memory_mb=int(total.memory_mb * share), vcores=int(total.vcores * share))
