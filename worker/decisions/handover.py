"""What is handed over with a proposal: bodies of requests, patches of a file, a table, and how they are used. Name → bytes.

    sched-conf.xml · sched-conf.json · inverse.xml · inverse.json            for clusters that are changed by requests
    capacity-scheduler.patch · capacity-scheduler.inverse.patch              for those whose file is known
    README.txt · changes.csv                                                 always, also of queues without a tree

Names of queues come from outside: they are quoted in commands, escaped in XML, and are no formulas in the table.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from shared.domain.capacities import Resources
from shared.domain.identifiers import shown
from shared.domain.outgoing import cell
from shared.domain.proposals import Proposal, ProposedChange
from shared.domain.recommendations import Recommendation
from shared.errors import QueuecastError, UnwritableChange
from shared.yarn.patch import as_json, as_xml, inverse
from shared.yarn.patch_file import difference, edited
from worker.decisions.instructions import Patches, instructions

README, TABLE = "README.txt", "changes.csv"
CHANGE_XML, CHANGE_JSON, INVERSE_XML, INVERSE_JSON = "sched-conf.xml", "sched-conf.json", "inverse.xml", "inverse.json"
PATCH, INVERSE_PATCH = "capacity-scheduler.patch", "capacity-scheduler.inverse.patch"
NAMES = (CHANGE_XML, CHANGE_JSON, INVERSE_XML, INVERSE_JSON, PATCH, INVERSE_PATCH, README, TABLE)
_NOT_OF_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2
_EFFECTS = ("likelihood", "hours", "shortfall", "slack")
COLUMNS = (
    *("decision_id", "cluster", "project", "parent", "partition", "queue", "action", "mode", "present", "proposed"),
    *("present_maximum", "proposed_maximum", "present_memory_mb", "proposed_memory_mb", "present_vcores", "proposed_vcores"),
    *("needed_before", "resource", "unit", *(f"{name}_{when}" for name in _EFFECTS for when in ("before", "after"))),
    *("work_unit", "donors", "confidence", "because"),
)


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A capacity-scheduler.xml: what it is called, without the folder that it lies in, and what it holds."""

    name: str
    content: bytes


def files_of(proposal: Proposal, file: NamedFile | None = None) -> dict[str, bytes]:
    """The files of a proposal, by name.

    Args:
        file: the configuration of its cluster, where that is a file which can be read. One that says something else than the tree
            did is not patched, and README.txt says why.

    Raises:
        UnwritableChange: a queue has a name that XML cannot hold.
    """
    files = _bodies(proposal) if proposal.patch else {}
    patches = Patches()
    if proposal.patch and file is not None:
        try:
            after = edited(file.content, proposal.patch)
            files[PATCH] = difference(file.name, file.content, after)
            files[INVERSE_PATCH] = difference(file.name, after, file.content)
            patches = Patches(file_name=file.name)
        except QueuecastError as error:
            patches = Patches(refusal=error.detail)
    files[TABLE] = _table(proposal).encode()
    files[README] = instructions(proposal, patches).encode()
    return {name: files[name] for name in NAMES if name in files}


def _bodies(proposal: Proposal) -> dict[str, bytes]:
    """ASCII, whatever queues are called: XML and JSON write the rest by its number."""
    for change in proposal.patch:
        if _NOT_OF_XML.search(f"{change.queue}{change.key}{change.before}{change.after}"):
            raise UnwritableChange("its name or a value has a character that XML cannot hold", queue=shown(change.queue))
    back = inverse(proposal.patch)
    return {
        CHANGE_XML: as_xml(proposal.patch).encode("ascii", "xmlcharrefreplace"),
        CHANGE_JSON: as_json(proposal.patch).encode("ascii"),
        INVERSE_XML: as_xml(back).encode("ascii", "xmlcharrefreplace"),
        INVERSE_JSON: as_json(back).encode("ascii"),
    }


def _table(proposal: Proposal) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    same = dict(zip(COLUMNS, (proposal.decision_id, *_where(proposal)), strict=False))
    for row in _rows(proposal):
        writer.writerow({name: cell(value) for name, value in (same | row).items()})
    return text.getvalue()


def _where(proposal: Proposal) -> tuple[str, str, str, str]:
    return proposal.cluster, proposal.project, proposal.parent, proposal.partition


def _rows(proposal: Proposal) -> Iterator[dict[str, object]]:
    """The queues that are changed, then those that are left."""
    for change in proposal.changes:
        yield _of_change(change) | _of_recommendation(change.binding_recommendation)
    for kept in proposal.kept:
        same: dict[str, object] = {"queue": kept.queue, "action": "keep", "present": kept.present, "proposed": kept.present}
        yield same | _of_recommendation(kept) | {"because": kept.kept_because or kept.because}


def _of_change(change: ProposedChange) -> dict[str, object]:
    before, after = _amounts(change.present_resources), _amounts(change.proposed_resources)
    return {
        "queue": change.queue,
        "action": "raise" if change.is_raise else "lower",
        "mode": "" if change.mode is None else change.mode.value,
        "present": change.present,
        "proposed": change.proposed,
        "present_maximum": change.maximum_before,
        "proposed_maximum": change.maximum_after,
        "present_memory_mb": before[0],
        "present_vcores": before[1],
        "proposed_memory_mb": after[0],
        "proposed_vcores": after[1],
        "needed_before": "" if change.before_at is None else change.before_at.isoformat(),
        "donors": " ".join(change.donors),
    }


def _amounts(resources: Resources | None) -> tuple[object, object]:
    return ("", "") if resources is None else (resources.memory_mb, resources.vcores)


def _of_recommendation(said: Recommendation) -> dict[str, object]:
    numbers = {
        f"{name}_{when}": _told(getattr(expected, name))
        for name in _EFFECTS
        for when, expected in (("before", said.before), ("after", said.after))
    }
    return numbers | {
        "resource": said.resource.value,
        "unit": "" if said.unit is None else said.unit.value,
        "work_unit": said.work_unit,
        "confidence": said.confidence.value,
        "because": said.because,
    }


def _told(value: object) -> object:
    return "" if value is None else value
