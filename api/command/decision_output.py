"""Decisions as text: columns that fit 80 characters, and all else in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared.command.tables import print_table
from shared.command.terminal import NOTHING, notice, say, shown_time
from shared.domain.codec import Document
from shared.domain.recommendations import amount
from shared.domain.units import Unit
from shared.domain.wording import counted, digits

FROM_YEAR = len("2026-")
MAX_KEPT, MAX_NAMED = 20, 3


def print_list(page: Document) -> None:
    """One line for each, with its sentence where there is room."""
    columns = ("decision", "state", "of", "parent", "before", "saves", "counts on", "what")
    rows = [(*_row(each), each["follows"], each["sentence"]) for each in page["decisions"]]
    spare = ("what", "counts on", *(["of"] if len({row[2] for row in rows}) < 2 else []), "saves")
    none = "no decision yet; `queuecast decisions make` has one made"
    print_table(columns, rows, spare=spare, cut="what", none=none, right={"saves"})
    if page["next_cursor"]:
        notice(f"more: --cursor {page['next_cursor']}")


def print_decision(decision: Document) -> None:
    """All that a person decides by."""
    say(decision["sentence"])
    until = f", valid until {shown_time(decision['valid_until'])}" if decision["valid_until"] else ""
    say(f"{decision['decision_id']}: {_where(decision)}")
    say(f"{decision['state']}{until}")
    if decision["follows"]:
        say(f"counts on {decision['follows']}, which has to be in force first")
    _print_plan(decision)
    for line in (*decision["because"], *_effects(decision)):
        say(line)
    print_steps(decision)


def print_steps(decision: Document) -> None:
    """What became of it, and what can be done with it now."""
    for step in decision["steps"]:
        reason = f": {step['reason']}" if step["reason"] else ""
        say(f"{shown_time(step['at'])}  {step['state']} by {step['name']}{reason}")
    if can := [name for name, why_not in decision["actions"].items() if why_not is None]:
        notice(f"you may now: {', '.join(can)}")
    for name, why_not in decision["actions"].items():
        if why_not is not None and name == "approve" and decision["state"] == "proposed":
            notice(f"you may not approve it: {why_not}", style="yellow")


def _print_plan(decision: Document) -> None:
    cost = decision["cost"]
    columns = ("queue", "from", "to", "before", "hours above", "short", "idle", "sure")
    changes: list[Document] = decision["changes"]
    if changes:
        print_table(columns, map(_change, changes), right={*columns[1:7]} - {"before"}, spare=("idle", "sure", "short"))
    for change in changes:
        donors = f"; {', '.join(change['donors'][:MAX_NAMED])} can give it" if change["donors"] else ""
        most = (
            [f"its maximum goes from {change['maximum_from'] or 'none'} to {change['maximum_to']}"]
            if change["maximum_to"]
            else []
        )
        say("; ".join([f"{change['queue']}: {change['because']}{donors}", *most, *change["notes"]]))
        for doubt in change["doubts"]:
            say(f"{change['queue']}: not sure: {doubt}")
    if cost is not None and changes:
        say(f"cost: {_work(cost['keep'], cost['unit'])} as it is, {_work(cost['plan'], cost['unit'])} with the plan")
    if replay := decision.get("replay"):
        say(_replayed(replay))
    kept: Sequence[Document] = decision["kept"]
    for each in kept[:MAX_KEPT]:
        say(f"{each['queue']}: {each['kept_because']}")
    if len(kept) > MAX_KEPT:
        notice(f"{counted(len(kept) - MAX_KEPT, 'more queue')} that stay as they are: --json")


def _change(change: Document) -> tuple[object, ...]:
    before, after = change["before"], change["after"]
    pairs = [_pair(before[name], after[name]) for name in ("hours_above", "shortfall", "slack")]
    amounts = (_capacity(change, "from"), _capacity(change, "to"))
    return change["queue"], *amounts, _moment(change["before_at"]), *pairs, change["confidence"]


def _capacity(change: Document, name: str) -> str:
    value, mode = change[name], change["mode"]
    if mode in ("percentage", "weight"):
        return f"{digits(value)} %" if mode == "percentage" else f"weight {digits(value)}"
    unit = Unit.MEGABYTES if mode == "absolute" else Unit(change["unit"]) if change["unit"] else None
    return amount(value, unit)


def _pair(before: float, after: float) -> str:
    return f"{_short(before)} → {_short(after)}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10 or value == 0 else f"{value:.1f}"


def _replayed(replay: Document) -> str:
    if replay["policy"] is None:
        return f"replay: nothing to compare with on {counted(replay['days'], 'day')}"
    cuts = counted(replay["wrong_cuts"], "wrong cut")
    return f"replay: {100 * replay['policy']:.1f} % of the cost of doing nothing on {counted(replay['days'], 'day')}, {cuts}"


def _effects(decision: Document) -> Iterator[str]:
    for effect in decision["effects"]:
        unit = decision["cost"]["unit"] if decision["cost"] else ""
        said = {name: _work(effect[name], unit) for name in ("real", "expected", "without")}
        wrong = f"; cut too far: {', '.join(effect['wrong_cuts'])}" if effect["wrong_cuts"] else ""
        yield (
            f"after {counted(effect['days'], 'day')}: {said['real']}, expected {said['expected']}, "
            f"with what was before {said['without']}{wrong}"
        )


def _row(decision: Document) -> tuple[object, ...]:
    cost = decision["cost"]
    saves = _work(cost["keep"] - cost["plan"], cost["unit"]) if cost and decision["queues"] else None
    of = decision["cluster"] if decision["parent"] else decision["project"] or decision["cluster"]
    where = (of or NOTHING, decision["parent"] or NOTHING)
    return decision["decision_id"], decision["state"], *where, _moment(decision["before_at"]), saves


def _moment(moment: str | None) -> str:
    return shown_time(moment)[FROM_YEAR:] if moment else NOTHING


def _where(decision: Document) -> str:
    partition = f", partition {decision['partition']}" if decision["partition"] != "default" else ""
    below = f"below {decision['parent']}" if decision["parent"] else f"project {decision['project'] or 'without a name'}"
    return f"{decision['cluster'] or 'no cluster'}, {below}{partition}"


def _work(value: float, unit: str) -> str:
    return f"{digits(value)} {unit}"
