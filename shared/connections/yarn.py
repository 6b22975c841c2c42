"""A YARN cluster, by its ResourceManagers: what is collected of its queues, whose tree is shown, and what may change it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from shared.config.connection import Connection, ConnectionName, Look, Meant, PlaceField, Role, kinds
from shared.config.setting_kinds import CaFile, KeptFor
from shared.domain.durations import Duration
from shared.domain.identifiers import listed, shown
from shared.domain.places import PARTITION, Place
from shared.domain.samples import Aggregation
from shared.domain.texts import ClusterName, Text
from shared.domain.timegrid import MINUTE
from shared.domain.wording import counted
from shared.errors import InvalidRequest, InvalidSettings, SourceAway

if TYPE_CHECKING:
    from shared.domain.queue_tree import QueueTree
    from shared.drivers.yarn import YarnCluster
    from shared.drivers.yarn_changes import YarnChanges

PORTS = {"http": 80, "https": 443}
MAX_ADDRESSES = 8
MAX_DIGITS = 14  # of milliseconds until the year 5138
NO_ADDRESS = "accepted is http://host:8088 or https://host:8090, without user, password, query and /ws/v1"
UserName = Annotated[str, Text("[A-Za-z0-9_][A-Za-z0-9_.@/-]*", 100, "names of users: letters, digits, _, ., @, / and -")]

PartitionName = Annotated[str, Text("[A-Za-z0-9][A-Za-z0-9_-]*", 255, "labels of nodes: letters, digits, - and _")]


def _address(text: str) -> str:
    """The address, written as all of them are."""
    try:
        parts = urlsplit(text.strip().rstrip("/"))
        has_place = parts.scheme in PORTS and parts.hostname and parts.port != 0
    except ValueError:
        raise ValueError(NO_ADDRESS) from None
    has_more = parts.query or parts.fragment or "@" in parts.netloc or "/ws/v1" in f"{parts.path}/"
    if not has_place or has_more or not parts.geturl().isprintable() or not text.isascii() or " " in text.strip():
        raise ValueError(NO_ADDRESS)
    return parts.geturl()


Address = Annotated[str, AfterValidator(_address)]


@kinds.register("yarn")
class YarnConnection(Connection):
    """It is only read, by the collector. Jobs read what is kept of it, wherever that is: who may use a cluster may read that.

    A second one of the same cluster may change it: approved decisions are applied over it, and it is used for nothing else.
    """

    asks: ClassVar = {
        PARTITION: PlaceField(accepts=PartitionName, roles=("source",), hint="the label of its nodes; none given = default")
    }
    meant: ClassVar = Meant(target="demand_memory_mb", aggregation=Aggregation.P95)
    when_away: ClassVar = "nothing is collected of it until it answers; jobs go on with the samples that there are"

    kind: Literal["yarn"] = "yarn"
    cluster: ClusterName = Field(min_length=1, description="what the cluster is called, as part of what its queues are")
    addresses: tuple[Address, ...] = Field(
        min_length=1,
        max_length=MAX_ADDRESSES,
        description="every ResourceManager of it, http://host:8088; where a standby leads is not followed",
    )
    user: UserName | None = Field(
        None, description="sent as `user.name`; the configuration is shown to administrators of YARN alone"
    )
    authentication: Literal["simple", "kerberos"] = Field(
        "simple", description="kerberos: SPNEGO, with the ticket of the process"
    )
    ca_file: CaFile | None = Field(None, description="PEM file that vouches for https; none given = whom the system trusts")
    configuration: Path | None = Field(
        None,
        description="the file capacity-scheduler.xml, as it lies on this machine, of clusters whose ResourceManager does not "
        "show its configuration",
    )
    may_apply: bool = Field(
        False,
        description="beside the connection that reads the cluster: approved decisions may be applied over this one, by a person's"
        " click, and it is used for nothing else; `user` has to be an administrator of YARN",
    )
    interval_seconds: int = Field(
        30, ge=10, le=300, description="between samples that `queuecast collect` takes; above 60 peaks are missed"
    )
    samples: ConnectionName = Field(
        "files", description="the connection that samples are written to: of kind files (as Parquet), mongodb or influxdb"
    )
    keep_samples: KeptFor = Field(Duration(14, "d"), description="samples as they were taken; or forever")
    keep_rollups: KeptFor = Field(Duration(400, "d"), description="five minutes together; or forever")

    @model_validator(mode="after")
    def _says_each_thing_once(self) -> Self:
        if len(self.servers) < len(self.addresses):
            raise ValueError("`addresses` names one of them twice")
        if self.ca_file is not None and not any(address.startswith("https:") for address in self.addresses):
            raise ValueError("`ca_file` is for addresses that begin with https://")
        if self.configuration is not None and not self.configuration.is_absolute():
            raise ValueError("`configuration` is a relative path; accepted is one that begins with /")
        if self.user is not None and self.authentication == "kerberos":
            raise ValueError("`user` is for simple authentication; under Kerberos the ticket says who asks")
        return self

    @property
    def servers(self) -> frozenset[str]:
        """Each of them, with its port and path."""
        parts = map(urlsplit, self.addresses)
        return frozenset(f"{each.hostname}:{each.port or PORTS[each.scheme]}{each.path}" for each in parts)

    @property
    def keeps_at(self) -> str:
        """Where samples are kept: whoever may not use the cluster does not see them there, either."""
        return self.samples

    def leads_to(self, place: Place, data_dir: Path) -> frozenset[str]:  # noqa: ARG002 - its places are partitions
        """The ResourceManagers: whoever replaces one of two keeps the cluster."""
        return self.servers

    def clash(self, name: str, every: Mapping[str, Connection]) -> str:
        """Each cluster has one connection, which says who may see it, and its samples a place that takes them."""
        clusters = {other: each for other, each in every.items() if isinstance(each, YarnConnection)}
        others = {other: each for other, each in clusters.items() if each.cluster == self.cluster and other != name}
        if same := [other for other, each in others.items() if each.may_apply == self.may_apply]:
            kind = "one connection that may apply" if self.may_apply else "one connection"
            return f"is of the cluster {shown(self.cluster)}, as {listed(same)}; accepted is {kind} for each cluster"
        if self.may_apply:
            return "" if others else f"may apply to the cluster {shown(self.cluster)}, which no other connection reads"
        accepting = sorted(other for other, each in every.items() if each.takes_samples)
        kept_at = every.get(self.samples)
        if kept_at is not None and kept_at.takes_samples:
            return ""
        found = f"is of kind {kept_at.kind} and takes none" if kept_at else "is no connection"
        return f"names `samples` = {shown(self.samples)}, which {found}; accepted are {listed(accepting)}"

    def resource_managers(self) -> YarnCluster:
        """The cluster as the driver knows it; it remembers which of them is active."""
        from shared.drivers.yarn import YarnCluster

        return YarnCluster(
            self.addresses,
            user=self.user,
            ca_file=str(self.ca_file) if self.ca_file else None,
            has_kerberos=self.authentication == "kerberos",
        )

    def check_reach(self, place: Place, role: Role) -> None:
        """What may be applied over is not read by jobs; raises InvalidRequest."""
        if self.may_apply:
            detail = f"{place.name} is there to apply decisions; accepted is the connection that reads {shown(self.cluster)}"
            raise InvalidRequest(detail, field=f"data.{role}.name")

    def changes(self) -> YarnChanges:
        """What changes the cluster; raises InvalidSettings where this connection is there to read it."""
        from shared.drivers.yarn_changes import YarnChanges

        if not self.may_apply:
            raise InvalidSettings(f"the connection of the cluster {shown(self.cluster)} is only read: `may_apply` is not set")
        return YarnChanges(self.resource_managers())

    def look(self, _name: str) -> Look:
        """The queues themselves, and what each ResourceManager says of itself."""
        from shared.drivers.yarn import words_of
        from shared.drivers.yarn_answers import host_of

        yarn = self.resource_managers()
        snapshot = yarn.snapshot()
        members = yarn.members()
        told = next((each.info for each in members if each.address == snapshot.address and each.info is not None), None)
        if told is None:
            raise SourceAway(f"{host_of(snapshot.address)} told its queues, and then nothing of itself")
        of_several = f", the active one of {len(members)}" if len(members) > 1 else ""
        detail = (
            f"{host_of(snapshot.address)} answers{of_several}; version {shown(told.version)},"
            f" started {_started(told.cluster_id)}; {counted(len(snapshot.tree.queues), 'queue')}, {_modes_of(snapshot.tree)}"
        )
        advice = [f"no answer of one that may have to take over: {words_of(each)}" for each in members if each.info is None]
        active = [host_of(each.address) for each in members if each.info is not None and each.info.is_active]
        if len(active) > 1:
            advice.append(f"{listed(active)} each say that they are active, so they are not of one cluster")
        if self.configuration is not None and not os.access(self.configuration, os.R_OK):
            advice.append(f"the `configuration` {self.configuration} cannot be read")
        return Look(detail=detail, advice="; ".join(advice))


def readers(connections: Mapping[str, Connection]) -> dict[str, YarnConnection]:
    """The clusters that are read, by the name of their connection."""
    return {name: each for name, each in connections.items() if isinstance(each, YarnConnection) and not each.may_apply}


def applier(connections: Mapping[str, Connection], cluster: str) -> YarnConnection | None:
    """What decisions about a cluster may be applied over; None = nothing may be."""
    found = (each for each in connections.values() if isinstance(each, YarnConnection) and each.may_apply)
    return next((each for each in found if each.cluster == cluster), None)


def may_use(connections: Iterable[Connection], cluster: str, project: str) -> bool | None:
    """Whether a project may use a connection that leads to this cluster; None = none leads there."""
    ours = [each for each in connections if isinstance(each, YarnConnection) and each.cluster == cluster and not each.may_apply]
    return any(each.serves(project) for each in ours) if ours else None


def may_know(connections: Iterable[Connection], cluster: str, project: str) -> bool:
    """Whether what people and jobs say of a cluster is for this project: it may use the cluster, or nobody collects that."""
    return may_use(connections, cluster, project) is not False


def _started(cluster_id: str) -> str:
    """When the ResourceManager was: YARN numbers a cluster by the milliseconds since 1970."""
    if not (cluster_id.isascii() and cluster_id.isdigit() and len(cluster_id) <= MAX_DIGITS):
        return f"as {shown(cluster_id)}"
    return f"{datetime.fromtimestamp(int(cluster_id) / 1_000, UTC):{MINUTE}}"


def _modes_of(tree: QueueTree) -> str:
    """How capacities are configured, in words."""
    modes = sorted({share.mode for queue in tree.queues if not queue.is_root for share in queue.shares})
    return f"{tree.scheduler} scheduler" + (f", capacities in the mode {listed(modes)}" if tree.scheduler == "capacity" else "")
