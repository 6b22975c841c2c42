"""What queues have and can get now: as the newest tree of their cluster says it, whatever it was when they were forecast.

Every part of the API that tells of limits, of what exceeds them and of what if they were others asks here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from api.edge.context import Services
from shared.connections.yarn import may_use
from shared.domain.day_ahead import partition_of, share_of
from shared.domain.forecasts import Forecast
from shared.domain.queue_tree import QueueTree
from shared.domain.relative import with_share


@dataclass(frozen=True)
class LimitsNow:
    """Of many forecasts with one look at each cluster's tree."""

    services: Services
    _trees: dict[tuple[str, str], QueueTree | None] = field(default_factory=dict)

    def of(self, forecast: Forecast) -> Forecast:
        """The forecast of amounts with what its queue has now; as it is where no tree tells of the queue."""
        share = None if partition_of(forecast) is None else share_of(forecast, self.tree_of(forecast))
        return forecast if share is None else with_share(forecast, share)

    def of_all(self, forecasts: Iterable[Forecast]) -> list[Forecast]:
        """Each of them so."""
        return [*map(self.of, forecasts)]

    def tree_of(self, forecast: Forecast) -> QueueTree | None:
        """The newest tree of the forecast's cluster, where its project may use the cluster's connection; None = there is none."""
        key = forecast.cluster, forecast.project
        if key not in self._trees:
            self._trees[key] = self._newest(*key)
        return self._trees[key]

    def _newest(self, cluster: str, project: str) -> QueueTree | None:
        is_ours = may_use(self.services.settings.all_connections.values(), cluster, project)
        kept = self.services.store.trees.newest(cluster) if is_ours else None
        return kept.tree if kept else None


def as_now(services: Services, forecast: Forecast) -> Forecast:
    """One forecast with what its queue has now."""
    return LimitsNow(services).of(forecast)
