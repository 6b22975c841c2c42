"""Series: what tells one queue's values from another's. Its name does not: two clusters both have `root.default`."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, urlencode

from shared.domain.places import Place
from shared.domain.samples import Aggregation, Where

CLUSTER = r"([A-Za-z0-9][A-Za-z0-9_.-]*)?"  # what a cluster may be called; "" = nobody names it
MAX_CLUSTER = 100
MAX_TEXT = 200  # characters of what stands for a cluster, or for a condition: what a query may say
MARK = ":"  # in what stands for a cluster that nobody has named, and in no name of one
UNASSIGNED = ":unassigned"  # of records that an earlier release kept by the queue's name alone, where several series fit
_WILDCARD = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Series:
    """The values of one queue of one cluster, read by one project, in one target, step and aggregation."""

    queue: str
    metric: str
    project: str
    cluster: str  # as the request or the connection names it; else the place that is read, which has a MARK in it
    step_seconds: int
    aggregation: Aggregation
    where: str = ""  # which rows of a cluster that is named, as `rows_of` writes it; "" = all, or the place says it
    day_timezone: str = ""  # whose days its steps are, as `TimeGrid` has it; "" = they are steps of UTC

    @property
    def series_id(self) -> str:
        """Hash of the content, 16 hexadecimal digits: what records of which there are millions are kept by."""
        values = (self.queue, self.metric, self.project, self.cluster, self.step_seconds, self.aggregation)
        further = (self.where, self.day_timezone) if self.day_timezone else (self.where,) if self.where else ()
        return _hashed((*values, *further))

    @property
    def named_cluster(self) -> str:
        """The cluster, if somebody has named it; else ""."""
        return named_cluster(self.cluster)


@lru_cache(maxsize=4_096)  # a page asks for that of each queue several times
def _hashed(values: tuple[str | int, ...]) -> str:
    content = json.dumps(values, ensure_ascii=False)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def named_cluster(cluster: str) -> str:
    """The cluster, if somebody has named it; "" for a place that stands for one."""
    return "" if MARK in cluster else cluster


def rows_of(where: Where) -> str:
    """The condition as a text, the same in whatever order it is written.

    >>> rows_of({"partition": ("gpu", "default")})
    'partition=default&partition=gpu'
    """
    pairs = sorted({(name, str(value)) for name, values in where.items() for value in values})
    return _bounded(urlencode(pairs, quote_via=quote))


def cluster_of(place: Place, rows: str = "") -> str:
    """What stands for the cluster where nobody names it: the place itself, of files the folder before the first wildcard.

    Args:
        place: that is read.
        rows: which of its rows, as `rows_of` writes it: those of another partition are other queues.

    >>> cluster_of(Place(name="files", path="cluster-a/**"), "partition=gpu")
    'files:cluster-a?partition=gpu'
    """
    path = None if place.path is None else _folder(place.path)
    parts = [place.database, place.collection, place.document, place.measurement, path, *place.others.values()]
    return _bounded(place.name + MARK + "/".join(part for part in parts if part) + (f"?{rows}" if rows else ""))


def _folder(path: str) -> str:
    """The folder before the first wildcard; a path without one is taken as it is, since two files may be two clusters."""
    plain = _WILDCARD.split(path, maxsplit=1)[0]
    return (plain if plain == path else plain.rpartition("/")[0]).strip("/")


def _bounded(text: str) -> str:
    """A longer text ends in its hash: whatever differs stays different."""
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 17]}…{hashlib.sha256(text.encode()).hexdigest()[:16]}"
