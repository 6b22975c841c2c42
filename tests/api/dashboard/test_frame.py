"""What all pages share: problems as pages, the banner, static files that are kept for ever."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shared.config.settings import Settings
from shared.fleet.runstate import RunState
from shared.fleet.runstate.values import LivingWorker
from tests.api.scene import in_time

PERSON = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_a_store_that_is_away_is_a_page_that_says_so(run_state: RunState, make_app: Callable[..., Flask], tmp_path: Path) -> None:
    (tmp_path / "folder.db").mkdir()
    away = Settings(data_dir=tmp_path, store_url=f"sqlite://{tmp_path / 'folder.db'}")
    answer = make_app(away).test_client().get("/")
    assert (answer.status_code, answer.mimetype, answer.headers["Retry-After"]) == (503, "text/html", "5")
    assert "The store cannot be reached" in answer.text
    assert "queuecast doctor" in answer.text


def test_a_frozen_broker_keeps_no_page_waiting_and_the_banner_says_that_it_is_away(
    own_broker: tuple[Settings, subprocess.Popen[bytes]], make_app: Callable[..., Flask]
) -> None:
    settings, broker = own_broker
    client = make_app(settings).test_client()
    broker.send_signal(signal.SIGSTOP)
    assert in_time(client, "GET", "/", None).status_code == 200
    assert "The broker is away" in in_time(client, "GET", "/status", None).text


def test_the_banner_is_empty_when_all_is_well(client: FlaskClient, run_state: RunState) -> None:
    assert "No worker is running" in client.get("/status").text
    run_state.members.announce(LivingWorker(worker_id="w", lanes=("score",), slots=1))
    assert client.get("/status").text.strip() == ""


@pytest.mark.parametrize("path", ["/nowhere", "/static/nothing.css"])
def test_a_person_at_a_wrong_address_gets_a_page_and_a_program_its_problem(client: FlaskClient, path: str) -> None:
    page = client.get(path, headers=PERSON)
    assert (page.status_code, page.mimetype) == (404, "text/html")
    problem = client.get(path, headers={"Accept": "*/*"})
    assert (problem.status_code, problem.mimetype) == (404, "application/problem+json")


def test_below_v1_even_a_person_gets_a_problem(client: FlaskClient) -> None:
    assert client.get("/v1/nowhere", headers=PERSON).mimetype == "application/problem+json"
    assert client.get("/v1/jobs/none", headers=PERSON).mimetype == "application/problem+json"


def test_a_page_obeys_the_policy_it_is_sent_with(client: FlaskClient) -> None:
    page = client.get("/")
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert not re.findall(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", page.text)


def test_static_files_are_kept_for_ever_under_an_address_with_their_hash(client: FlaskClient) -> None:
    addresses = re.findall(r"(?:src|href)=\"(/static/[^\"]+)\"", client.get("/").text)
    assert len(addresses) >= 5
    for address in addresses:
        answer = client.get(address, buffered=True)
        assert (answer.status_code, "max-age=31536000" in answer.headers["Cache-Control"]) == (200, True), address
        assert re.search(r"\?v=[0-9a-f]{12}$", address)


def test_a_script_without_a_hash_in_its_address_is_asked_for_again(client: FlaskClient) -> None:
    answer = client.get("/static/page.js", buffered=True)
    assert answer.headers["Cache-Control"] == "no-cache"
    again = client.get("/static/page.js", headers={"If-None-Match": answer.headers["ETag"]}, buffered=True)
    assert again.status_code == 304


def test_names_of_others_are_text_and_never_markup(client: FlaskClient) -> None:
    page = client.get("/", query_string={"q": '"><script>alert(1)</script>'})
    assert "<script>alert" not in page.text
