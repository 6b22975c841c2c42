"""`queuecast usage`: what the queues of a YARN cluster waited for, and what they could give back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated

import typer

from api.command.completing import offer_tree
from api.command.service import DEFAULT_URL, Url, connect, show
from shared.command.tables import print_table, tabular
from shared.command.terminal import AsJson, notice, say, shown_time
from shared.domain.codec import Document
from shared.domain.evidence import gigabytes
from shared.domain.wording import counted

LEAST_HOURS = 0.05  # less is no hour with a digit


class By(StrEnum):
    """In which order queues are listed."""

    NAME = "name"
    WAITING = "waiting"
    RECLAIMABLE = "reclaimable"


ORDERS: Mapping[By, Callable[[Document], float]] = {
    By.NAME: lambda _: 0.0,
    By.WAITING: lambda queue: -float(queue["waits"]["hours"]),
    By.RECLAIMABLE: lambda queue: -float((queue["under_use"] or {"reclaimable_memory_mb": 0.0})["reclaimable_memory_mb"]),
}

group = typer.Typer()


@group.command(epilog="Examples: queuecast usage --by waiting · queuecast usage root.etl --cluster prod")
@tabular
def usage(
    *,
    queue: Annotated[
        str | None,
        typer.Argument(help="Its full name: all that is known of this one.", show_default="all", autocompletion=offer_tree),
    ] = None,
    cluster: Annotated[str | None, typer.Option(help="Needed where there are several.", show_default="the only one")] = None,
    partition: Annotated[str | None, typer.Option(help="The node label.", show_default="default, without one")] = None,
    by: Annotated[By, typer.Option(help="Which come first.")] = By.NAME,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Tell what queues of a YARN cluster waited for in 7 days, and what of their guarantee they did not need in 28.

    What holds a queue back is told with the numbers and the property of YARN that say so: often it is not its capacity. The
    collector makes these reports once a day, or now: queuecast collect --report.
    """
    choice, service = {"cluster": cluster, "partition": partition}, connect(url)
    if queue is not None:
        show(service.get("queues", queue, "limits", **choice), _print_queue, as_json=as_json)
        return
    answer = service.get("usage", **choice)
    show(answer | {"queues": sorted(answer["queues"], key=ORDERS[by])}, _print, as_json=as_json)


def _print(answer: Document) -> None:
    label = "" if answer["partition"] == "default" else f", partition {answer['partition']}"
    made = f"reported {shown_time(answer['made_at'])}" if answer["made_at"] else "without a report"
    say(f"{answer['cluster']}{label}: {counted(len(answer['queues']), 'queue')}, {made}")
    for note in answer["notes"]:
        notice(f"note: {note}", style="yellow")
    for queue in answer["queues"]:
        if queue.get("gone"):
            notice(f"note: {queue['queue']}: {queue['gone']}", style="yellow")
    if not answer["queues"]:
        return
    columns = ("queue", "waited", "because", "property", "could give", "GB·h a month", "peak")
    right = {"waited", "could give", "GB·h a month", "peak"}
    print_table(columns, map(_row, answer["queues"]), right=right, text=("because",), spare=("property", "peak", "GB·h a month"))
    sums = f"{gigabytes(answer['reclaimable_memory_mb'])} and {answer['reclaimable_vcores']:,.0f} vcores"
    say(f"{counted(answer['leaves'], 'leaf', 'leaves')}: waited {answer['waiting_hours']:,.1f} h, could give back {sums}")


def _row(queue: Document) -> tuple[str | None, ...]:
    waits, under_use = queue["waits"], queue["under_use"]
    first = waits["causes"][0] if waits["causes"] else None
    waited = f"{waits['hours']:,.1f} h" if waits["known_hours"] else None
    why = (None, None) if first is None else (first["title"], ", ".join(first["properties"]) or None)
    if under_use is None:
        return queue["queue"], waited, *why, None, None, None
    peak = f"{gigabytes(under_use['peak_memory_mb'])}, {shown_time(under_use['peak_memory_at'])}"
    return queue["queue"], waited, *why, *_reclaimable(under_use), peak


def _reclaimable(under_use: Document) -> tuple[str, str]:
    memory, vcores = under_use["reclaimable_memory_mb"], under_use["reclaimable_vcores"]
    parts = ([gigabytes(memory)] if memory else []) + ([f"{vcores:,.0f} vcores"] if vcores else [])
    return ", ".join(parts) or "nothing", f"{under_use['gb_hours_a_month']:,.0f}"


def _print_queue(queue: Document) -> None:
    waits, under_use = queue["waits"], queue["under_use"]
    say(f"{queue['queue']} of {queue['cluster']}, reported {shown_time(queue['made_at'])}")
    if queue.get("gone"):
        notice(f"note: {queue['queue']}: {queue['gone']}", style="yellow")
    say(waits["sentence"])
    for cause in waits["causes"]:
        if cause["hours"] >= LEAST_HOURS:
            say(" ".join(filter(None, (f"  {cause['hours']:,.1f} h: {cause['title']}.", cause["evidence"], cause["advice"]))))
            if cause["properties"]:
                say(f"    see {', '.join(cause['properties'])}")
    if waits["delay_seconds"] is not None:
        say(f"Applications had their first container after {waits['delay_seconds']:,.1f} s on average.")
    if waits["preempted_containers"]:
        say(f"{counted(waits['preempted_containers'], 'container')} were taken back from it.")
    if under_use is None:
        notice(f"no under-use is told: {queue['reason']}", style="yellow")
        return
    say(under_use["sentence"])
    say(f"Its highest demand was {gigabytes(under_use['peak_memory_mb'])}, {shown_time(under_use['peak_memory_at'])}.")
