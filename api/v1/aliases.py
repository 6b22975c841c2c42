"""What queues were called before: an administrator says it, and a renamed queue keeps its history."""

from __future__ import annotations

from datetime import UTC, datetime
from difflib import get_close_matches

from flask import Response
from pydantic import Field

from api.edge.audit import note
from api.edge.context import Services
from api.edge.document import Answers
from api.edge.identity import caller
from api.edge.policy import Policy
from api.edge.routing import route
from api.schema import fields
from api.schema.answers import Answer
from api.schema.forms import Form
from api.schema.queries import Query
from shared.connections.yarn import may_know
from shared.domain.aliases import Alias, check_alias
from shared.domain.identifiers import listed
from shared.domain.tokens import Scope
from shared.errors import InvalidRequest

SAY = Policy(needs=Scope.ADMIN, is_audited=True)
MAX_ALIKE = 3  # names that a refusal offers
ABOUT_CLUSTER = "as the queue's forecasts say it"


class AliasBody(Form):
    """A queue of a cluster has another name now."""

    cluster: fields.FilledLabel = Field(description=ABOUT_CLUSTER)
    old: fields.QueueName = Field(description="what it was called")
    new: fields.QueueName = Field(description="what it is called now")
    renamed_at: fields.Moment | None = Field(
        None,
        description="rows of the old name from then on are of another queue; null = its rows before the first one of the new "
        "name are the queue's",
    )


class AliasList(Answer):
    """Aliases by cluster and name of now."""

    aliases: list[Alias]


class AliasesQuery(Query):
    """Which aliases to list."""

    cluster: fields.FilledLabel | None = Field(None, description="of this one alone")


class AliasQuery(Query):
    """Which alias of a queue is meant."""

    cluster: fields.FilledLabel = Field(description=ABOUT_CLUSTER)


@route("GET", "/v1/aliases", Policy(needs=Scope.ADMIN), Answers(AliasList))
def list_aliases(services: Services, query: AliasesQuery) -> AliasList:
    """List what queues were called before."""
    return AliasList(aliases=services.store.aliases.of(query.cluster))


@route("POST", "/v1/aliases", SAY, Answers(AliasList))
def add_alias(services: Services, json: AliasBody) -> AliasList:
    """Say that a queue has another name now: what is read and shown under it goes on from the old one.

    Refused where that would be a loop, where the queue has a former name already, or the old name has become another one; where
    nothing is known of a name in the cluster; and where both are in its tree now, as they are two queues.
    """
    note(cluster=json.cluster, old=json.old, new=json.new)
    known = services.store.aliases.of(json.cluster)
    check_alias(json.old, json.new, known)
    _check_known(services, json, known)
    said = json.model_dump(include={"cluster", "old", "new", "renamed_at"})
    alias = Alias(**said, stated_at=datetime.now(UTC), stated_by=caller().name)
    if not services.store.aliases.add(alias):
        check_alias(json.old, json.new, services.store.aliases.of(json.cluster))  # somebody else was quicker
    return AliasList(aliases=services.store.aliases.of(json.cluster))


@route("DELETE", "/v1/aliases/<path:queue>", SAY, Answers(None, 204))
def remove_alias(services: Services, queue: str, query: AliasQuery) -> Response:
    """Take back what a queue was called before; values that were kept under its name of now stay."""
    note(cluster=query.cluster)
    services.store.aliases.remove(query.cluster, queue)
    return Response(status=204)


def _check_known(services: Services, said: AliasBody, known: list[Alias]) -> None:
    """Raises InvalidRequest for a name of which nothing is known, and for two that are there at the same time.

    Of a cluster whose tree is not read, the name of now may be one that was not forecast yet.
    """
    kept = services.store.trees.newest(said.cluster)
    paths = frozenset(kept.tree.by_path) if kept else frozenset()
    if said.old in paths and said.new in paths:
        raise InvalidRequest(f"{said.old} and {said.new} are both in the tree now: they are two queues", field="old")
    unknown = {
        field: name
        for field, name in {"old": said.old, "new": said.new}.items()
        if name not in paths and not _is_known(services, said.cluster, name, known)
    }
    if not kept and len(unknown) == 1:
        return
    for field, name in unknown.items():
        why = "it has no forecast, and neither is nor was in the tree" if kept else "it has no forecast"
        alike = get_close_matches(name, paths, MAX_ALIKE)
        hint = f"the tree has {listed(alike)}" if alike else "accepted are names of its queues, as their forecasts have them"
        raise InvalidRequest(f"nothing is known of {name} in {said.cluster}: {why}; {hint}", field=field)


def _is_known(services: Services, cluster: str, name: str, known: list[Alias]) -> bool:
    """Whether forecasts, earlier configurations or another alias have a queue of this name."""
    is_said = any(name in {alias.old, alias.new} for alias in known)
    was_there = is_said or bool(services.store.changes.of(cluster, name, limit=1))
    return was_there or any(
        may_know(services.settings.all_connections.values(), cluster, forecast.project)
        for forecast in services.store.forecasts.newest_of_each(name, cluster=cluster)
    )
