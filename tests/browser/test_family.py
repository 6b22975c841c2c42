"""A queue among its relatives on its page: the sum of its children, and both parents of one that moves."""

from __future__ import annotations

import random

from playwright.sync_api import Page, expect

from shared.domain.jobs import QueueState
from shared.store import Store
from tests.api.families import BLOCKS, HOURS, keep, keep_cluster, packed
from tests.browser.looking import check_accessible, check_fits

LONG, LARGE = "x" * 60, 9_876_543_210.5
WIDE = (f"root.{LONG}", f"root.{LONG}.{LONG}", f"root.{LONG}.adhoc", "root.bi", f"root.bi.{LONG}2", "root.bi.reports")


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


def test_a_move_among_long_names_and_large_amounts_is_read_without_scrolling(store: Store, any_page: Page, url: str) -> None:
    wild = random.Random(5)
    for number, queue in enumerate(WIDE):
        guaranteed = LARGE / (1 + number)
        rows = [[wild.uniform(0.2, 1.6) * guaranteed for _ in range(HOURS)] for _ in BLOCKS]
        keep(store, queue, 0.0, cluster="prod", guaranteed=guaranteed, paths=packed(rows))
    for queue, parent in ((WIDE[1], WIDE[3]), (WIDE[5], WIDE[0])):
        any_page.goto(f"{url}/queues/{queue}?parent={parent}&capacity=1000000")
        table = any_page.get_by_role("region", name="Before and after the move")
        expect(table.get_by_role("row", name=queue)).to_contain_text("1,000,000\u202fMB")
        assert table.evaluate("each => each.scrollWidth <= each.clientWidth")
        check_fits(any_page)
        check_accessible(any_page)
