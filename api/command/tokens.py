"""`queuecast token`: make, list and revoke tokens, in the store itself; no service has to run."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Annotated

import typer

from shared.command.records import opened_store
from shared.command.tables import print_table, tabular
from shared.command.terminal import AsJson, DataDir, notice, print_json, say, shown_time
from shared.config.data_folder import user_name
from shared.domain.codec import Document
from shared.domain.durations import Duration
from shared.domain.tokens import Scope, Token, make_token
from shared.errors import UsageError

MAX_PROJECTS, MAX_NAME_LENGTH = 50, 200
SPARE = ("created", "last used", "projects")  # columns, in a narrow terminal
TIMES = ("created_at", "expires_at", "revoked_at", "last_used_at")

group = typer.Typer(name="token", help="Make, list and revoke the tokens that open the API.", no_args_is_help=True)


@group.command("create", epilog="Example: queuecast token create --name ci --scope write --project etl --expires 90d")
def create_token(
    *,
    name: Annotated[str, typer.Option(help="For people: who or what will use it.", show_default=False)],
    scope: Annotated[Scope, typer.Option(help="Each includes those before it.", show_default=False)],
    project: Annotated[list[str] | None, typer.Option(help="Only jobs of this project; may be repeated.")] = None,
    expires: Annotated[str | None, typer.Option(help="After how long, such as 90d.", show_default="never")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make a token. Its secret is printed to stdout, this once; the store keeps only its SHA-256."""
    now, projects = datetime.now(UTC), project or []
    _check_names([name, *projects])
    if projects and (scope is Scope.ADMIN or len(projects) > MAX_PROJECTS):
        raise UsageError(f"--project: accepted are at most {MAX_PROJECTS} with the scope read, write or approve; admin has all")
    made, secret = make_token(name=name, scope=scope, created_at=now, projects=projects, expires_at=_end(expires, now))
    with opened_store(data_dir, may_make=True) as store:
        store.tokens.add(made)
    _record("create_token", made)
    if as_json:
        print_json(_document(made) | {"secret": secret})
    else:
        notice(f"token {made.token_id} ({scope.value}); keep the secret, nobody can tell it again")
        say(secret)


@group.command("list", epilog="Example: queuecast token list --json")
@tabular
def list_tokens(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List every token that was ever made, without secrets."""
    with opened_store(data_dir) as store:
        documents = [_document(token) for token in store.tokens.all()]
    if as_json:
        print_json(documents)
    else:
        columns = ("token", "name", "scope", "projects", "created", "expires", "revoked", "last used")
        print_table(columns, map(_row, documents), spare=SPARE, text=("name", "projects"), none="no token was ever made")


@group.command("revoke", epilog="Example: queuecast token revoke 3f9ac01b22")
def revoke_token(
    token_id: Annotated[str, typer.Argument(help="As `queuecast token list` shows it.", show_default=False)],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Revoke a token and with it all its sessions; a running service takes at most two seconds to know."""
    with opened_store(data_dir) as store:
        revoked = store.tokens.revoke(token_id, datetime.now(UTC))
        store.sessions.end_all(token_id)
    _record("revoke_token", revoked)
    if as_json:
        print_json(_document(revoked))
    else:
        say(f"token {revoked.token_id} ({revoked.name}) is revoked")


def _check_names(names: list[str]) -> None:
    for name in names:
        if not name.strip() or not name.isprintable() or len(name) > MAX_NAME_LENGTH:
            raise UsageError(
                f"found {name[:60]!r}; accepted are names of 1 to {MAX_NAME_LENGTH} characters without control characters"
            )


def _end(expires: str | None, now: datetime) -> datetime | None:
    try:
        return Duration.parse(expires).after(now) if expires else None
    except ValueError as error:
        raise UsageError(f"--expires: {error}") from error


def _record(what: str, changed: Token) -> None:
    """Who sits at the keyboard is known to the system; the line goes to stderr with all others."""
    about = {"changed": changed.token_id, "changed_name": changed.name, "scope": changed.scope.value}
    from shared.telemetry.logs import audit

    audit(what, who=user_name(os.getuid()), name="command line", source="", outcome="done", **about)


def _document(token: Token) -> Document:
    """The token as JSON, without its digest, which is nobody's business either."""
    about = {"token_id": token.token_id, "name": token.name, "scope": token.scope.value, "projects": list(token.projects)}
    return about | {name: moment.isoformat() if (moment := getattr(token, name)) else None for name in TIMES}


def _row(document: Document) -> tuple[str, ...]:
    about = (document["token_id"], document["name"], document["scope"], ", ".join(document["projects"]) or "all")
    return *about, *(shown_time(document[name]) for name in TIMES)
