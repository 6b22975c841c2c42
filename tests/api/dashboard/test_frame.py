"""What all pages share: problems as pages, the banner, static files that are kept for ever."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from shared.config.settings import Settings
from shared.fleet.runstate import RunState
from shared.fleet.runstate.values import LivingWorker
from tests.api.scene import MakeApp

PERSON = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_a_store_that_is_away_is_a_page_that_says_so(run_state: RunState, make_app: MakeApp, storeless: Settings) -> None:
    answer = make_app(storeless).test_client().get("/")
    assert (answer.status_code, answer.mimetype, answer.headers["Retry-After"]) == (503, "text/html", "5")
    assert "The store cannot be reached" in answer.text
    assert "queuecast doctor" in answer.text


def test_the_banner_is_empty_when_all_is_well(client: FlaskClient, run_state: RunState) -> None:
    assert "No worker is running" in client.get("/status").text
    run_state.members.announce(LivingWorker(worker_id="w", lanes=("score",), slots=1))
    assert client.get("/status").text.strip() == ""


@pytest.mark.parametrize("path", ["/nowhere", "/static/nothing.css"])
def test_a_person_at_a_wrong_address_gets_a_page_and_a_program_its_problem(client: FlaskClient, path: str) -> None:
    page = client.get(path, headers=PERSON)
    assert (page.status_code, page.mimetype) == (404, "text/html")
    even_a_person = [client.get(below_v1, headers=PERSON) for below_v1 in ("/v1/nowhere", "/v1/jobs/none")]
    for problem in (client.get(path, headers={"Accept": "*/*"}), *even_a_person):
        assert (problem.status_code, problem.mimetype) == (404, "application/problem+json")


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


def test_the_icon_is_where_browsers_look_for_one(client: FlaskClient) -> None:
    answer = client.get("/favicon.ico", buffered=True)
    assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")


def test_a_script_without_a_hash_in_its_address_is_asked_for_again(client: FlaskClient) -> None:
    answer = client.get("/static/page.js", buffered=True)
    assert answer.headers["Cache-Control"] == "no-cache"
    again = client.get("/static/page.js", headers={"If-None-Match": answer.headers["ETag"]}, buffered=True)
    assert again.status_code == 304


def test_names_of_others_are_text_and_never_markup(client: FlaskClient) -> None:
    page = client.get("/", query_string={"q": '"><script>alert(1)</script>'})
    assert "<script>alert" not in page.text
