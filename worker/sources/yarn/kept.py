"""Where what is collected of a cluster lies, and which of it a query is answered from: samples, or five minutes of them.

samples         every 30 s        kept for 14 days     exact for any step and aggregation
five minutes    mean, p95, max    kept for 400 days    means of means; of a step's p95 that of its five minutes'

Which it is depends on the history that is asked for and on how long samples are kept, never on what there happens to be: each
run of a job, and each of its queues, reads the same. They are ours, so `readable` of the connection that has them says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from shared.config.connection import Connection
from shared.connections.yarn import YarnConnection
from shared.domain.collected import DEFAULT, ROLLUPS_NAME, SAMPLES_NAME, folder_name
from shared.domain.places import PARTITION, Place
from shared.domain.samples import Aggregation, CsvForm
from shared.domain.timegrid import MINUTE
from worker.sources.base import Query

STEP_SECONDS = 300
AMOUNTS = tuple(f"{what}_{of}" for what in ("demand", "used", "pending") for of in ("memory_mb", "vcores"))
ROLLED = (*AMOUNTS, "apps_active", "apps_pending")  # of which five minutes have a mean, `_p95` and `_max`
LIMITS = tuple(f"{what}_{of}" for what in ("guaranteed", "maximum", "free") for of in ("memory_mb", "vcores"))
ENDINGS = {Aggregation.MEAN: "", Aggregation.P95: "_p95", Aggregation.MAX: "_max"}
COVARIATES = ("demand_memory_mb", "demand_vcores", "apps_active", "apps_pending")  # what models learn from that nobody has named
SATURATED = {
    SAMPLES_NAME: "is_saturated",
    ROLLUPS_NAME: "saturated",
}  # of a step the share of it in which the queue was held back


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a query is answered from.

    table: its name. place: as the connection that has it is asked. says: in plain words which of the two it is, and why.
    """

    table: str
    place: Place
    says: str

    def column(self, name: str, aggregation: Aggregation) -> str:
        """What the column is called there."""
        return name + ENDINGS[aggregation] if self.table == ROLLUPS_NAME and name in ROLLED else name

    def names(self, columns: tuple[str, ...], aggregation: Aggregation) -> dict[str, str]:
        """What is called so there → what it is asked for as."""
        return {self.column(name, aggregation): name for name in columns}


def kept_for(query: Query, connection: YarnConnection, kept_at: Connection, now: datetime) -> Kept:
    """Which of the two has the history, at the connection that has both."""
    start, most = query.history_start or query.start, connection.keep_samples
    if most is None or start >= most.before(now):
        return _kept(SAMPLES_NAME, query, connection, kept_at, "read from the samples")
    if why := _why_no_rollups(query):
        says = f"read from the samples, which are kept for {most} only: {why}"
        return _kept(SAMPLES_NAME, query, connection, kept_at, says)
    says = f"read from five minutes ({ROLLUPS_NAME}), as the history begins {start:{MINUTE}} and samples are kept for {most}"
    if query.aggregation is Aggregation.P95:
        says += "; the 95 % quantile of a step is that of its five minutes'"
    return _kept(ROLLUPS_NAME, query, connection, kept_at, says)


def unrestricted(connection: Connection) -> Connection:
    """The connection without what limits requests that name it: who may use the cluster may read what is kept of it."""
    return connection.model_copy(update={"readable": None}) if "readable" in type(connection).model_fields else connection


def _why_no_rollups(query: Query) -> str:
    if query.step_seconds % STEP_SECONDS:
        return "steps are not of five minutes each"
    if query.aggregation not in ENDINGS:
        return f"five minutes have no {query.aggregation.value}"
    if lacking := [name for name in query.required if name not in (*ROLLED, *LIMITS)]:
        return f"five minutes have no {lacking[0]}"
    return ""


def _kept(table: str, query: Query, connection: YarnConnection, kept_at: Connection, says: str) -> Kept:
    name, partition = query.place.name, query.place.others.get(PARTITION, DEFAULT)
    places = {
        "files": Place(name=name, path=f"{table}/{folder_name(connection.cluster)}/{folder_name(partition)}"),
        "mongodb": Place(name=name, collection=table),
        "influxdb": Place(name=name, measurement=table),
    }
    return Kept(table=table, place=places[kept_at.kind], says=says)


def asked_of(query: Query, kept: Kept, connection: YarnConnection, aggregation: Aggregation, wished: tuple[str, ...]) -> Query:
    """The query as the other source is asked: our columns of times, queues and partitions.

    Args:
        wished: columns that are read where they are there.
    """
    partition = query.place.others.get(PARTITION, DEFAULT)
    whose: Mapping[str, tuple[str]] = {} if kept.place.path else {"cluster": (connection.cluster,), PARTITION: (partition,)}
    columns = tuple(kept.column(name, aggregation) for name in query.columns or ())
    return replace(
        query,
        place=kept.place,
        queue_fields=("queue",),
        time_field="timestamp",
        target=None if query.target is None else kept.column(query.target, aggregation),
        columns=columns,
        wished=tuple(kept.column(name, aggregation) for name in wished),
        where={**query.where, **whose},
        aggregation=aggregation,
        samples_timezone=None,
        csv=CsvForm(),
        queues_from_columns=False,
        is_one_thing=True,  # the collector keeps one row of each queue, partition and time
    )
