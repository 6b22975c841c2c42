"""MongoSink: one document per run and queue in a MongoDB collection, arrays inside; it expires by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import ClassVar

from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError, OperationFailure

from shared.config.settings import Settings
from shared.connections.mongodb import MongodbConnection
from shared.domain.distribution import Quantiles
from shared.domain.forecasts import Forecast
from shared.domain.places import Place
from shared.drivers.faults import NOT_AUTHORISED, translated
from shared.drivers.mongo import Document, Documents
from shared.errors import CredentialsRefused, SinkAway, SinkRefused
from worker.sinks import sinks
from worker.sinks.base import ALL_OF_IT, Standing, refuse_unwritable

KEY = ("project", "cluster", "where", "queue", "metric", "job", "issued_at", "period_seconds", "aggregation", "day_timezone")
NEW = ("project", "cluster", "where", "aggregation")  # what documents of releases before do not say
# Our unique indexes of releases before: they let one project replace another's forecast, and one time zone's days another's.
EARLIER = ("queue_1_metric_1_job_1_issued_at_-1", "_".join(f"{name}_1" for name in KEY[:-1]))
INDEXES = (
    IndexModel([(name, 1) for name in KEY], unique=True),
    IndexModel([("expires_at", 1)], expireAfterSeconds=0),
)
NEEDED = ("find", "insert", "update", "createIndex")
# What only the collection's owner can mend: invalid options (a time-series collection takes no unique index), an index of another
# kind or name in the way, a validator, a view, documents of somebody else that are not unique.
NO_INDEX = 27
REFUSALS = frozenset({72, 85, 86, 121, 166, 11000})


@sinks.register("mongodb")
class MongoSink:
    """A collection of ours in the connection's database, made on the first write together with its two indexes."""

    told_by: ClassVar[tuple[str, ...]] = ALL_OF_IT

    def __init__(self, connection: MongodbConnection, settings: Settings) -> None:  # noqa: ARG002 - the promise of every sink
        self._connection = connection

    def check(self, place: Place) -> None:
        """Look for a collection that can be written and for the right to do so, without writing; raises as `write` does."""
        with _told(place):
            documents = self._connection.collection(place)
            own = {"name": documents.name}
            # what a user of this collection alone may ask
            for collection in documents.database.list_collections(filter=own, nameOnly=True, authorizedCollections=True):
                if collection["type"] != "collection":
                    raise SinkRefused(
                        f"{documents.name!r} is a {collection['type']}, which takes no unique index; accepted is a collection"
                    )
            status = documents.database.command("connectionStatus", showPrivileges=True)["authInfo"]
        if status["authenticatedUsers"]:  # none = a server without users, as it has let us list
            _refuse_unprivileged(status["authenticatedUserPrivileges"], documents)

    def write(self, forecast: Forecast, place: Place, standing: Standing = Standing.NEWEST) -> None:  # noqa: ARG002 - see _put
        """Deliver one forecast; raises SinkRefused, CredentialsRefused, SinkAway."""
        refuse_unwritable(forecast)
        document = document_of(forecast, self._connection.expiry(place, forecast.created_at))
        with _told(place):
            documents = self._connection.collection(place)
            documents.create_indexes(list(INDEXES))  # of ours, so made by us; those that are there already cost a millisecond
            _drop_earlier_indexes(documents)
            try:
                _put(documents, document)
            except DuplicateKeyError:
                # another worker has just written the same forecast or a later one, or an index that is not ours is in the way
                _put(documents, document)


def _drop_earlier_indexes(documents: Documents) -> None:
    """A user who may not see or drop them is let on: where one is in the way of the forecast, that is told."""
    try:
        known = documents.index_information()
        for name in EARLIER:
            if known.get(name, {}).get("unique"):
                documents.drop_index(name)
    except OperationFailure as error:
        if error.code not in {NOT_AUTHORISED, NO_INDEX}:  # the second: another worker was first
            raise


def _put(documents: Documents, document: Document) -> None:
    """Write it in place of the same forecast: one that a release before knew by less, or one created before.

    Of equal issue times the one stays that was created last.
    """
    same = {name: document.get(name) for name in KEY}
    if documents.replace_one(same | dict.fromkeys(NEW), document).matched_count:
        return
    later = same | {"created_at": {"$gt": document["created_at"]}}
    if documents.find_one(later, {"_id": 1}) is None:
        documents.replace_one(same | {"created_at": {"$lte": document["created_at"]}}, document, upsert=True)


def document_of(forecast: Forecast, expires_at: datetime | None) -> Document:
    """The document of one forecast; entry `i` of each array belongs to step `i + 1`, of `peak_quantiles` to day `i + 1`.

    One without an end has no `expires_at`, one whose steps are of UTC no `day_timezone`.
    """
    return {
        **{name: getattr(forecast, name) for name in KEY[:7]},
        "created_at": forecast.created_at,
        "period_seconds": forecast.step_seconds,
        "aggregation": forecast.aggregation.value,
        "timestamp": forecast.timestamps,
        "step": list(range(1, forecast.horizon_steps + 1)),
        "prediction": list(forecast.prediction),
        "lower_bound": list(forecast.lower_bound),
        "upper_bound": list(forecast.upper_bound),
        "quantiles": _levels(forecast.quantiles),
        "peak_quantiles": _levels(forecast.peaks),
        "interval": forecast.interval,
        "unit": forecast.unit and forecast.unit.value,
        "guaranteed": forecast.guaranteed,
        "maximum": forecast.maximum,
        "model": forecast.model,
        "hyperparameters": dict(forecast.hyperparameters),
        "mape": forecast.mape,
        "skill": forecast.skill,
        "seconds": forecast.seconds,
        "job_id": forecast.job_id,
        **({"day_timezone": forecast.day_timezone} if forecast.day_timezone else {}),
        **({"expires_at": expires_at} if expires_at else {}),
    }


def _levels(quantiles: Quantiles) -> list[Document]:
    """One entry for each level; a name such as `q0.05` would be a path here."""
    return [{"level": level, "values": list(row)} for level, row in zip(quantiles.levels, quantiles.values, strict=True)]


@contextmanager
def _told(place: Place) -> Iterator[None]:
    """The server's refusals as ours."""
    with translated(SinkAway, connection=place.name):
        try:
            yield
        except OperationFailure as error:
            if error.code not in REFUSALS:
                raise
            in_the_way = [name for name in EARLIER if f"{name} " in f"{error} "]
            advice = f"; drop this index of an earlier release: dropIndex({in_the_way[0]!r})" if in_the_way else ""
            raise SinkRefused(f"{error}{advice}", connection=place.name, collection=place.collection) from error


def _refuse_unprivileged(privileges: list[Document], documents: Documents) -> None:
    allowed = {action for privilege in privileges if _covers(privilege["resource"], documents) for action in privilege["actions"]}
    if missing := [action for action in NEEDED if action not in allowed]:
        name = f"{documents.database.name}.{documents.name}"
        raise CredentialsRefused(f"the user is not allowed to {', '.join(missing)} in {name}; the role readWrite is enough")


def _covers(resource: Document, documents: Documents) -> bool:
    """Whether a privilege's resource includes the collection; "" stands for any, and a cluster has neither."""
    is_here = resource.get("db") in {"", documents.database.name} and resource.get("collection") in {"", documents.name}
    return is_here or bool(resource.get("anyResource"))
