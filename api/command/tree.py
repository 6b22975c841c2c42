"""`queuecast tree`: the queues of a YARN cluster, each under its parent, as columns that fit the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated

import typer

from api.command.completing import offer_tree
from api.command.moments import moment_of
from api.command.service import DEFAULT_URL, Url, connect, show
from shared.command.tables import print_table, tabular
from shared.command.terminal import NOTHING, AsJson, Form, form, notice, say, shown_time, width
from shared.domain.codec import Document
from shared.domain.dynamic_queues import PART_OF_WHICH
from shared.domain.identifiers import listed, shown
from shared.domain.wording import counted
from shared.errors import QueueNotFound

INDENT = "  "
MAX_CHANGES = 10
MB_PER_GB = 1_024
MEMORY = "memory_mb"
Column = tuple[str, Callable[[Document], str | None]]

group = typer.Typer()


@group.command(epilog="Example: queuecast tree root.etl --cluster prod")
@tabular
def tree(
    *,
    queues: Annotated[
        list[str] | None,
        typer.Argument(help="Full names: only these, with all below them.", show_default="all", autocompletion=offer_tree),
    ] = None,
    cluster: Annotated[str | None, typer.Option(help="Needed where there are several.", show_default="the only one")] = None,
    partition: Annotated[str | None, typer.Option(help="The node label.", show_default="default, without one")] = None,
    project: Annotated[str | None, typer.Option(help="Whose forecasts.", show_default="of all that may use the cluster")] = None,
    at: Annotated[
        str | None,
        typer.Option(help="As it was configured then: 2026-01-05T00:00:00Z, or 7d, so long ago.", show_default="as it is now"),
    ] = None,
    vcores: Annotated[bool, typer.Option("--vcores", help="Amounts in vcores instead of GB.")] = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show the queues of a YARN cluster, each under its parent: what it has, uses and wants, and what is to be expected of it.

    Amounts are memory in GB. The chances are those of the next 24 hours, headroom is what is left of the guarantee:
    now, and at the highest upper bound of that time. A narrow terminal gets fewer columns; --json has all.
    """
    answer = connect(url).get("tree", cluster=cluster, project=project, partition=partition, at=moment_of(at))
    show(_below(answer, queues or []), partial(_print, resource="vcores" if vcores else MEMORY), as_json=as_json)


def _below(answer: Document, asked: Sequence[str]) -> Document:
    """The answer with nothing but these queues and what is below them; raises QueueNotFound."""
    known = {queue["queue"] for queue in answer["queues"]}
    if missing := [path for path in asked if path not in known]:
        raise QueueNotFound(_alike(missing[0], sorted(known)), queue=shown(missing[0]))
    kept = {name: [each for each in answer[name] if _is_in(each["queue"], asked)] for name in ("queues", "configuration_changes")}
    return answer | kept


def _is_in(queue: str, asked: Sequence[str]) -> bool:
    return not asked or any(queue == path or queue.startswith((f"{path}.", f"{path}/")) for path in asked)


def _alike(missing: str, known: Sequence[str]) -> str:
    last = missing.rpartition(".")[2].lower()
    alike = [path for path in known if last and last in path.lower()]
    return f"the tree has {listed(alike, 5)}" if alike else f"the tree has {counted(len(known), 'queue')}, and none of this name"


def _print(answer: Document, *, resource: str) -> None:
    label = "" if answer["partition"] == "default" else f", partition {answer['partition']}"
    read = f"as configured since {shown_time(answer['read_at'])}" if answer["at"] else f"read {_ago(answer['age_seconds'])}"
    queues = sum(not queue["queue"].endswith(PART_OF_WHICH) for queue in answer["queues"])
    unit = "vcores" if resource == "vcores" else "GB"
    say(f"{answer['cluster']}{label}: {counted(queues, 'queue')}, {answer['scheduler']} scheduler, {read}, amounts in {unit}")
    for note in answer["notes"]:
        notice(f"note: {note}", style="yellow")
    columns = _columns(width(), resource, is_now=answer["at"] is None)
    least = min((queue["depth"] for queue in answer["queues"]), default=0)
    name_of = (lambda queue: queue["queue"]) if form.get() is Form.CSV else lambda queue: _name(queue, queue["depth"] - least)
    rows = [(name_of(queue), *(say_it(queue) for _, say_it in columns)) for queue in answer["queues"]]
    names = [name for name, _ in columns]
    print_table(("queue", *names), rows, right={*names} - {"capacity"})
    _print_projects(answer["queues"])
    _print_changes(answer["configuration_changes"])


