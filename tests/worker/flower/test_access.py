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


@pytest.mark.parametrize("host", ["localhost:5555", "127.0.0.1:5555", "[::1]:5555", "127.0.0.1"])
def test_without_tokens_this_machine_may_look(host: str) -> None:
    assert NO_TOKEN.refusal(asked(host)) is None


@pytest.mark.parametrize(
    "host", ["evil.example:5555", "flower.example", "", "localhost.evil.example", "a@localhost", "[::1", "192.0.2.1"]
)
def test_without_tokens_no_other_name_leads_here(host: str) -> None:
    assert NO_TOKEN.refusal(asked(host)) is HTTPStatus.FORBIDDEN


def test_without_tokens_no_other_machine_may_look() -> None:
    assert NO_TOKEN.refusal(asked(peer=ELSEWHERE)) is HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("path", ["/", "/metrics", "/healthcheck", "/api/tasks", "/static/js/flower.js"])
@pytest.mark.parametrize(
    "authorization", ["", basic("operator:wrong"), basic("operator"), "Basic ???", "Bearer operator:right", "Basic"]
)
def test_with_tokens_every_page_wants_the_password(path: str, authorization: str) -> None:
    assert WITH_TOKENS.refusal(asked(authorization=authorization, path=path)) is HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("host", ["localhost", "192.0.2.1:5555", "flower.example:443"])
@pytest.mark.parametrize("who", ["operator:right", "second:also"])
def test_with_the_password_one_may_look_from_anywhere(host: str, who: str) -> None:
    assert WITH_TOKENS.refusal(asked(host, basic(who), peer=ELSEWHERE)) is None


def test_with_the_password_too_no_other_name_leads_here() -> None:
    assert WITH_TOKENS.refusal(asked("evil.example", basic("operator:right"))) is HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/task/send-task/queuecast.plan"),
        ("POST", "/api/worker/shutdown/x"),
        ("DELETE", "/"),
        ("POST", "/tasks/datatable/"),
    ],
)
def test_whoever_may_look_may_change_nothing(method: str, path: str) -> None:
    refusal = WITH_TOKENS.refusal(asked(authorization=basic("operator:right"), method=method, path=path))
    assert refusal is HTTPStatus.METHOD_NOT_ALLOWED


def test_the_list_of_tasks_is_asked_for_by_post() -> None:
    assert NO_TOKEN.refusal(asked(method="POST", path="/tasks/datatable")) is None


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
