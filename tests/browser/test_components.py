"""What a forecast is made of, as it is told and drawn on a queue's page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from shared.domain.components import Components
from shared.store import Store
from tests.browser.looking import NARROW, WIDE, check_accessible, check_fits
from tests.browser.queues import keep

DAY = tuple(30.0 if hour % 24 == 9 else -2.0 for hour in range(72))
PARTS = Components(level=50.0, day=DAY, occasions=(0.0,) * 9 + (5.0,) + (0.0,) * 62, kinds=("release",))


@pytest.fixture
def made_of(store: Store) -> None:
    keep(store, "llap", 96, 118, hours=72, components=PARTS)
    keep(store, "before", 96, 118, hours=72)


def test_the_components_of_the_peak_are_told_and_drawn(made_of: None, page: Page, url: str) -> None:
    page.goto(f"{url}/queues/llap")
    told = page.get_by_role("region", name="What it is made of")
    expect(told).to_contain_text("the usual level of 50\u202f%, time of the day +30, release +5.0, what else the model sees +11.")
    rows = told.locator("tbody tr")
    assert [row.locator("td").first.inner_text() for row in rows.all()] == ["50\u202f%", "+30", "+5.0", "+11"]
    expect(told.get_by_role("img", name="Time of the day over all steps")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_they_fit_and_are_accessible_in_every_size_and_theme(
    made_of: None, page: Page, url: str, size: dict[str, int], theme: str
) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.goto(f"{url}/queues/llap")
    check_fits(page)
    check_accessible(page)


def test_forecasts_of_earlier_releases_tell_none(made_of: None, page: Page, url: str) -> None:
    page.goto(f"{url}/queues/before")
    expect(page.get_by_role("heading", name="Actual and predicted")).to_be_visible()
    expect(page.get_by_role("heading", name="What it is made of")).to_have_count(0)
