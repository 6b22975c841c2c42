"""A queue among its relatives on its page: the sum of its children, and both parents of one that moves."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from shared.domain.jobs import QueueState
from shared.store import Store
from tests.api.families import keep, keep_cluster
from tests.browser.looking import check_accessible, check_fits


def test_the_sum_of_children_fits_and_names_those_that_are_missing(store: Store, any_page: Page, url: str) -> None:
    keep_cluster(store)
    keep(store, "root.bi.a_queue_with_a_long_name_that_failed", 1.0, cluster="prod", state=QueueState.FAILED)
    any_page.goto(f"{url}/queues/root.bi")
    section = any_page.get_by_role("region", name="What its children add up to")
    expect(section).to_contain_text("Sum of its children")
    expect(section).to_contain_text("a_queue_with_a_long_name_that_failed")
    check_fits(any_page)
    check_accessible(any_page)


def test_another_parent_is_tried_by_a_form(store: Store, any_page: Page, url: str) -> None:
    keep_cluster(store)
    any_page.goto(f"{url}/queues/root.etl.daily")
    expect(any_page.get_by_role("row", name="Of it while siblings leave theirs idle")).to_contain_text("GB·h in")
    form = any_page.get_by_role("form", name="Below another parent")
    form.get_by_role("combobox").select_option("root.bi")
    form.get_by_label("Guaranteed").fill("30%")
    form.get_by_role("button", name="What if").click()
    table = any_page.get_by_role("table", name="Guarantees, and the chance to be above them")
    expect(table.get_by_role("row", name="root.bi.reports")).to_contain_text("150 MB")
    check_fits(any_page)
    check_accessible(any_page)
