"""The overview answers "which queue, when, how sure" without a click."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from shared.store import Store
from tests.browser.looking import check_accessible, check_fits
from tests.browser.queues import HOUR, THIS_HOUR, keep


@pytest.fixture
def four_queues(store: Store) -> None:
    keep(store, "root.calm", 40, 55)
    keep(store, "root.etl", 108, 130, model="prophet", mape=12.34, skill=0.31)
    keep(store, "root.adhoc", 85, 112)
    keep(store, "root.busy", 82, 95)


def check_names(page: Page, *names: str) -> None:
    """The rows are these queues, in this order; waits, as a click may still be on its way to another page."""
    lines = [re.compile(rf"^\s*{re.escape(name)}(\s|$)") for name in names]
    expect(page.locator("tbody th[scope=row]")).to_have_text(lines, use_inner_text=True)


def test_queues_in_trouble_come_first_and_it_is_said_when_and_how_sure(four_queues: None, page: Page, url: str) -> None:
    page.goto(url)
    check_names(page, "root.etl", "root.adhoc", "root.busy", "root.calm")
    etl = page.locator("tbody tr").first
    peak_at = THIS_HOUR + 9 * HOUR
    expect(etl).to_contain_text("likely at limit")
    expect(etl).to_contain_text(f"{peak_at:%a %-d %b, %H:%M}")
    expect(etl).to_contain_text(re.compile(r"6\d.%.*108.%.*86 – 130.%.*\d.points.*prophet", re.DOTALL))
    expect(etl.locator(".off")).to_have_attribute("title", "when tried on its past")
    expect(etl.get_by_role("img", name=re.compile(r"6\d.% used; guaranteed 100.%; next peak 108.%"))).to_be_visible()
    expect(page.locator("tbody tr").nth(1)).to_contain_text("possible at limit")
    expect(page.locator("tbody tr").nth(2)).to_contain_text(re.compile(r"likely above 80.%"))
    assert page.locator("tbody tr").nth(2).bounding_box()["height"] <= 24  # a line each: about forty on a screen
    expect(page.locator("tbody tr").nth(2).locator(".mark")).to_have_attribute("title", re.compile(r"80.%: likely 1 h"))
    expect(page.locator(".card.full")).to_contain_text(
        re.compile(r"2\s+queues may reach their limit, likely 1\s+first root\.\w+")
    )


def test_a_queue_is_found_by_its_name_and_the_address_remembers_it(four_queues: None, page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_label("Queue", exact=True).fill("BUSY")
    expect(page.locator(".count")).to_contain_text("1 of 4 queues")
    page.wait_for_url("**q=BUSY**")
    page.reload()
    check_names(page, "root.busy")
    page.get_by_role("link", name="name has BUSY").click()  # the chip takes it away again
    expect(page.locator(".count")).to_contain_text("4 of 4 queues")
    page.get_by_role("link", name="may reach their limit").first.click()
    check_names(page, "root.etl", "root.adhoc")
    page.get_by_role("navigation", name="Filters").get_by_role("link", name="may reach their limit").click()
    expect(page.locator("tbody th[scope=row]")).to_have_count(4)
    page.goto(f"{url}/?q=BUSY&level=100")
    expect(page.get_by_text("No queue is like that")).to_be_visible()


def test_without_a_script_it_is_found_and_filtered_too(four_queues: None, new_page: Callable[..., Page], url: str) -> None:
    plain = new_page(java_script_enabled=False)
    plain.goto(f"{url}/?sort=queue")
    plain.get_by_label("Queue", exact=True).fill("a")
    plain.get_by_role("button", name="Find").click()
    plain.wait_for_url("**sort=queue**")
    check_names(plain, "root.adhoc", "root.calm")
    plain.get_by_role("link", name="may reach their limit 1").click()
    check_names(plain, "root.adhoc")


def test_a_tree_has_each_queue_below_its_parents_and_the_list_goes_to_a_file(four_queues: None, page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_role("link", name="tree", exact=True).click()
    check_names(page, "root", "etl", "adhoc", "busy", "calm")
    expect(page.locator(".parent")).to_contain_text(re.compile(r"root\s+4 below\s+likely at limit"))
    with page.expect_download() as file:
        page.get_by_role("link", name="Export as CSV").click()
    assert file.value.suggested_filename == "queues.csv"


def test_a_heading_sorts_and_sorts_the_other_way(four_queues: None, page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_role("link", name="Queue", exact=True).click()
    page.wait_for_url("**sort=queue**")
    check_names(page, "root.adhoc", "root.busy", "root.calm", "root.etl")
    page.get_by_role("link", name="Queue", exact=True).click()
    page.wait_for_url("**reverse=true**")
    check_names(page, "root.etl", "root.calm", "root.busy", "root.adhoc")


def test_a_forecast_that_is_over_or_old_says_so(store: Store, page: Page, url: str) -> None:
    keep(store, "root.over", 90, 120, issued_at=THIS_HOUR - 30 * HOUR)
    page.goto(url)
    ended = re.compile("ended [67] h ago, a new job forecasts it")  # the hour may have struck meanwhile
    expect(page.locator("tbody tr")).to_contain_text(ended)
    expect(page.locator(".stale")).to_be_visible()
    expect(page.locator(".card.high")).to_contain_text("queue has no forecast of what is ahead")
    assert page.locator("a.card.high").get_attribute("href") == "/?state=over"
    expect(page.locator(".card.calm")).to_have_count(0)  # nothing is known, so nothing is well
    keep(store, "root.calm", 40, 55)
    page.reload()
    expect(page.locator(".card.calm")).to_contain_text("0 queues may pass 80")
    expect(page.locator(".card.high")).to_have_count(0)


def test_an_empty_store_says_what_to_do_next(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.get_by_role("heading", name="No forecast yet")).to_be_visible()
    check_accessible(page)


def test_a_missing_worker_is_told_on_every_page(four_queues: None, page: Page, url: str) -> None:
    page.goto(url)
    expect(page.locator("#status")).to_contain_text("No worker is running")
    expect(page.locator("#glance")).to_contain_text(
        re.compile(r"none runs.*none yet, make one.*none: queuecast work starts one", re.DOTALL)
    )


def test_it_fits_and_everybody_can_use_it(four_queues: None, any_page: Page, url: str) -> None:
    any_page.goto(url)
    check_fits(any_page)
    check_accessible(any_page)


def test_the_theme_is_switched_and_kept(four_queues: None, page: Page, url: str) -> None:
    page.goto(url)
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Switch between dark and light").click()
    after = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert before != after
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == after


def test_a_wrong_address_and_a_wrong_value_are_pages_too(page: Page, url: str, watched: object) -> None:
    watched.expected_statuses |= {404, 422}  # type: ignore[attr-defined]
    page.goto(f"{url}/nowhere")
    expect(page.get_by_role("heading", name="Not Found")).to_be_visible()
    page.goto(f"{url}/?sort=beauty")
    expect(page.locator(".lead")).to_contain_text("sort")


def test_a_card_leads_to_as_many_queues_as_it_counts(four_queues: None, page: Page, url: str) -> None:
    page.goto(url)
    card = page.get_by_role("link", name="queues may pass 80")
    expect(card).to_contain_text(re.compile(r"3\s+queues may pass 80.%", re.DOTALL))
    card.click()
    expect(page.locator(".count")).to_contain_text("3 of 4 queues")


def test_a_queue_that_two_jobs_forecast_stands_once_with_the_newest(
    four_queues: None, store: Store, page: Page, url: str
) -> None:
    keep(store, "root.calm", 45, 60, job="a trial", job_id="trial", issued_at=THIS_HOUR - HOUR)
    page.goto(url)
    check_names(page, "root.etl", "root.adhoc", "root.busy", "root.calm")
    expect(page.get_by_role("link", name="root.calm")).to_have_attribute("href", re.compile("job=Resource"))
    page.goto(f"{url}/?job=a+trial")
    check_names(page, "root.calm")
