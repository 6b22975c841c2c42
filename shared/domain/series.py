"""Series: what tells one queue's values from another's. Its name does not: two clusters both have `root.default`."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass

from shared.domain.places import Place
from shared.domain.samples import Aggregation

CLUSTER = r"([A-Za-z0-9][A-Za-z0-9_.-]*)?"  # what a cluster may be called; "" = nobody names it
MAX_CLUSTER = 100
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

    @property
    def series_id(self) -> str:
        """Hash of the content, 16 hexadecimal digits: what records of which there are millions are kept by."""
        values = (self.queue, self.metric, self.project, self.cluster, self.step_seconds, self.aggregation)
        content = json.dumps(values, ensure_ascii=False)
        return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    @property
    def named_cluster(self) -> str:
        """The cluster, if somebody has named it; else ""."""
        return named_cluster(self.cluster)


def named_cluster(cluster: str) -> str:
    """The cluster, if somebody has named it; "" for a place that stands for one."""
    return "" if MARK in cluster else cluster


def cluster_of(place: Place) -> str:
    """What stands for the cluster where nobody names it: the place itself, of files the folder before the first wildcard.

    >>> cluster_of(Place(name="files", path="cluster-a/**"))
    'files:cluster-a'
    """
    path = None if place.path is None else _folder(place.path)
    parts = [place.database, place.collection, place.document, place.measurement, path, *place.others.values()]
    return place.name + MARK + "/".join(part for part in parts if part)


def _folder(path: str) -> str:
    """The folder before the first wildcard; a path without one is taken as it is, since two files may be two clusters."""
    plain = _WILDCARD.split(path, maxsplit=1)[0]
    return (plain if plain == path else plain.rpartition("/")[0]).strip("/")
