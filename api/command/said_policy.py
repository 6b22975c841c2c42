"""A policy as a person changes it: what options name, in the place of what is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from shared.domain.codec import Document
from shared.errors import UsageError

READ_ONLY = frozenset(
    {"cluster", "parent", "partition", "project", "version", "changed_at", "changed_by", "owner_names", "kappas"}
)
STAYS = frozenset({"owners", "freezes", "schedule_id"})  # whatever one decision is made with


def fields_of(policy: Document) -> Document:
    """What can be said, of an answer or a file; what only answers have is left out, and what is unknown stays to be refused."""
    said = {name: value for name, value in policy.items() if name not in READ_ONLY}
    if isinstance(said.get("queues"), list):
        rules = said["queues"]
        said["queues"] = [{k: v for k, v in rule.items() if k != "weight"} if isinstance(rule, dict) else rule for rule in rules]
    return said


class Options(NamedTuple):
    """What was given: NAME=VALUE, QUEUE:NAME=VALUE, TOKEN or QUEUE:TOKEN, START/END."""

    values: Sequence[str] = ()
    rules: Sequence[str] = ()
    owners: Sequence[str] = ()
    freezes: Sequence[str] = ()


def changed(said: Document, options: Options) -> Document:
    """The policy with what options name; owners that are named stand in the place of those that were. Raises UsageError."""
    new, rules = dict(said), {rule["queue"]: dict(rule) for rule in said.get("queues", ())}
    for given in options.values:
        name, value = _parts(given, "=", "--set", "NAME=VALUE")
        new[name] = (value or None) if name == "schedule_id" else _value(value)
    for given in options.rules:
        named, value = _parts(given, "=", "--rule", "QUEUE:NAME=VALUE")
        queue, name = _parts(named, ":", "--rule", "QUEUE:NAME=VALUE")
        _rule(rules, queue)[name] = _value(value)
    of_queues = [_parts(given, ":", "--owner", "QUEUE:TOKEN") for given in options.owners if ":" in given]
    for queue in dict.fromkeys(queue for queue, _ in of_queues):
        _rule(rules, queue)["owners"] = [token for each, token in of_queues if each == queue and token]
    if whole := [given for given in options.owners if ":" not in given]:
        new["owners"] = whole
    if freezes := [_parts(given, "/", "--freeze", "START/END") for given in options.freezes]:
        new["freezes"] = [*new.get("freezes", ()), *({"start_at": start, "end_at": end} for start, end in freezes)]
    return new | ({"queues": list(rules.values())} if rules else {})


def instead_of(known: Document, options: Options) -> Document:
    """What one decision is made with instead of what holds: who may approve it, and when, stays what the policy says."""
    said = changed(fields_of(known), options)
    kept = {name: value for name, value in said.items() if name not in STAYS}
    return kept | {"queues": [{name: value for name, value in rule.items() if name not in STAYS} for rule in said["queues"]]}


def _rule(rules: dict[str, Document], queue: str) -> Document:
    return rules.setdefault(queue, {"queue": queue})


def _parts(given: str, sign: str, option: str, form: str) -> tuple[str, str]:
    """Before and behind the last sign."""
    before, found, behind = given.rpartition(sign)
    if not found or not before:
        raise UsageError(f"{option}: found {given[:60]!r}, accepted is {form}")
    return before.strip(), behind.strip()


def _value(text: str) -> object:
    """What JSON would have: a number, true, false, else a text; nothing = it is taken back."""
    if not text:
        return None
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError:
        return {"true": True, "false": False, "yes": True, "no": False}.get(text, text)
