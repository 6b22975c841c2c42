"""The whole of it: a job submitted through the form on a real stack, watched to its end, its forecast on the overview."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looking import NARROW, check_accessible, check_fits
from tests.factories import MONDAY
from tests.up import stack_up

MILLISECONDS = 150_000  # forecasting libraries start, on a loaded machine


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Where a stack with two queues answers."""
    with stack_up(tmp_path) as stack:
        yield stack.url


def test_a_job_is_submitted_by_the_form_watched_to_its_end_and_seen_on_the_overview(
    url: str, page: Page, new_page: Callable[..., Page]
) -> None:
    page.goto(url)
    page.get_by_role("link", name="Submit a job").click()
    page.locator("[data-path='data.source.path']").fill("*.csv")
    page.locator("[data-path=future_prediction_time_period]").fill("1d")
    page.get_by_role("button", name="Look at it").click()
    expect(page.locator("#found .lead")).to_contain_text("2 queues: root.adhoc, root.etl", timeout=MILLISECONDS)
    expect(page.get_by_role("columnheader", name="timestamp time")).to_be_visible()
    expect(page.locator("#rows tbody tr")).to_have_count(5)
    expect(page.locator("[data-path=target]")).to_have_value("used_capacity")
    expect(page.locator("[data-path=future_prediction_time_period]")).to_have_value("1d")  # what was typed is still there
    expect(page.locator("[data-path=job_name]")).to_have_value("Forecast of *.csv")
    expect(page.locator("#cost")).to_contain_text("candidates")
    check_accessible(page)
    check_fits(page)
    page.get_by_text("Everything else: ").click()
    for name, value in {"job_name": "Resource Forecasting", "user_name": "Bob"}.items():
        page.locator(f"[data-path={name}]").fill(value)
    page.get_by_label("auto: every model").uncheck()
    for model in ("hour_mean", "seasonal_naive"):
        page.locator(f"[name=model][value={model}]").check()
    page.get_by_text("Columns, bounds, calendar, limits").click()
    page.locator("[data-path=as_of]").fill(MONDAY.isoformat())
    page.get_by_role("button", name="Validate").click()
    expect(page.locator("#message .good")).to_have_text("This job would run.", timeout=MILLISECONDS)
    page.get_by_role("button", name="Submit", exact=True).click()
    page.wait_for_url(re.compile(r"/jobs/\d{8}T"))
    page.evaluate("window.wasNotReloaded = true")
    expect(page.locator("#progress .facts .state")).to_have_text("succeeded", timeout=MILLISECONDS)
    assert page.evaluate("window.wasNotReloaded") is True
    page.get_by_role("link", name="root.etl").click()
    expect(page.locator("#chart[data-drawn]")).to_be_visible()
    page.get_by_role("link", name="Queues", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.get_by_role("link", name="Flower")).to_be_visible()
    expect(page.locator("#status")).to_be_empty()
    upload_and_submit(page, url)
    look_without_script(new_page(java_script_enabled=False, viewport=NARROW, color_scheme="dark"), url)


def upload_and_submit(page: Page, url: str) -> None:
    """A spreadsheet of the past with names of its own, to a forecast."""
    page.goto(f"{url}/jobs/new")
    page.get_by_text("Upload a CSV file").click()
    lines = [f"2025-03-{day:02}T{hour:02}:00;pool a;{hour}" for day in range(1, 22) for hour in range(24)]
    spreadsheet = "\n".join(["Day;Pool;Load %", *lines]).encode()
    page.locator("#file").set_input_files({"name": "../My pools.CSV", "mimeType": "text/csv", "buffer": spreadsheet})
    page.get_by_role("button", name="Upload and look at it").click()
    expect(page.locator("#found .lead")).to_contain_text("1 queue: pool a", timeout=MILLISECONDS)
    expect(page.locator("[data-path='data.source.path']")).to_have_value("My_pools.csv")
    expect(page.locator("[data-path=as_of]")).to_have_value("2025-03-22T00:00:00Z")
    page.get_by_text("Upload a CSV file").click()
    check_accessible(page)
    page.get_by_role("button", name="Submit", exact=True).click()
    page.wait_for_url(re.compile(r"/jobs/\d{8}T"))
    expect(page.locator("#progress .facts .state")).to_have_text("succeeded", timeout=MILLISECONDS)
    page.goto(f"{url}/jobs/new")
    page.get_by_text("Upload a CSV file").click()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove My_pools.csv").click()
    expect(page.get_by_role("button", name="Remove My_pools.csv")).to_have_count(0)


def look_without_script(page: Page, url: str) -> None:
    """What can be seen without a script, and the request that is then shown."""
    page.goto(f"{url}/jobs/new")
    page.locator("[name='data.source.path']").fill("root.etl.csv")
    page.get_by_role("button", name="Look at it").click()
    expect(page.locator("#found .lead")).to_contain_text("1 queue: root.etl", timeout=MILLISECONDS)
    expect(page.locator("#cost")).to_contain_text("at the pace of earlier jobs here")
    page.get_by_role("button", name="Submit", exact=True).click()
    shown = json.loads(page.locator("#document").inner_text())
    assert (shown["job_name"], shown["data"]["source"]) == (
        "Forecast of root.etl.csv",
        {"name": "files", "path": "root.etl.csv"},
    )