def _print_projects(queues: Sequence[Document]) -> None:
    """Whose forecasts tell of the queues, where there are several."""
    counts = Counter(queue["outlook"]["project"] or "no project" for queue in queues if queue["outlook"])
    if len(counts) > 1:
        notice(f"forecasts are of {listed([f'{name} ({count})' for name, count in counts.items()])}: --project, --json")


def _print_changes(changes: Sequence[Document]) -> None:
    for change in changes[:MAX_CHANGES]:
        label = "" if change["partition"] == "default" else f" in {change['partition']}"
        say(f"{shown_time(change['changed_at'])}  {change['queue']}{label}: {change['words']}")
    if len(changes) > MAX_CHANGES:
        notice(f"{len(changes) - MAX_CHANGES} more changes of the configuration in the last 7 days: --json")


def _columns(room: int, resource: str, *, is_now: bool) -> list[Column]:
    """Those that fit: what says least goes first."""
    use: list[Column] = [("used", _amount("used", resource)), ("wanted", _amount("demand", resource))]
    chances: list[Column] = [("borrow 24h", _chance("borrowing", resource)), ("wait 24h", _chance("waiting", resource))]
    limits: list[Column] = [("guarantee", _amount("guaranteed", resource)), ("ceiling", _amount("ceiling", resource))]
    if not is_now:
        return [("capacity", _capacity), *limits]
    if room < 60:
        return [limits[0], use[1]]
    if room < 90:
        return [limits[0], use[1], *chances]
    room_left: list[Column] = [("headroom", _headroom(resource))]
    room_left.append(("ahead", _headroom(f"ahead_{resource}")))
    counts: list[Column] = [("apps", _apps)] if room >= 120 else []
    return [("capacity", _capacity), *limits, *use, *counts, *chances, *room_left]


def _name(queue: Document, depth: int) -> str:
    """Under its parent by the last part of its name; that of the first ones is whole."""
    name = queue["queue"] if depth == 0 else queue["queue"].removeprefix(queue["parent"]).lstrip("./")
    is_sum = queue["queue"].endswith(PART_OF_WHICH)
    about = "all dynamic" if is_sum else "dynamic" if queue["is_dynamic"] else ""
    state = queue["state"] if queue["state"] not in {None, "RUNNING"} and not is_sum else ""
    said = ", ".join(filter(None, (about, (state or "").lower())))
    return f"{INDENT * depth}{name}{f' ({said})' if said else ''}"


def _capacity(queue: Document) -> str | None:
    return f"{queue['capacity']} %" if queue["capacity"] and queue["mode"] == "percentage" else queue["capacity"]


def _amount(name: str, resource: str) -> Callable[[Document], str | None]:
    return lambda queue: _shown((queue[name] or {}).get(resource), resource)


def _headroom(name: str) -> Callable[[Document], str | None]:
    return lambda queue: _shown(queue["headroom"][name], name)


def _shown(amount: float | None, resource: str) -> str | None:
    """Memory in GB, vcores as they are."""
    if amount is None or resource.endswith("vcores"):
        return None if amount is None else f"{amount:,}"
    size = amount / MB_PER_GB
    return f"{size:,.1f}" if abs(size) < 10 and amount else f"{size:,.0f}"


def _chance(name: str, resource: str) -> Callable[[Document], str | None]:
    def said(queue: Document) -> str | None:
        chance: Mapping[str, str] | None = (queue["outlook" if resource == MEMORY else "outlook_vcores"] or {}).get(name)
        return chance["likelihood"] if chance else None

    return said


def _apps(queue: Document) -> str:
    active, waiting = queue["apps_active"], queue["apps_pending"]
    return NOTHING if active is None else f"{active}" + (f" + {waiting}" if waiting else "")


def _ago(seconds: int) -> str:
    """How long ago, in the unit that says most."""
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 2 * size:
            return f"{counted(seconds // size, name)} ago"
    return f"{counted(seconds, 'second')} ago"
