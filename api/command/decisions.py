"""`queuecast decisions`: what to change, before when, and what it costs not to; and what a person decides about it."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from api.command.client import Client
from api.command.completing import offer_decisions
from api.command.decision_output import print_decision, print_list, print_steps
from api.command.handed_over import write_files
from api.command.policies import Rules, Values
from api.command.said_policy import Options, instead_of
from api.command.service import DEFAULT_URL, Timeout, Url, connect, show, timeout_of
from shared.command.progress import LINE_EVERY_SECONDS
from shared.command.tables import tabular
from shared.command.terminal import AsJson, notice, now_and_then, say
from shared.domain.codec import Document
from shared.errors import UsageError

PAUSE_SECONDS = 0.5
ASKED = "asked"

group = typer.Typer(
    name="decisions", help="List, show, make, approve, reject, export and apply decisions about capacities.", no_args_is_help=True
)

DecisionId = Annotated[
    str, typer.Argument(help="As `queuecast decisions list` shows it.", show_default=False, autocompletion=offer_decisions)
]
Cluster = Annotated[str | None, typer.Option(help="Needed where there are several.", show_default="the only one")]
Partition = Annotated[str | None, typer.Option(help="The node label.", show_default="default, without one")]
Project = Annotated[str | None, typer.Option(help="Of queues without a tree, whose they are.", show_default=False)]
Reason = Annotated[str, typer.Option(help="For the audit trail.", show_default=False)]


@group.command("list", epilog="Example: queuecast decisions list --state open")
@tabular
def list_decisions(
    *,
    state: Annotated[str | None, typer.Option(help="Only in this state; open = anything may still come of it.")] = None,
    cluster: Annotated[str | None, typer.Option(show_default=False)] = None,
    parent: Annotated[str | None, typer.Option(help="Whose children; - = queues without a tree.", show_default=False)] = None,
    project: Project = None,
    queue: Annotated[str | None, typer.Option(help="That change this queue.", show_default=False)] = None,
    owner: Annotated[
        str | None, typer.Option(help="That the token of this id or name may approve by the policy.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.", show_default=False)] = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """List decisions, newest first."""
    filters = {"state": state, "cluster": cluster, "parent": parent, "project": project, "queue": queue, "owner": owner}
    show(connect(url).get("decisions", **filters, limit=limit, cursor=cursor), print_list, as_json=as_json)


@group.command("show", epilog="Example: queuecast decisions show 20260105T060000-1a2b3c4d5e")
def show_decision(decision_id: DecisionId, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show a decision: the plan, its reasons, what became of it, and what can be done with it."""
    show(connect(url).get("decisions", decision_id), print_decision, as_json=as_json)


