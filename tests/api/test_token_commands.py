"""`queuecast token`: on the store itself, whether a service runs or not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from shared.cli import build_app
from shared.settings import Settings
from shared.storage import open_store
from shared.tokens import Scope, Token

Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("QUEUECAST_STORE_URL", settings.store_location)

    def command(*words: str) -> Result:
        with capture_logs():  # main() sends them to stderr
            return CliRunner().invoke(build_app(), ["token", *words])

    return command


def tokens(settings: Settings) -> list[Token]:
    store = open_store(settings.store_location)
    found = store.tokens.all()
    store.close()
    return found


def test_the_secret_is_the_only_line_of_the_answer_and_is_not_kept(run: Run, settings: Settings) -> None:
    made = run("create", "--name", "ci", "--scope", "write", "--project", "etl", "--project", "ml", "--expires", "90d")
    assert made.exit_code == 0
    [secret] = made.stdout.splitlines()
    [token] = tokens(settings)
    assert token.is_opened_by(secret)
    assert secret not in made.stderr
    assert (token.name, token.scope, token.projects) == ("ci", Scope.WRITE, ("etl", "ml"))
    assert token.expires_at is not None
    assert timedelta(days=89) < token.expires_at - datetime.now(UTC) <= timedelta(days=90)
    assert secret.encode() not in b"".join(path.read_bytes() for path in settings.files_dir.parent.glob("queuecast.db*"))


def test_a_script_gets_all_of_it_as_json(run: Run, settings: Settings) -> None:
    made = json.loads(run("create", "--name", "ci", "--scope", "read", "--json").stdout)
    [token] = tokens(settings)
    assert token.is_opened_by(made.pop("secret"))
    assert made == {
        "token_id": token.token_id,
        "name": "ci",
        "scope": "read",
        "projects": [],
        "created_at": token.created_at.isoformat(),
        "expires_at": None,
        "revoked_at": None,
        "last_used_at": None,
    }
    assert json.loads(run("list", "--json").stdout) == [made]


def test_the_list_shows_no_secret_and_no_digest(run: Run, settings: Settings) -> None:
    secret = run("create", "--name", "ci", "--scope", "read").stdout.strip()
    for shown in (run("list").stdout, run("list", "--json").stdout):
        assert "ci" in shown
        assert secret not in shown
        assert tokens(settings)[0].digest not in shown


def test_a_token_is_revoked_by_its_id(run: Run, settings: Settings) -> None:
    run("create", "--name", "ci", "--scope", "read")
    [token] = tokens(settings)
    assert run("revoke", token.token_id).exit_code == 0
    assert tokens(settings)[0].revoked_at is not None
    assert json.loads(run("revoke", token.token_id, "--json").stdout)["revoked_at"]


def test_an_unknown_id_is_a_usage_error(run: Run) -> None:
    answer = run("revoke", "nobody")
    assert (answer.exit_code, "No token has this id" in answer.stderr) == (2, True)


@pytest.mark.parametrize(
    "words",
    [
        ("--name", "", "--scope", "read"),
        ("--name", "a\nb", "--scope", "read"),
        ("--name", "\x1b[31m", "--scope", "read"),
        ("--name", "x" * 201, "--scope", "read"),
        ("--name", "ci", "--scope", "root"),
        ("--name", "ci", "--scope", "admin", "--project", "etl"),
        ("--name", "ci", "--scope", "read", "--project", " "),
        ("--name", "ci", "--scope", "read", "--expires", "tomorrow"),
        ("--name", "ci", "--scope", "read", "--expires", "0d"),
    ],
)
def test_what_makes_no_sense_is_refused_and_makes_no_token(run: Run, settings: Settings, words: tuple[str, ...]) -> None:
    answer = run("create", *words)
    assert answer.exit_code == 2
    assert tokens(settings) == []


def test_who_made_and_revoked_it_is_recorded_beside_the_answer(settings: Settings) -> None:
    command = [sys.executable, "-c", "from shared.cli import main; main()", "token"]
    environment = os.environ | {"QUEUECAST_STORE_URL": settings.store_location}

    def run(*words: str) -> tuple[str, dict[str, str]]:
        done = subprocess.run([*command, *words], env=environment, capture_output=True, text=True, check=True)
        return done.stdout.strip(), json.loads(next(line for line in done.stderr.splitlines() if line.startswith("{")))

    secret, made = run("create", "--name", "ci", "--scope", "read")
    _, revoked = run("revoke", made["changed"])
    assert [line["what"] for line in (made, revoked)] == ["create_token", "revoke_token"]
    assert made["who"]
    assert secret.startswith("qc_")
    assert secret not in str(made)
