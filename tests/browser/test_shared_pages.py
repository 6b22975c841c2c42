"""The pages that all pages lead to, as they are looked at; and pages on paper."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from shared.store import Store
from tests.factories import a_forecast


def test_a_zone_is_chosen_by_a_form_and_leads_back(page: Page, url: str) -> None:
    page.goto(f"{url}/schedules")
    page.get_by_role("link", name="change the time zone").click()
    page.get_by_label("Time zone").select_option("Asia/Kathmandu")
    page.get_by_role("button", name="Use it").click()
    page.wait_for_url(f"{url}/schedules")
    expect(page.get_by_text("Times are in Asia/Kathmandu")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_paper_there_is_nothing_to_click_and_it_is_black_on_white(
    page: Page, store: Store, url: str, theme: str, tmp_path: Path
) -> None:
    store.forecasts.save(a_forecast())
    page.emulate_media(color_scheme=theme)
    page.goto(f"{url}/queues/{a_forecast().queue}")
    page.emulate_media(media="print", color_scheme=theme)
    expect(page.locator("header")).to_be_hidden()
    expect(page.locator("button:visible")).to_have_count(0)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    page.goto(f"{url}/jobs/new")
    page.emulate_media(media="print", color_scheme=theme)
    assert page.locator("details:not([open]) > :not(summary)").first.bounding_box()["height"] > 0  # what is folded is printed too
    folded = page.locator("details:not([open])").count()
    for event, count in (("beforeprint", 0), ("afterprint", folded)):  # of browsers that have no style for it
        page.evaluate(f"dispatchEvent(new Event('{event}'))")
        expect(page.locator("details:not([open])")).to_have_count(count)
    page.goto(f"{url}/queues/{a_forecast().queue}")
    paper = tmp_path / "printed.pdf"
    page.pdf(path=paper, format="A4")
    assert paper.read_bytes().startswith(b"%PDF")
