"""Changes in a capacity-scheduler.xml that somebody keeps: all bytes stay but those of the values; and the difference as a patch.

A property that is not there yet is put behind another one of its queue, written as that one is, and taken out again whole.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from xml.sax.saxutils import escape

from shared.domain.capacities import NO_CAPACITY, Capacity
from shared.domain.identifiers import control_in, shown
from shared.domain.property_change import PropertyChange
from shared.errors import UnwritableChange
from shared.yarn.capacity_text import capacity_of
from shared.yarn.configuration import ALL, MAXIMUM, UNSET
from shared.yarn.hadoop_xml import ConfigurationFile, Property, read_file, spans, values_of

NO_NEWLINE = b"\n\\ No newline at end of file\n"
Edit = tuple[int, int, bytes]  # from, to, and what comes there


def edited(data: bytes, changes: Sequence[PropertyChange]) -> bytes:
    """The file with the changes in it; raises UnwritableChange where it says something else than the changes begin with."""
    file = read_file(data)
    values = values_of(file)
    edits = sorted((_edit(file, change, values) for change in changes), key=lambda edit: edit[:2])
    result, at = [], 0
    for start, end, text in edits:
        result += [data[at:start], text]
        at = end
    return b"".join([*result, data[at:]])


def difference(name: str, before: bytes, after: bytes) -> bytes:
    """A unified diff of a file of this name, as `patch` takes it; empty where nothing differs."""
    if control_in(name) is not None or not name:
        raise UnwritableChange(f"a file called {shown(name)} cannot be named in a patch")
    header = name.encode()
    lines = difflib.diff_bytes(difflib.unified_diff, _lines(before), _lines(after), header, header, lineterm=b"\n")
    return b"".join(line if line.endswith(b"\n") else line + NO_NEWLINE for line in lines)


def _lines(data: bytes) -> list[bytes]:
    return re.findall(rb"[^\n]*\n|[^\n]+", data)


def _edit(file: ConfigurationFile, change: PropertyChange, values: dict[str, str]) -> Edit:
    found = file.named(change.property_name)
    if len(found) > 1:
        lines = ", ".join(str(each.line) for each in found)
        raise _refusal(change, f"it is set {len(found)} times, in the lines {lines}: which one counts is for you to say")
    there = values.get(change.property_name, "").strip()
    if meaning(change, there) != meaning(change, change.before):
        raise _refusal(change, f"the file has {shown(there) or 'none'}, and the tree {shown(change.before) or 'none'}")
    if not found:
        return _insertion(file, change)
    if not change.after:
        return _without(file.data, found[0])
    return (*_span(file.data, change, found[0]), escape(change.after).encode())


def meaning(change: PropertyChange, text: str) -> Capacity | str:
    """What a value says, since 45 and 45.0 are the same; nothing is nothing guaranteed, and no maximum."""
    if not text or text == UNSET:
        return ALL if change.key.endswith(MAXIMUM) else NO_CAPACITY
    try:
        return capacity_of(text)
    except ValueError:
        return text


def _span(data: bytes, change: PropertyChange, found: Property) -> tuple[int, int]:
    """Where in the file the value stands, without the blanks around it."""
    written = spans(found.pieces)
    if found.value_end < 0 or len(written) > 1:
        raise _refusal(change, f"line {found.line} writes it as an attribute, or in pieces: accepted is <value>…</value>")
    if not written:
        return found.value_end, found.value_end
    start, end = written[0]
    text = data[start:end]
    return end - len(text.lstrip()), start + len(text.rstrip())


def _insertion(file: ConfigurationFile, change: PropertyChange) -> Edit:
    """Behind the last property of the same queue in the file, else behind the last of all."""
    stem = change.property_name.removesuffix(change.key)
    of_queue = [each for each in file.properties if each.name.startswith(stem) and "." not in each.name.removeprefix(stem)]
    beside = (of_queue or list(file.properties))[-1:]
    if not beside:
        raise _refusal(change, "the file has no property yet")
    lead = _lead(file.data, beside[0].start)
    inner = lead + b"  " if b"\n" in lead else b""
    name, value = escape(change.property_name).encode(), escape(change.after).encode()
    text = b"".join([lead, b"<property>", inner, b"<name>", name, b"</name>", inner, b"<value>", value, b"</value>"])
    return beside[0].end, beside[0].end, text + (lead if inner else b"") + b"</property>"


def _without(data: bytes, found: Property) -> Edit:
    return found.start - len(_lead(data, found.start)), found.end, b""


def _lead(data: bytes, start: int) -> bytes:
    """The blanks before an element, from its own line's end on."""
    before = data[:start]
    blanks = before[len(before.rstrip(b" \t\r\n")) :]
    lines = re.search(rb"\r?\n[ \t]*$", blanks)
    return lines[0] if lines else blanks


def _refusal(change: PropertyChange, why: str) -> UnwritableChange:
    return UnwritableChange(why, property=shown(change.property_name))
