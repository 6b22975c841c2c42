"""Flower's rule: this machine while no token exists, then the password; by no name of somebody else's, and only to look."""

from __future__ import annotations

import base64
import stat
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

import pytest

from shared.domain.tokens import Scope, make_token
from shared.store import open_store
from worker.flower.access import CREDENTIALS, Access, Asked, TokensExist, credentials, make_credentials, password_file

HERE, ELSEWHERE = "127.0.0.1", "192.0.2.7"
NO_TOKEN = Access(credentials=["operator:right"], names={"flower.example"}, needs_password=lambda: False)
WITH_TOKENS = Access(credentials=["operator:right", "second:also"], names={"flower.example"}, needs_password=lambda: True)


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def asked(
    host: str = "localhost:5555", authorization: str = "", *, method: str = "GET", path: str = "/", peer: str = HERE
) -> Asked:
    return Asked(method=method, path=path, host=host, peer=peer, authorization=authorization)


RIGHT, SECOND = basic("operator:right"), basic("second:also")
WRONG = ("", basic("operator:wrong"), basic("operator"), "Basic ???", "Bearer operator:right", "Basic")
HERE_BY = ("localhost:5555", "127.0.0.1:5555", "[::1]:5555", "127.0.0.1")
NOT_HERE_BY = ("evil.example:5555", "flower.example", "", "localhost.evil.example", "a@localhost", "[::1", "192.0.2.1")
CHANGES = ("/api/task/send-task/queuecast.plan", "/api/worker/shutdown/x", "/tasks/datatable/")


@pytest.mark.parametrize(
    ("access", "request_", "refusal"),
    [
        # without tokens: this machine by its own names, and nobody else
        *((NO_TOKEN, asked(host), None) for host in HERE_BY),
        *((NO_TOKEN, asked(host), HTTPStatus.FORBIDDEN) for host in NOT_HERE_BY),
        (NO_TOKEN, asked(peer=ELSEWHERE), HTTPStatus.FORBIDDEN),
        (NO_TOKEN, asked(method="POST", path="/tasks/datatable"), None),  # how the list of tasks is asked for
        # with tokens: whoever has a password, from anywhere, but by no name of somebody else's
        *(
            (WITH_TOKENS, asked(host, password, peer=ELSEWHERE), None)
            for host in ("localhost", "192.0.2.1:5555", "flower.example:443")
            for password in (RIGHT, SECOND)
        ),
        *(
            (WITH_TOKENS, asked(authorization=wrong, path=path), HTTPStatus.UNAUTHORIZED)
            for path in ("/", "/metrics", "/healthcheck", "/api/tasks", "/static/js/flower.js")
            for wrong in WRONG
        ),
        (WITH_TOKENS, asked("evil.example", RIGHT), HTTPStatus.FORBIDDEN),
        # and nobody changes anything
        *((WITH_TOKENS, asked(authorization=RIGHT, method="POST", path=path), HTTPStatus.METHOD_NOT_ALLOWED) for path in CHANGES),
        (WITH_TOKENS, asked(authorization=RIGHT, method="DELETE"), HTTPStatus.METHOD_NOT_ALLOWED),
    ],
)
def test_who_may_look(access: Access, request_: Asked, refusal: HTTPStatus | None) -> None:
    assert access.refusal(request_) is refusal


def test_the_password_is_wanted_from_the_first_token_on_also_when_the_store_is_gone(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'queuecast.db'}")
    assert not TokensExist(store)()
    token, _ = make_token(name="admin", scope=Scope.ADMIN, created_at=datetime.now(UTC))
    store.tokens.add(token)
    tokens_exist = TokensExist(store)
    assert tokens_exist()
    store.close()
    (tmp_path / "queuecast.db").unlink()
    assert tokens_exist()


def test_a_store_that_has_forgotten_its_tokens_opens_nothing(tmp_path: Path) -> None:
    note = tmp_path / "tokens.made"
    note.touch()
    assert TokensExist(open_store(f"sqlite:///{tmp_path / 'queuecast.db'}"), note)()


def test_a_store_that_does_not_answer_counts_as_one_with_tokens(tmp_path: Path) -> None:
    (tmp_path / "queuecast.db").write_text("this is no database, and was never one; " * 100)
    assert TokensExist(open_store(f"sqlite:///{tmp_path / 'queuecast.db'}", patience_seconds=0.1))()


def test_a_password_is_made_once_and_kept_for_the_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CREDENTIALS, raising=False)
    assert credentials(tmp_path) == []
    [made] = make_credentials(tmp_path)
    assert credentials(tmp_path) == make_credentials(tmp_path) == [made]
    assert made.startswith("operator:")
    assert len(made) > 30
    assert stat.S_IMODE(password_file(tmp_path).stat().st_mode) == 0o600


def test_what_the_environment_says_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CREDENTIALS, "ann:1,bob:2")
    assert make_credentials(tmp_path) == credentials(tmp_path) == ["ann:1", "bob:2"]
    assert not password_file(tmp_path).exists()
