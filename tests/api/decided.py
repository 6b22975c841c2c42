"""A cluster of two teams, with whoever decides on it, and whoever is none of them."""

from __future__ import annotations

from datetime import UTC, datetime

from api.edge.context import Services
from shared.connections.yarn import YarnConnection
from shared.domain.tokens import digest_of
from shared.store import Store
from tests.api.a_cluster import a_tree
from tests.api.scene import Headers

OF_RED, OF_BLUE = "red", "blue"


def with_cluster(services: Services, cluster: str = "prod", *projects: str) -> None:
    """Let the service know a cluster, for these projects (none = all), of which a tree was read."""
    connection = YarnConnection(cluster=cluster, addresses=(f"http://{cluster}:8088",), projects=projects or None)
    known = services.settings.connections | {f"yarn-{cluster}": connection}
    services.settings = services.settings.model_copy(update={"connections": known})
    services.store.trees.put(cluster, a_tree(), datetime.now(UTC))


def id_of(store: Store, headers: Headers) -> str:
    """Of the token that a header brings."""
    digest = digest_of(headers["Authorization"].removeprefix("Bearer "))
    return next(token.token_id for token in store.tokens.all() if token.digest == digest)
