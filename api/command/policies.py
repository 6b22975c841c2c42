"""`queuecast policies`: what decisions about the children of a queue have to keep to."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from api.command.completing import offer_parents
from api.command.said_policy import Options, changed, fields_of
from api.command.service import DEFAULT_URL, Url, connect, read_file, show
from shared.command.tables import print_table, tabular
from shared.command.terminal import AsJson, say, shown_time
from shared.domain.codec import Document
from shared.domain.wording import json_kind
from shared.errors import UsageError

group = typer.Typer(
    name="policies", help="List, show and set what decisions about capacities have to keep to.", no_args_is_help=True
)

Parent = Annotated[
    str, typer.Argument(help="Whose children; - = queues without a tree.", show_default=False, autocompletion=offer_parents)
]
Cluster = Annotated[str | None, typer.Option(help="Needed where there are several.", show_default="the only one")]
Partition = Annotated[str | None, typer.Option(help="The node label.", show_default="default, without one")]
Project = Annotated[str | None, typer.Option(help="Of queues without a tree, whose they are.", show_default=False)]
Whole = Annotated[str | None, typer.Argument(help="JSON with all of it, or - for standard input.", show_default="as it is")]
Values = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="price_hours, budget_percent, …, max_changes; may be repeated."),
]
Rules = Annotated[
    list[str] | None,
    typer.Option(
        "--rule",
        metavar="QUEUE:NAME=VALUE",
        help="queue_class, kappa, floor, ceiling, is_protected; no value = takes it back; may be repeated.",
    ),
]
Owners = Annotated[
    list[str] | None, typer.Option("--owner", metavar="TOKEN", help="Ids of all who may approve; QUEUE:TOKEN = of one queue.")
]
Freezes = Annotated[
    list[str] | None, typer.Option("--freeze", metavar="START/END", help="Nothing is changed then; may be repeated.")
]


@group.command("list", epilog="Example: queuecast policies list --cluster prod")
@tabular
def list_policies(
    cluster: Annotated[str | None, typer.Option(show_default="all")] = None, url: Url = DEFAULT_URL, as_json: AsJson = False
) -> None:
    """List what somebody has said; of all other parents the defaults hold."""
    show(connect(url).get("policies", cluster=cluster), _print_list, as_json=as_json)


@group.command("show", epilog="Example: queuecast policies show root --json > policy.json")
def show_policy(
    *,
    parent: Parent,
    cluster: Cluster = None,
    partition: Partition = None,
    project: Project = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show what holds for the children of a queue; with --json as `policies set` takes it back from a file."""
    place = {"cluster": cluster, "partition": partition, "project": project}
    show(connect(url).get("policies", parent, **place), _print, as_json=as_json)


@group.command("set", epilog="Example: queuecast policies set root --set max_changes=3 --rule root.etl:floor=20")
def set_policy(
    *,
    parent: Parent,
    file: Whole = None,
    values: Values = None,
    rules: Rules = None,
    owners: Owners = None,
    freezes: Freezes = None,
    cluster: Cluster = None,
    partition: Partition = None,
    project: Project = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Say what holds for the children of a queue: all of it with a file, or what options name. Needs the scope approve.

    What somebody else has changed meanwhile is never written over. Owners are named by administrators.
    """
    client, place = connect(url), {"cluster": cluster, "partition": partition, "project": project}
    known = client.get("policies", parent, **place)
    said = fields_of(known if file is None else _read(file))
    body = changed(said, Options(values or (), rules or (), owners or (), freezes or ()))
    show(client.put("policies", parent, body=body, version=known["version"], **place), _print, as_json=as_json)


def _read(file: str) -> Document:
    try:
        policy = json.loads(read_file(file))
    except ValueError as error:
        raise UsageError(f"{file} holds no policy: {error}") from error
    if not isinstance(policy, dict):
        raise UsageError(f"{file} holds no policy: found {json_kind(policy)}, accepted is a JSON object")
    return policy


def _print_list(answer: Document) -> None:
    columns = ("cluster", "parent", "partition", "project", "version", "changed", "by")
    rows = [
        (*(each[name] for name in columns[:5]), shown_time(each["changed_at"]), each["changed_by"]) for each in answer["policies"]
    ]
    none = "nobody has said anything: defaults hold, see `queuecast policies show root`"
    print_table(columns, rows, spare=("version", "by", "changed"), none=none)


def _print(policy: Document) -> None:
    where = policy["parent"] or f"queues without a tree of project {policy['project'] or 'without a name'}"
    version = f"version {policy['version']}, changed {shown_time(policy['changed_at'])} by {policy['changed_by']}"
    say(f"{policy['cluster'] or 'no cluster'}, {where}: {version if policy['version'] else 'all at its default'}")
    for name in ("price_hours", "budget_percent", "min_step_percent", "max_down_percent", "max_changes", "schedule_id"):
        if policy[name] is not None:
            say(f"{name} {policy[name]}")
    for owner in policy["owners"]:
        say(f"owner {owner} {policy['owner_names'].get(owner, '')}")
    for freeze in policy["freezes"]:
        say(f"nothing is changed {shown_time(freeze['start_at'])} to {shown_time(freeze['end_at'])} {freeze['reason']}")
    if policy["queues"]:
        columns = ("queue", "class", "κ", "floor", "ceiling", "protected", "owners")
        print_table(columns, map(_rule, policy["queues"]), right={"κ", "floor", "ceiling"}, text=("owners",))


def _rule(rule: Document) -> tuple[object, ...]:
    owners = ", ".join(rule["owners"])
    bounds = (rule["weight"], rule["floor"], rule["ceiling"])
    return rule["queue"], rule["queue_class"], *bounds, "yes" if rule["is_protected"] else None, owners
