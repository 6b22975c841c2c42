"""The system's Chromium, and the service for it to look at.

A page of these tests fails its test when anything went wrong in it: an error on the console, which a violation of the content
security policy is too, an exception in a script, an answer that is an error nobody expected. What it looked like at the end is
kept in test-results/browser/, not committed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from api.edge.context import EXTENSION, Services
from shared.config.settings import Settings
from shared.fleet.runstate import RunState
from shared.store import Store
from tests.api.scene import MakeApp, make_app
from tests.api.serving import serving
from tests.browser.looking import CHROMIUM, NARROW, OPTIONS, PICTURES, WIDE, Watched
from tests.servers import missing

__all__ = ["make_app"]  # a fixture
PATIENCE_MILLISECONDS = 20_000  # a loaded machine


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    executable = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if executable is None:
        missing("chromium")
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=executable, args=OPTIONS)
        yield launched
        launched.close()


@pytest.fixture
def watched() -> Iterator[Watched]:
    """What went wrong; a test may say which statuses it provokes (`watched.expected_statuses`)."""
    watcher = Watched()
    yield watcher
    assert not watcher.errors


@pytest.fixture
def new_page(browser: Browser, watched: Watched, url: str, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """Opens a page of 1280 px; arguments are those of a browser context, such as `viewport=NARROW, color_scheme="dark"`.

    The service (`url`) outlives its pages, which ask it for news.
    """
    contexts: list[BrowserContext] = []

    def opened(**changes: object) -> Page:
        context = browser.new_context(**({"viewport": WIDE, "accept_downloads": True, "timezone_id": "Asia/Kathmandu"} | changes))
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        contexts.append(context)
        page = context.new_page()
        watched.watch(page)
        return page

    yield opened
    PICTURES.mkdir(parents=True, exist_ok=True)
    for number, context in enumerate(contexts):
        for page in context.pages:
            name = f"{request.node.path.stem}-{request.node.name.replace(os.sep, '-')}-{number}.png"
            page.screenshot(path=PICTURES / name, full_page=True)
        context.close()


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """One page of 1280 px in a light browser, which is in another time zone than the service."""
    return new_page()


@pytest.fixture(
    params=[
        pytest.param((WIDE, "dark"), id="wide dark"),
        pytest.param((NARROW, "light"), id="narrow light"),
        pytest.param((WIDE, "light"), id="wide light", marks=pytest.mark.nightly),
        pytest.param((NARROW, "dark"), id="narrow dark", marks=pytest.mark.nightly),
    ]
)
def any_page(request: pytest.FixtureRequest, new_page: Callable[..., Page]) -> Page:
    """A page of either width, light or dark; at night in all four ways."""
    viewport, color_scheme = request.param
    return new_page(viewport=viewport, color_scheme=color_scheme)


@pytest.fixture
def app(run_state: RunState, settings: Settings, make_app: MakeApp) -> Flask:
    """The service in this process, on the running broker, with a store of the test's own."""
    return make_app(settings)


@pytest.fixture
def store(app: Flask) -> Store:
    """The store behind the service."""
    services: Services = app.extensions[EXTENSION]
    return services.store


@pytest.fixture
def url(app: Flask) -> Iterator[str]:
    """Where the service answers."""
    with serving(app) as address:
        yield address
