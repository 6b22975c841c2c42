"""The slider of a queue's page: what would be otherwise is asked of the API, and shown beside what is."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from shared.store import Store
from tests.browser.looking import Watched, check_accessible, check_fits
from tests.browser.queues import HOUR, THIS_HOUR, keep
from tests.factories import with_distribution


@pytest.fixture
def llap(store: Store) -> None:
    """Two days ahead, which may go above what is guaranteed."""
    keep(store, "llap", 96, 118, hours=48, maximum=130.0)
    (forecast,) = store.forecasts.find()
    told = with_distribution(forecast)
    store.forecasts.save(replace(forecast, paths=told.paths, quantiles=told.quantiles, peaks=told.peaks))


def cells(page: Page, name: str) -> list[str]:
    return page.get_by_role("row", name=name).locator("td").all_inner_texts()


def test_a_slider_shows_now_and_then_by_keyboard_and_by_number(llap: None, page: Page, url: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/outlook?" in request.url else None)
    page.goto(f"{url}/queues/llap")
    chance = "Chance to be above the guarantee"
    expect(page.get_by_role("row", name=chance)).to_contain_text("50\u202f%")
    assert cells(page, chance) == ["50\u202f%", "50\u202f%"]
    slider, number = page.get_by_role("slider", name="Guaranteed"), page.get_by_role("spinbutton", name="Guaranteed")
    slider.press("End")
    expect(page.locator("#whatif-sentence")).to_contain_text("Chance to be above its guarantee of 200\u202f%: <\u202f5\u202f%")
    assert (number.input_value(), cells(page, chance)) == ("200", ["50\u202f%", "<\u202f5\u202f%"])
    expect(page.locator("#whatif-notes")).to_contain_text("the ceiling is raised")
    rare = "<\u202f5\u202f%"
    first_day = cells(page, f"24 hours from {THIS_HOUR:%a}")
    assert first_day == [f"50\u202f% above, {rare} at the ceiling", f"{rare} above, {rare} at the ceiling"]
    assert cells(page, "Not above it before")[0].endswith(f"{THIS_HOUR + 9 * HOUR:%H:%M}")
    number.fill("110")
    expect(page.locator("#whatif-sentence")).to_contain_text("its guarantee of 110\u202f%")
    assert slider.input_value() == "110"
    expect(page.locator("#chart")).to_have_attribute("data-whatif", "110")
    page.get_by_role("spinbutton", name="Demand").fill("1.5")
    expect(page.locator("#whatif-sentence")).to_contain_text("its ceiling of 130\u202f%: 75\u202f%")
    before = len(asked)
    number.press_sequentially("0" * 3, delay=1)
    expect(page.locator("#whatif-sentence")).to_contain_text("its guarantee of 110,000\u202f%")
    assert len(asked) == before + 1  # not once for each key
    page.get_by_role("button", name="As now").click()
    expect(page.locator("#whatif-sentence")).to_have_text("Move a slider.")
    expect(page.locator("#chart:not([data-whatif])")).to_be_visible()
    assert "&capacity=" not in asked[-1]


def test_what_is_not_accepted_is_said_beside_the_field(llap: None, page: Page, url: str, watched: Watched) -> None:
    watched.expected_statuses |= {422}
    page.goto(f"{url}/queues/llap")
    number = page.get_by_role("spinbutton", name="Guaranteed")
    number.fill("-3")
    expect(page.locator("#whatif-problem")).to_have_text(re.compile("greater than or equal to 0"))
    expect(number).to_have_attribute("aria-invalid", "true")
    number.fill("1e30")
    expect(page.locator("#whatif-problem")).to_contain_text("accepted is a number in the unit of the forecast")
    number.fill("120")
    expect(page.locator("#whatif-problem")).to_be_empty()


def test_a_capacity_is_tried_where_none_is_known(store: Store, page: Page, url: str) -> None:
    keep(store, "llap", 96, 118, hours=24, guaranteed=None, unit=None)
    (forecast,) = store.forecasts.find()
    store.forecasts.save(replace(forecast, paths=with_distribution(forecast).paths))
    page.goto(f"{url}/queues/llap")
    expect(page.locator("#whatif-sentence")).to_contain_text("What is guaranteed is not known")
    expect(page.locator("#whatif-numbers")).to_contain_text("Peak")
    page.get_by_role("slider", name="Guaranteed").press("Home")
    expect(page.locator("#whatif-numbers")).to_contain_text("Chance to be above the guarantee")


def test_it_fits_and_everybody_can_use_it(llap: None, any_page: Page, url: str) -> None:
    any_page.goto(f"{url}/queues/llap")
    any_page.get_by_role("slider", name="Guaranteed").press("PageUp")
    expect(any_page.locator("#whatif-sentence")).to_contain_text("now 50\u202f%")
    check_fits(any_page)
    check_accessible(any_page)
