"""Who owns a queue, by the names of tokens, as policies say it."""

from __future__ import annotations

from collections.abc import Callable

from api.edge.context import Services
from api.v1.clusters import visible_clusters
from api.v1.decision_rules import names_of
from api.v1.groups import label_of, sight
from shared.domain.day_ahead import partition_of
from shared.domain.forecasts import Forecast
from shared.domain.owners import owners_of
from shared.domain.policies import Group, Policy


def owners_by_name(services: Services) -> Callable[[Forecast], str]:
    """Tells of a forecast's queue who decides on it; "" = nobody is named. One look at the policies serves all queues."""
    said = {policy.group: policy for policy in services.store.policies.find(sight(services))}
    if not any(policy.has_owners for policy in said.values()):
        return lambda _: ""
    names, clusters = names_of(services), visible_clusters(services)

    def told(forecast: Forecast) -> str:
        group = Group(forecast.project, forecast.cluster, "")
        if forecast.cluster in clusters:
            parent = forecast.queue.rpartition(".")[0]
            group = Group("", forecast.cluster, parent, label_of(partition_of(forecast)))
        owners = owners_of(_above(said, group), forecast.queue)
        return ", ".join(sorted(names.get(owner, owner) for owner in owners))

    return told


def _above(said: dict[Group, Policy], group: Group) -> list[Policy]:
    """What holds for these queues, and then for their parent and for all above that."""
    groups = [group]
    while parent := groups[-1].parent.rpartition(".")[0]:
        groups.append(group._replace(parent=parent))
    return [said[each] for each in groups if each in said]
