"""What held a queue back, on its page: seen before the sliders that change its capacity, at every width, without JavaScript."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from shared.config.settings import Settings
from shared.fleet.runstate import RunState
from shared.store import Store
from tests.api.a_cluster import PROD, a_day
from tests.api.scene import MakeApp
from tests.api.v1.usage_reports import REPORT, RESTS
from tests.browser.looking import check_accessible, check_fits


@pytest.fixture
def app(run_state: RunState, settings: Settings, make_app: MakeApp) -> Flask:
    return make_app(Settings(**settings.model_dump() | {"connections": {"hadoop": PROD}}))


def test_the_page_says_what_to_look_at_before_a_raise(store: Store, any_page: Page, url: str) -> None:
    store.forecasts.save(a_day(queue="root.etl"))
    store.usages.save([REPORT])
    any_page.goto(f"{url}/queues/root.etl")
    section = any_page.get_by_role("region", name="Before its capacity is changed")
    expect(section).to_contain_text("Waits because its share for application masters is full, 75 % of that time.")
    expect(section.get_by_role("row", name="Its share for application masters is full.")).to_contain_text(
        "maximum-am-resource-percent"
    )
    expect(section).to_contain_text("Could give back 20 GB, 14,400 GB·h a month")
    slider = any_page.get_by_role("region", name="What if").bounding_box()
    place = section.bounding_box()
    assert place is not None
    assert slider is not None
    assert place["y"] < slider["y"]
    check_fits(any_page)
    check_accessible(any_page)


def test_a_queue_that_never_waited_says_so_and_why_nothing_more_is_told(store: Store, any_page: Page, url: str) -> None:
    store.forecasts.save(a_day(queue="root.adhoc"))
    store.usages.save([RESTS])
    any_page.goto(f"{url}/queues/root.adhoc")
    section = any_page.get_by_role("region", name="Before its capacity is changed")
    expect(section).to_contain_text("Nothing of it waited in 160 hours.")
    expect(section).to_contain_text("Whether it could give anything back is not told: its guarantee is not known.")
    check_fits(any_page)
    check_accessible(any_page)
