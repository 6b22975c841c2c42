"""Changes of a scheduler's configuration, over the API of its ResourceManagers: the only place that sends anything but GET.

configured ──▶ change     PUT, once; whoever gets no answer asks `configured` again and compares
validate                  POST: the scheduler tries it, and forgets the metrics of its queues
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.queue_tree import QueueTree
from shared.drivers.yarn import YarnCluster
from shared.drivers.yarn_answers import CONFIGURATION, good, host_of, said_in
from shared.errors import ChangeRefused, CredentialsRefused, SourceAway, SourceNotFound
from shared.yarn.scheduler_conf import read_configuration

CHANGE_SECONDS = 20.0  # a scheduler of thousands of queues takes seconds to take a configuration up
VALIDATE = f"{CONFIGURATION}/validate"
XML = {"Content-Type": "application/xml"}
_UNKNOWN = {404, 405}
_NO_PROXY = 407
_AWAY = {408, 425, 429}


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """How a cluster is configured.

    address: of the ResourceManager that has told it. tag: what it calls this version of it; "" = it has no name for it.
    """

    properties: Mapping[str, str]
    tree: QueueTree
    address: str
    tag: str = ""


class YarnChanges:
    """Of one cluster; used by one thread."""

    def __init__(self, cluster: YarnCluster) -> None:
        self._cluster = cluster

    def configured(self) -> Configured:
        """How it is configured now, and its tree as of just before; raises what `YarnCluster.configuration` raises."""
        snapshot = self._cluster.snapshot()
        answer = good(self._cluster.sent(snapshot.address, CONFIGURATION), CONFIGURATION, snapshot.address)
        return Configured(
            properties=read_configuration(answer.content),
            tree=snapshot.tree,
            address=snapshot.address,
            tag=answer.headers.get("etag", ""),
        )

    def change(self, before: Configured, body: bytes) -> None:
        """Send a change to the one whose configuration was read, once, and only while that is the same, where it can tell.

        Raises:
            ChangeRefused: it is not taken up, in the cluster's words. CredentialsRefused: not from us.
            SourceAway: no answer says whether it was.
        """
        headers = XML | ({"If-Match": before.tag} if before.tag else {})
        self._send(before.address, CONFIGURATION, "PUT", body, headers)

    def validate(self, body: bytes) -> str:
        """Have the scheduler try a change: what it has against it, "" = nothing. The metrics of its queues begin at 0 again.

        Raises SourceNotFound: it is of a release that tries nothing; and CredentialsRefused, SourceAway.
        """
        address = self._cluster.snapshot().address
        try:
            self._send(address, VALIDATE, "POST", body, XML)
        except ChangeRefused as refused:
            return refused.detail
        return ""

    def _send(self, address: str, path: str, method: str, body: bytes, headers: Mapping[str, str]) -> None:
        answer = self._cluster.sent(address, path, method=method, body=body, headers=headers, seconds=CHANGE_SECONDS)
        status, said = answer.status, said_in(answer.content)
        if status == 200:
            return
        if path == VALIDATE and status in _UNKNOWN:
            raise SourceNotFound(f"{host_of(address)} tries no changes, as releases before 3.4 do not: status {status}")
        if status in {401, 403}:
            raise CredentialsRefused(f"{host_of(address)}: only administrators of YARN change it: {said}")
        if status < 400 or status >= 500 or status in _AWAY | {_NO_PROXY}:
            raise SourceAway(f"{host_of(address)}: status {status}: {said}")
        raise ChangeRefused(said or f"status {status}")
