"""What queues have and can get, now and where nodes are lost: as the cluster's tree was read last, else as forecasts say it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isclose

from api.edge.context import Services
from api.edge.limits_now import LimitsNow
from shared.domain.capacities import Mode, Resources
from shared.domain.collected import DEFAULT
from shared.domain.day_ahead import partition_of
from shared.domain.forecasts import Forecast
from shared.domain.moving import Limits
from shared.domain.queue_tree import DEFAULT_PARTITION, QueueTree, Share
from shared.domain.relative import amount_of, limits_of
from shared.domain.units import Unit
from shared.domain.whatif import Kept, told
from shared.yarn.effective import Resolved

GONE = "is not in the cluster's tree any more"
SAME = 1e-4  # relative: nobody sees less, and means of samples are not whole
DIVIDED = {Mode.PERCENTAGE, Mode.WEIGHT}


@dataclass(frozen=True, kw_only=True)
class KnownLimits:
    """The limits of the queues of one cluster, in the unit of a forecast.

    tree: as it was read last; None = none is there that the caller's project may see.
    after: its queues as their configuration comes to with the nodes that are left; None = none is lost, or it cannot be told.
    unit: of the forecast, in which all limits are.
    """

    tree: QueueTree | None
    after: Resolved | None
    partition: str
    unit: Unit | None
    lost: float

    @classmethod
    def of(cls, services: Services, forecast: Forecast, lost: float) -> KnownLimits:
        """Of the cluster and the partition of a forecast, where so much of the nodes is lost."""
        partition = partition_of(forecast)
        tree = None if partition is None else LimitsNow(services).tree_of(forecast)
        totals = _totals(tree) if tree is not None and lost else {}
        left = {name: _part(total, 1 - lost) for name, total in totals.items()}
        return cls(
            tree=tree,
            after=Resolved(tree, left) if tree is not None and totals else None,
            partition=DEFAULT_PARTITION if partition in {None, DEFAULT} else partition,
            unit=forecast.unit,
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
        share = self._share(queue)
        if share is not None and (has := limits_of(share, self.unit)) is not None:
            return has
        return Limits() if forecast is None else Limits(guaranteed=forecast.guaranteed, maximum=forecast.maximum)

    def parent_in_own(self, forecast: Forecast) -> float | None:
        """What the parent is guaranteed, counted as a forecast of percentages is: of what its queue has; None = nobody knows."""
        full = None if forecast.unit is None else forecast.unit.full
        parent = forecast.queue.rpartition(".")[0]
        own, above = (share.guaranteed if (share := self._share(queue)) else None for queue in (forecast.queue, parent))
        if full is None or own is None or above is None or not own.memory_mb:
            return None
        return full * above.memory_mb / own.memory_mb

    def since(self, issued: Forecast) -> Iterator[str]:
        """What is otherwise than when the forecast was issued, in its own numbers."""
        if self.is_gone(issued.queue):
            yield f"{issued.queue} {GONE}: its limits are those of when the forecast was issued"
        then, now = Limits(guaranteed=issued.guaranteed, maximum=issued.maximum), self.now(issued.queue, issued)
        words = (("was guaranteed", then.guaranteed, now.guaranteed), ("could get at most", then.maximum, now.maximum))
        was = [f"{what} {told(old, issued.unit)}" for what, old, new in words if old is not None and _differs(old, new)]
        if was:
            yield f"when the forecast was issued it {' and '.join(was)}; now is what the cluster's tree says"

    def kept(self, queue: str) -> Kept:
        """What is left of a queue's guarantee and of its ceiling."""
        left = self.after.at(queue) if self.after else None
        before, after = self._share(queue), left.share(self.partition) if left else None
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

    def below(self, parent: str, of_run: Sequence[str]) -> list[str]:
        """The same with those that a run has looked at, in order; without those that the tree has no more."""
        return sorted({*(queue for queue in of_run if not self.is_gone(queue)), *self.children(parent)})

    def knows(self, queue: str) -> bool:
        """Whether the tree has it."""
        return self.tree is not None and queue in self.tree.by_path

    def is_gone(self, queue: str) -> bool:
        """Whether there is a tree, and it does not have the queue."""
        return self.tree is not None and not self.knows(queue)

    def is_divided(self, parent: str) -> bool | None:
        """Whether its children's guarantees are parts of one whole; None = nobody knows."""
        shares = [share for path in self.children(parent) if (share := self._share(path)) is not None]
        return all(share.mode in DIVIDED for share in shares) if shares else None

    def _share(self, queue: str) -> Share | None:
        known = self.tree.by_path.get(queue) if self.tree else None
        return known.share(self.partition) if known else None

    def _ratio(self, left: Resources | None, whole: Resources | None) -> float:
        """By memory where the unit is neither."""
        all_of_it = 0.0 if whole is None else amount_of(whole, self.unit)
        return (0.0 if left is None else amount_of(left, self.unit)) / all_of_it if all_of_it else 1 - self.lost


def _differs(old: float, new: float | None) -> bool:
    return new is None or not isclose(old, new, rel_tol=SAME)


def _totals(tree: QueueTree) -> dict[str, Resources]:
    """What each partition has, as far as it is told."""
    told = {share.partition: share.guaranteed for share in tree.root.shares if share.guaranteed is not None}
    default = {DEFAULT_PARTITION: tree.totals.total} if tree.totals else {}
    return default | told


def _part(total: Resources, share: float) -> Resources:
    return Resources(memory_mb=int(total.memory_mb * share), vcores=int(total.vcores * share))
