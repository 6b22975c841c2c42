"""What `/ws/v1/cluster/scheduler-conf` answers and is sent, in JSON or XML; and the file that other clusters have instead."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.identifiers import listed, shown
from shared.domain.property_change import PREFIX, PropertyChange
from shared.errors import UnwritableChange, YarnUnreadable
from shared.yarn.fields import Fields, decoded
from shared.yarn.hadoop_xml import read_file, values_of

UPDATE = "update-queue"


def read_configuration(answer: bytes) -> dict[str, str]:
    """Name → value of all that is configured, from an answer or from a capacity-scheduler.xml."""
    if answer.lstrip()[:1] == b"<":
        return values_of(read_file(answer))
    document = Fields(decoded(answer), "the answer")
    inner = document.inside("configuration") if document.has("configuration") else document
    found = {entry.text("name") or "": entry.text("value") or "" for entry in inner.every("property")}
    if not found:
        raise YarnUnreadable(f"it has no property; it has {listed(list(document.values))}")
    return found


def read_body(body: bytes, configured: Mapping[str, str]) -> tuple[PropertyChange, ...]:
    """What a request would change of a configuration; raises UnwritableChange where it would do anything else than that."""
    document = Fields(decoded(body), "the request")
    inner = document.inside("sched-conf") if document.has("sched-conf") else document
    if others := [name for name in inner.values if name != UPDATE and inner.has(name)]:
        raise UnwritableChange(f"accepted is {UPDATE}, and not {listed(others)}")
    changes = []
    for queue in inner.every(UPDATE):
        path = queue.text("queue-name") or ""
        for entry in queue.inside("params").every("entry"):
            key, value = entry.text("key") or "", entry.text("value") or ""
            before = configured.get(f"{PREFIX}{path}.{key}", "")
            changes.append(PropertyChange(queue=path, key=key, before=before, after=value))
    if unnamed := [change for change in changes if not (change.queue and change.key)]:
        raise UnwritableChange(f"each entry needs a queue and a key; {shown(str(unnamed[0]))} has not both")
    return tuple(changes)
