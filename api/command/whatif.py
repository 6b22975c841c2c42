"""`queuecast whatif`: the outlook of a queue, with what it has now and with something else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from api.command.choice import Choice, with_choice
from api.command.completing import offer_queues
from api.command.moved import print_move
from api.command.output import amount
from api.command.service import DEFAULT_URL, Url, connect, show
from shared.command.tables import print_table
from shared.command.terminal import AsJson, notice, say, shown, shown_time
from shared.domain.codec import Document

ABOUT_CAPACITY = (
    "If so much were guaranteed: 48 = in the unit of the forecast; 1.2x = times what it is now; 30% = of amounts (MB, vcores) so "
    "much of what the parent is guaranteed, of percentages the same as 30."
)
Capacity = Annotated[str | None, typer.Option(help=ABOUT_CAPACITY, show_default="as now")]

Ceiling = Annotated[str | None, typer.Option(help="If that were the most it can get; likewise.", show_default="as now")]
Parent = Annotated[
    str | None, typer.Option(help="If it were below this queue; shares are of what that has.", show_default="as now")
]
MAX_MISSING = 10  # children that are named

group = typer.Typer()


@group.command(epilog="Example: queuecast whatif root.etl --capacity 1.2x --scale 1.1 --horizon 24h")
@with_choice
def whatif(
    *,
    queue: Annotated[str, typer.Argument(help="Its full name.", show_default=False, autocompletion=offer_queues)],
    capacity: Capacity = None,
    ceiling: Ceiling = None,
    scale: Annotated[float | None, typer.Option(help="If so many times as much were wanted.", show_default="1")] = None,
    nodes: Annotated[str | None, typer.Option(help="If so much of the cluster were lost: 10%.", show_default="none")] = None,
    parent: Parent = None,
    horizon: Annotated[str | None, typer.Option(help="At most so far ahead: 24h.", show_default="all that is forecast")] = None,
    choice: Choice,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Tell how likely, for how long and by how much a queue exceeds what it has, and what if that were otherwise.

    Counted on the paths of its newest forecast: nothing is fitted, nothing is changed. Without any of the first five options the
    outlook is told as it is. Exit 1 where too little is known to tell.
    """
    change = {"capacity": capacity, "ceiling": ceiling, "scale": scale, "nodes": nodes, "parent": parent, "horizon": horizon}
    answer = connect(url).get("queues", queue, "outlook", **choice, **change)
    show(answer, _print, as_json=as_json)
    raise typer.Exit(0 if answer["now"] else 1)


def _print(answer: Document) -> None:
    if not answer["now"]:
        notice(f"nothing can be told of {answer['queue']}: {answer['reason']}", style="yellow")
        return
    sides = {name: answer[name] for name in ("now", "then") if answer[name]}
    whole = answer["now"]["whole"]
    say(f"{answer['queue']} · {answer['metric']} · {shown_time(whole['start_at'])} to {shown_time(whole['end_at'])}")
    if answer["sentence"]:
        say(answer["sentence"].replace(". ", ".\n"))
    for note in answer["notes"]:
        notice(f"note: {note}", style="yellow")
    for line in _exposure(answer):
        say(line)
    sides |= _children(answer, sides)
    columns = [[*_numbers(side, answer["unit"], answer["work_unit"])] for side in sides.values()]
    names = [name for name, _ in columns[0]]
    print_table(("", *sides), zip(names, *([value for _, value in column] for column in columns), strict=True))
    if answer.get("moved"):
        print_move(answer)
    days = [*zip(*(side["days"] for side in sides.values()), strict=True)]
    if days:
        names = [f"{what}, {side}" for what in ("above", "at ceiling") for side in sides]
        print_table(("24 hours from", *names), [(shown_time(day[0]["start_at"]), *_chances(day)) for day in days])


def _exposure(answer: Document) -> Iterator[str]:
    """What of all that is lent preemption may take on each side, where siblings' paths say it; else a note says why not."""
    sides = {name: side for name, side in (answer.get("exposure") or {}).items() if side and side["exposed"]}
    for reason in dict.fromkeys(side["reason"] for side in sides.values() if side["counted_on"] != "siblings"):
        notice(f"note: of what is lent, it is not known how much siblings leave idle: {reason}", style="yellow")
    for name, side in sides.items():
        if side["counted_on"] == "siblings":
            found, unit = side["exposed"], answer["work_unit"]
            lent, idle = shown(answer[name]["whole"]["lent"]), f"{shown(found['amount'])} {unit} in {found['hours']:.1f} h"
            yield f"Of {lent} {unit} lent in all, {name}: {idle} while siblings leave theirs idle, which preemption may take."


def _children(answer: Document, sides: Iterable[str]) -> Document:
    """What the children come to on each side; notes say which of them are missing."""
    children = answer.get("children")
    if not children:
        return {}
    if children["reason"]:
        notice(f"note: its children are not added up: {children['reason']}", style="yellow")
    for each in children["missing"][:MAX_MISSING]:
        notice(f"note: {each['queue']} is not in the sum of the children: {each['reason']}", style="yellow")
    if (rest := len(children["missing"]) - MAX_MISSING) > 0:
        notice(f"note: nor are {rest} more", style="yellow")
    return {f"children {name}": children[name] for name in sides if children[name]}


def _numbers(side: Document, unit: str | None, work_unit: str) -> Iterator[tuple[str, str]]:
    """The names of the rows, and what stands in them."""

    def work(value: float | None) -> str:
        return shown(None) if value is None else f"{shown(value)} {work_unit}"

    whole = side["whole"]
    yield "guaranteed", amount(side["guaranteed"], unit)
    yield "ceiling", amount(side["maximum"], unit)
    for name, level in (("above the guarantee", "borrowing"), ("at the ceiling", "waiting")):
        excess = whole[level] or dict.fromkeys(("likelihood", "hours", "shortfall", "slack", "first_at", "not_before"))
        yield name, shown(excess["likelihood"])
        yield "  hours", shown(excess["hours"])
        yield "  first", shown_time(excess["first_at"])
        yield "  not before", shown_time(excess["not_before"])
        yield "  shortfall", work(excess["shortfall"])
        yield "  slack below it", work(excess["slack"])
    share = whole["lent_share"]
    yield "lent in all", work(whole["lent"])
    yield "  of all demand", shown(None) if share is None else f"{100 * share:.1f} %"
    yield "peak, every second time", amount(whole["peak"]["q0.5"], unit)
    yield "peak, 19 times of 20", amount(whole["peak"]["q0.95"], unit)


def _chances(day: tuple[Document, ...]) -> Iterator[str | None]:
    for level in ("borrowing", "waiting"):
        for side in day:
            yield side[level] and side[level]["likelihood"]
