"""`queuecast token`: on the store itself, whether a service runs or not."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from shared.command.root import build_app
from shared.config.settings import Settings
from shared.domain.tokens import Scope, Token, make_session
from shared.store import open_store
from tests.api.scene import QUEUECAST

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


def test_the_secret_is_the_only_line_of_the_answer_and_is_not_kept(run: Run, settings: Settings, in_memory: Path) -> None:
    made = run("create", "--name", "ci", "--scope", "write", "--project", "etl", "--project", "ml", "--expires", "90d")
    assert made.exit_code == 0
    [secret] = made.stdout.splitlines()
    [token] = tokens(settings)
    assert token.is_opened_by(secret)
    assert secret not in made.stderr
    assert (token.name, token.scope, token.projects) == ("ci", Scope.WRITE, ("etl", "ml"))
    assert token.expires_at is not None
    assert timedelta(days=89) < token.expires_at - datetime.now(UTC) <= timedelta(days=90)
    kept = b"".join(path.read_bytes() for path in in_memory.glob("queuecast.db*"))
    assert (token.token_id.encode() in kept, secret.encode() in kept) == (True, False)


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


def test_a_token_is_revoked_by_its_id_and_its_sessions_end(run: Run, settings: Settings) -> None:
    run("create", "--name", "ci", "--scope", "read")
    [token] = tokens(settings)
    session, _ = make_session(token.token_id, datetime.now(UTC))
    with closing(open_store(settings.store_location)) as store:
        store.sessions.add(session, 9)
        with capture_logs() as lines:
            assert CliRunner().invoke(build_app(), ["token", "revoke", token.token_id]).exit_code == 0
        assert [(line["what"], line["changed"]) for line in lines] == [("revoke_token", token.token_id)]
        assert store.sessions.find(session.digest) is None
    assert tokens(settings)[0].revoked_at is not None
    assert json.loads(run("revoke", token.token_id, "--json").stdout)["revoked_at"]
    unknown = run("revoke", "nobody")
    assert (unknown.exit_code, "No token has this id" in unknown.stderr) == (2, True)


@pytest.mark.parametrize("words", ["list", "revoke 3f9ac01b22"])
def test_a_mistyped_folder_is_found_and_no_store_is_made_in_it(tmp_path: Path, words: str) -> None:
    result = CliRunner().invoke(build_app(), ["token", *words.split(), "--data-dir", str(tmp_path / "typo")])
    assert (result.exit_code, "nothing was ever kept there" in result.stderr) == (3, True)
    assert not (tmp_path / "typo").exists()


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


def create(settings: Settings, stderr: int, *options: str) -> subprocess.CompletedProcess[str]:
    """`queuecast token create` as a process; its lines on both streams in the order in which they were written."""
    command = [*QUEUECAST, "token", "create", "--name", "ci", "--scope", "read", *options]
    environment = os.environ | {"QUEUECAST_STORE_URL": settings.store_location, "LOGNAME": "somebody else"}
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=stderr, text=True, check=False, env=environment)


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_an_audit_line_stands_before_the_secret_and_names_the_real_user(settings: Settings, options: tuple[str, ...]) -> None:
    lines = create(settings, subprocess.STDOUT, *options).stdout.splitlines()
    [audited] = [number for number, line in enumerate(lines) if '"event": "audit"' in line]
    [shown] = [number for number, line in enumerate(lines) if "qc_" in line]
    assert audited < shown
    line = json.loads(lines[audited])
    assert (line["what"], line["who"]) == ("create_token", pwd.getpwuid(os.getuid()).pw_name)


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_no_secret_is_shown_when_the_audit_line_cannot_be_written(settings: Settings, options: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        made = create(settings, full.fileno(), *options)
    assert made.returncode != 0
    assert "qc_" not in made.stdout
