"""Queues side by side: a chart each, one time and one zoom for all of them, or all lines in one chart."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from shared.store import Store
from tests.browser.looking import check_accessible, check_fits
from tests.browser.queues import HOUR, THIS_HOUR, keep

DRAWN = "#multiples[data-drawn]"
RANGES = "document.getElementById('multiples').plots.map(each => [each.scales.x.min, each.scales.x.max])"


@pytest.fixture
def three(store: Store) -> None:
    """Three queues with a forecast from before the day, and one whose forecast has ended."""
    for name, highest in (("llap", 96), ("default", 60), ("etl", 30)):
        keep(store, name, highest, 1.2 * highest, hours=72)
        keep(store, name, highest, 1.2 * highest, hours=72, issued_at=THIS_HOUR.replace(hour=0) - HOUR, job_id="before")
    keep(store, "ended", 60, 80, hours=24, issued_at=THIS_HOUR - 40 * 24 * HOUR)


def opened(page: Page, address: str) -> Page:
    page.goto(address)
    expect(page.locator(DRAWN)).to_be_visible()
    return page


def ranges(page: Page) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = [tuple(each) for each in json.loads(page.evaluate(f"JSON.stringify({RANGES})"))]
    return found


def test_all_charts_have_one_time_and_one_zoom(three: None, page: Page, url: str) -> None:
    page.clock.set_fixed_time(THIS_HOUR)
    opened(page, f"{url}/charts")
    expect(page.locator("main")).to_contain_text("3 queues, those nearest to their limits first")
    expect(page.locator("main")).to_contain_text("1 more has no forecast")
    charts = page.locator("figure")
    assert [text.splitlines()[0].split()[0] for text in charts.locator("figcaption").all_inner_texts()] == [
        "llap",
        "default",
        "etl",
    ]
    page.get_by_label("Time", exact=True).press("End")
    told = charts.locator(".told").all_inner_texts()
    assert all("predicted" in text for text in told), told
    assert len({text.split(": ")[0] for text in told}) == 1
    page.get_by_role("button", name="3 days", exact=True).click()
    page.wait_for_url("**tab=3**")
    midnight = THIS_HOUR.replace(hour=0).timestamp()
    assert ranges(page) == [(pytest.approx(midnight), pytest.approx(midnight + 3 * 86_400))] * 3
    over = page.locator(".u-over").first
    over.hover(position={"x": 40, "y": 50})
    page.mouse.down()
    box = over.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 160, box["y"] + 60, steps=5)
    page.mouse.up()
    page.wait_for_url("**from=**")
    zoomed = ranges(page)
    assert (len(set(zoomed)), zoomed[0][1] - zoomed[0][0] < 3 * 86_400) == (1, True)
    opened(page, page.url)
    assert ranges(page) == [(pytest.approx(zoomed[0][0], abs=1), pytest.approx(zoomed[0][1], abs=1))] * 3


def test_all_lines_come_into_one_chart(three: None, any_page: Page, url: str) -> None:
    opened(any_page, f"{url}/charts")
    check_fits(any_page)
    check_accessible(any_page)
    any_page.get_by_role("link", name="All in one chart").click()
    any_page.wait_for_url("**together=true**")
    expect(any_page.locator("#multiples[data-drawn='1']")).to_be_visible()
    any_page.get_by_label("Time", exact=True).press("End")
    entries = any_page.get_by_role("list", name="Values at the time").get_by_role("listitem")
    expect(entries).to_have_count(4)
    expect(entries.nth(1)).to_have_text(re.compile(r"llap \d+.% predicted"))
    check_fits(any_page)
    check_accessible(any_page)
    any_page.get_by_role("link", name="Each by itself").click()
    expect(any_page.locator("#multiples[data-drawn='3']")).to_be_visible()


def test_without_a_script_lines_and_links_are_there(three: None, new_page: Callable[..., Page], url: str) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(f"{url}/charts?q=a")
    expect(page.locator("figure svg")).to_have_count(2)
    page.get_by_role("link", name="llap").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("llap")
    page.goto(f"{url}/charts?q=none-such")
    page.get_by_role("link", name="Show all").click()
    expect(page.locator("figure")).to_have_count(3)
