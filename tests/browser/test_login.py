"""Logging in with a token, once one exists."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from shared.domain.tokens import Scope, make_token
from shared.store import Store
from tests.browser.looking import Watched, check_accessible, check_fits


@pytest.fixture
def secret(store: Store) -> str:
    """Of the one token that may ask the service."""
    token, secret = make_token(name="Ann", scope=Scope.WRITE, created_at=datetime.now(UTC))
    store.tokens.add(token)
    return secret


def log_in(page: Page, secret: str) -> None:
    page.get_by_label("Token").fill(secret)
    page.get_by_role("button", name="Log in").click()


def test_a_page_asks_for_a_token_and_leads_back_to_itself(secret: str, page: Page, url: str) -> None:
    page.goto(f"{url}/?sort=queue")
    page.wait_for_url("**/login?next=**")
    log_in(page, secret)
    page.wait_for_url(f"{url}/?sort=queue")
    expect(page.get_by_role("heading", name="No forecast yet")).to_be_visible()
    page.get_by_role("button", name="Log out Ann").click()
    page.wait_for_url("**/login")
    page.goto(url)
    page.wait_for_url("**/login?next=**")


def test_a_wrong_token_is_told(secret: str, page: Page, url: str, watched: Watched) -> None:
    watched.expected_statuses |= {401}
    page.goto(url)
    log_in(page, "qc_wrong")
    expect(page.get_by_role("alert")).to_have_text("This token is unknown, expired or revoked.")


def test_it_fits_and_everybody_can_use_it(secret: str, any_page: Page, url: str) -> None:
    any_page.goto(url)
    check_fits(any_page)
    check_accessible(any_page)
