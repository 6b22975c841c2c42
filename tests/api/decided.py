"""A cluster of two teams, with whoever decides on it, and whoever is none of them."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

from api.edge.context import Services
from shared.connections.yarn import YarnConnection
from shared.decisions import make_known
from shared.domain.proposals import Proposal, decision_id
from shared.domain.tokens import digest_of
from shared.store import Store
from shared.store.proposals import ProposalFile
from shared.yarn.fingerprint import fingerprint
from tests.api.a_cluster import NOW, a_tree
from tests.api.scene import Headers
from tests.decisions import a_proposal


def with_cluster(services: Services, cluster: str = "prod", *projects: str) -> None:
    """Let the service know a cluster, for these projects (none = all), of which a tree was read."""
    connection = YarnConnection(cluster=cluster, addresses=(f"http://{cluster}:8088",), projects=projects or None)
    known = {**services.settings.connections, f"yarn-{cluster}": connection}
    services.settings = services.settings.model_copy(update={"connections": known})
    services.store.trees.put(cluster, a_tree(), datetime.now(UTC))


def with_applier(services: Services, *addresses: str) -> None:
    """Let decisions about the cluster prod be applied, over these addresses."""
    connection = YarnConnection(cluster="prod", addresses=addresses or ("http://prod:8088",), may_apply=True)
    known = {**services.settings.connections, "yarn-apply": connection}
    services.settings = services.settings.model_copy(update={"connections": known})


def keep_proposal(store: Store, **changes: object) -> Proposal:
    """A proposal of now for the children of root in the cluster prod, with two files."""
    values = {"at": NOW, "tree_hash": fingerprint(a_tree(), "root", ""), **changes}
    proposal = a_proposal(**values)  # type: ignore[arg-type] # whatever a test wants
    made_id = decision_id(proposal.group, proposal.created_at, proposal.proposed_by)
    proposal = replace(proposal, decision_id=made_id)
    files = [
        ProposalFile(
            decision_id=made_id, created_at=NOW, name=name, body=b64encode(body).decode(), sha256=sha256(body).hexdigest()
        )
        for name, body in {"sched-conf.xml": b"<sched-conf/>", "README.txt": b"read me"}.items()
    ]
    assert make_known(store, proposal, files)
    return proposal


def id_of(store: Store, headers: Headers) -> str:
    """Of the token that a header brings."""
    digest = digest_of(headers["Authorization"].removeprefix("Bearer "))
    return next(token.token_id for token in store.tokens.all() if token.digest == digest)