@group.command("make", epilog="Example: queuecast decisions make --parent root --horizon 24h --wait")
def make_decision(
    *,
    parent: Annotated[str | None, typer.Option(help="Whose children; - = queues without a tree.", show_default="root")] = None,
    cluster: Cluster = None,
    partition: Partition = None,
    project: Project = None,
    horizon: Annotated[str | None, typer.Option(help="So far ahead: 24h.", show_default="24h")] = None,
    values: Values = None,
    rules: Rules = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for it, and show it.")] = False,
    timeout: Timeout = "5min",
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Have a decision made now, from the forecasts that there are. Prints its id; who asks for one does not approve it.

    With --set and --rule it is made with another policy than the one that holds: that needs --parent and the scope approve.
    """
    client, seconds = connect(url), timeout_of(timeout)
    place = {"cluster": cluster, "partition": partition, "project": project}
    instead = _instead(client, parent, place, Options(values or (), rules or ()))
    body: Document = {"parent": parent, **place, "horizon": horizon, "policy": instead}
    made = client.post("decisions", body={name: value for name, value in body.items() if value is not None})
    made = _waited(client, made, seconds) if wait else made
    show(made, print_decision if wait else lambda decision: say(decision["decision_id"]), as_json=as_json)


def _waited(client: Client, made: Document, seconds: int) -> Document:
    """The decision once it is made; raises TimeoutError."""
    until, tell = time.monotonic() + seconds, now_and_then(LINE_EVERY_SECONDS)
    while made["state"] == ASKED:
        if time.monotonic() >= until:
            raise TimeoutError(
                f"{made['decision_id']} is not made within {seconds} s; `queuecast decisions show` tells when it is"
            )
        tell(f"{made['decision_id']} is being made")
        time.sleep(PAUSE_SECONDS)
        made = client.get("decisions", made["decision_id"])
    return made


def _instead(client: Client, parent: str | None, place: dict[str, str | None], options: Options) -> Document | None:
    if not options.values and not options.rules:
        return None
    if parent is None:
        raise UsageError("--set and --rule are of one policy: name its --parent, root for example, or -")
    return instead_of(client.get("policies", parent, **place), options)


@group.command("approve", epilog="Example: queuecast decisions approve 20260105T060000-1a2b3c4d5e")
def approve_decision(decision_id: DecisionId, reason: Reason = "", url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Approve a decision, so that it may be handed over. Needs the scope approve."""
    show(_act(url, decision_id, "approve", reason), print_steps, as_json=as_json)


@group.command("reject", epilog="Example: queuecast decisions reject 20260105T060000-1a2b3c4d5e --reason 'quarter end'")
def reject_decision(
    *,
    decision_id: DecisionId,
    reason: Annotated[str, typer.Option(help="What speaks against it; the audit trail keeps it.", show_default=False)],
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Reject a decision, also one that is approved or exported. Needs the scope approve."""
    show(_act(url, decision_id, "reject", reason), print_steps, as_json=as_json)


@group.command("export", epilog="Example: queuecast decisions export 20260105T060000-1a2b3c4d5e --to change")
def export_decision(
    *,
    decision_id: DecisionId,
    to: Annotated[str | None, typer.Option(help="A folder that is new or empty.", show_default="one of its id")] = None,
    reason: Reason = "",
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Write the files of a decision into a folder; it is exported from then on. Needs the scope approve.

    Of a cluster: the change as XML and JSON, its inverse, the change of a named capacity-scheduler.xml, and README.txt, which
    says how it is put into force and undone; of others README.txt and changes.csv. Nothing is overwritten, and each file is
    checked by its SHA-256. In a freeze nothing is handed over.
    """
    client = connect(url)
    told = write_files(client, decision_id, to or decision_id, reason)
    show(told, lambda written: say("\n".join(written["written"])), as_json=as_json)
    if not as_json:
        by_hand = "set these capacities where you set them; changes.csv and README.txt list them"
        has_tree = any(file["name"] == "sched-conf.xml" for file in told["files"])
        notice("README.txt says how it is put into force, and undone" if has_tree else by_hand)


@group.command("apply", epilog="Example: queuecast decisions apply 20260105T060000-1a2b3c4d5e")
def apply_decision(decision_id: DecisionId, reason: Reason = "", url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Have an approved decision put into force, over a connection that may apply. Needs the scope approve.

    It is sent once; `queuecast decisions show` tells what became of it.
    """
    show(_act(url, decision_id, "apply", reason), print_steps, as_json=as_json)


@group.command("validate", epilog="Example: queuecast decisions validate 20260105T060000-1a2b3c4d5e")
def validate_decision(decision_id: DecisionId, reason: Reason = "", url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Have the cluster try a decision, and take nothing up; exit 1 when it would refuse it. Needs the scope approve.

    Not more often than it has to be: the queue metrics of its scheduler begin anew.
    """
    told = _act(url, decision_id, "validate", reason)
    words = "the cluster would take it up" if told["is_accepted"] else f"the cluster would refuse it: {told['words']}"
    show(told, lambda _: say(words), as_json=as_json)
    raise typer.Exit(0 if told["is_accepted"] else 1)


@group.command("inverse", epilog="Example: queuecast decisions inverse 20260105T060000-1a2b3c4d5e")
def undo_decision(decision_id: DecisionId, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Propose to undo a decision that is in force: a new one, whose id is printed, for somebody else to approve."""
    show(_act(url, decision_id, "inverse", ""), lambda decision: say(decision["decision_id"]), as_json=as_json)


def _act(url: str, decision_id: str, action: str, reason: str) -> Document:
    return connect(url).post("decisions", decision_id, action, body={"reason": reason} if reason else {})
