"""The page of the queue tree: each queue under its parent, opened and closed without a script, asked for by what is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page, expect

from shared.config.settings import Settings
from shared.domain.reports import Point
from shared.fleet.runstate import RunState
from shared.store import Store
from tests.api.a_cluster import BEGINS, HOUR, NOW, PROD, TEST, a_change, a_day, a_tree, share
from tests.api.scene import MakeApp, token_for
from tests.browser.looking import Watched, check_accessible, check_fits
from tests.factories import a_request, a_schedule

DAY = timedelta(days=1)


@pytest.fixture
def app(run_state: RunState, settings: Settings, make_app: MakeApp, request: pytest.FixtureRequest) -> Flask:
    """The service with the clusters that a test names; one by default."""
    connections = getattr(request, "param", {"hadoop": PROD})
    return make_app(Settings(**settings.model_dump() | {"connections": connections}))


@pytest.fixture
def prod(store: Store) -> None:
    """Read just now, with a forecast of root.etl, whose capacity was raised yesterday."""
    etl = replace(a_tree().by_path["root.etl"], shares=(share(9, 40_000, 80_000),))
    store.trees.put("prod", replace(a_tree(), queues=(*a_tree().queues[:-1], etl)), NOW - 9 * DAY, is_changed=True)
    store.trees.put("prod", a_tree(), NOW - DAY, is_changed=True)
    store.trees.put("prod", a_tree(), datetime.now(UTC))
    store.forecasts.save(a_day())
    store.changes.save([a_change()])


def row(page: Page, name: str) -> Locator:
    return page.locator(".tree .row", has=page.get_by_text(name, exact=True)).first


def test_each_queue_tells_what_it_has_wants_and_is_to_expect(prod: None, page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_role("link", name="Tree", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Queues of prod")
    etl = " ".join(row(page, "etl").inner_text().split())
    for words in ("60 % · 3 apps, 1 waits", "68 GB 29 GB used", "59 GB at most 78 GB", "borrows 50 % waits < 5 %", "−9.8 GB"):
        assert words in etl.replace("\u202f", " "), words
    expect(page.get_by_text("1 leaf queue is likely to want more than its guarantee")).to_be_visible()
    page.get_by_role("link", name="etl", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("root.etl")


def test_a_parent_is_closed_without_a_script(prod: None, new_page: Callable[..., Page], url: str) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(f"{url}/tree")
    expect(page.get_by_text("ada", exact=True)).to_be_visible()
    page.locator("summary", has_text="users").last.click()
    expect(page.get_by_text("ada", exact=True)).to_be_hidden()
    page.get_by_label("Queue", exact=True).fill("bob")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("status")).to_contain_text("3 of 5 queues, with their parents")
    expect(page.get_by_text("bob", exact=True)).to_be_visible()
    expect(page.get_by_text("ada", exact=True)).to_have_count(0)
    page.get_by_role("link", name="Show all").click()
    page.get_by_role("link", name=re.compile("work that waits now")).click()
    expect(page.get_by_role("status")).to_contain_text("2 of 5")
    page.get_by_label("Queue", exact=True).fill("nothing")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("No queue is like that.")).to_be_visible()


def test_a_partition_and_an_earlier_configuration_are_chosen(prod: None, page: Page, url: str) -> None:
    page.goto(f"{url}/tree")
    page.get_by_label("Partition").select_option("gpu")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Queues of prod in gpu")
    expect(page.get_by_role("status")).to_contain_text("2 of 2 queues")
    page.goto(f"{url}/tree")
    expect(page.get_by_role("row", name="root.etl")).to_contain_text("capacity 40 → 60")
    page.get_by_role("link", name="the tree then").click()
    expect(page.get_by_text("As it was configured at")).to_be_visible()
    expect(row(page, "etl")).to_contain_text("40\u202f%")
    page.get_by_role("link", name="As it is now").click()
    expect(row(page, "etl")).to_contain_text("60\u202f%")


def test_a_tree_that_is_old_is_told_as_old(store: Store, page: Page, url: str) -> None:
    store.trees.put("prod", a_tree(), NOW - DAY)
    page.goto(f"{url}/tree")
    expect(page.get_by_text("and nothing newer could be")).to_be_visible()
    expect(page.get_by_text("No forecast is of these queues yet")).to_be_visible()


def test_why_no_chances_are_told_stands_there_once(store: Store, page: Page, url: str) -> None:
    store.trees.put("prod", a_tree(), datetime.now(UTC))
    for queue in ("root.etl", "root.users"):
        store.forecasts.save(a_day(queue=queue, paths=None))
    page.goto(f"{url}/tree")
    expect(row(page, "etl")).to_contain_text("no chances, see below")
    expect(page.get_by_text("No chances of 2 queues: its joint paths are not kept")).to_be_visible()


def test_hundreds_of_queues_are_closed_but_for_the_first_ones(store: Store, page: Page, url: str) -> None:
    tree = a_tree()
    users = [replace(tree.by_path["root.users.ada"], path=f"root.users.u{n}") for n in range(500)]
    store.trees.put("prod", replace(tree, queues=(*tree.queues, *users)), datetime.now(UTC))
    page.goto(f"{url}/tree")
    expect(page.get_by_text("ada", exact=True)).to_be_hidden()
    page.get_by_role("link", name="Open all").click()
    expect(page.get_by_text("u499", exact=True)).to_be_visible()
    check_fits(page)


@pytest.mark.parametrize(
    "app", [{}, {"hadoop": PROD}, {"hadoop": PROD, "other": TEST}], ids=("none", "unread", "two"), indirect=True
)
def test_where_there_is_nothing_to_show_it_says_how_to_begin(app: Flask, any_page: Page, url: str) -> None:
    any_page.goto(f"{url}/tree")
    heading = any_page.get_by_role("heading", level=1)
    expect(heading).to_have_text(re.compile("No cluster to see yet|Nothing was read of prod yet|Which cluster"))
    check_fits(any_page)
    check_accessible(any_page)


@pytest.mark.parametrize("app", [{"other": TEST}], indirect=True)
def test_a_cluster_of_other_projects_is_not_to_be_seen(app: Flask, store: Store, new_page: Callable[..., Page], url: str) -> None:
    store.trees.put("test", a_tree(), datetime.now(UTC))
    page = new_page(extra_http_headers=token_for(app, "read", "blue"))
    page.goto(f"{url}/tree")
    expect(page.get_by_role("heading", level=1)).to_have_text("No cluster to see yet")
    expect(page.locator("body")).not_to_contain_text("users")


def test_a_cluster_that_is_not_there_is_told_so(page: Page, url: str, watched: Watched) -> None:
    watched.expected_statuses |= {404}
    page.goto(f"{url}/tree?cluster=test")
    expect(page.locator("main")).to_contain_text("No such cluster is known")


def test_a_change_of_its_configuration_is_drawn_and_told_on_a_queues_page(
    prod: None, store: Store, any_page: Page, url: str
) -> None:
    past = [Point(timestamp=BEGINS - n * HOUR, value=40_000.0 + 100 * n) for n in range(2, 60)]
    store.actuals.save(a_day().series, past)
    request = a_request(job_name=a_day().job, project=a_day().project, as_of=None)
    store.schedules.add(a_schedule(name="every hour", request=request))
    any_page.goto(f"{url}/queues/root.etl?tab=all")
    expect(any_page.locator("#chart")).to_have_attribute("data-is-said", "true")
    expect(any_page.locator("main")).to_contain_text(re.compile("The dot is what the cluster said .*: 70,000.MB"))
    expect(any_page.locator("main")).to_contain_text("the next run of the schedule every hour")
    expect(any_page.locator("#chart")).to_have_attribute("data-changes", "1")
    lines = {line["name"]: line for line in json.loads(any_page.locator("#chart").get_attribute("data-lines") or "")}
    was = [(past["until"], past["value"]) for past in lines["guaranteed"]["past"]]
    assert was == [(a_change().changed_at.timestamp(), 40_000.0)]
    assert lines["guaranteed"]["value"] == 60_000.0
    expect(any_page.get_by_role("list", name="Changes of its configuration")).to_contain_text("capacity 40 → 60")
    check_fits(any_page)
    check_accessible(any_page)


def test_it_fits_and_everybody_can_use_it(prod: None, any_page: Page, url: str) -> None:
    any_page.goto(f"{url}/tree")
    check_fits(any_page)
    check_accessible(any_page)


def test_changes_of_long_names_and_large_amounts_are_read_without_scrolling(store: Store, any_page: Page, url: str) -> None:
    store.trees.put("prod", a_tree(), datetime.now(UTC))
    amounts = "[memory=987654321098,vcores=98765432]"
    store.changes.save(
        [replace(a_change(), queue=f"root.{'x' * 60}", capacity=amounts, maximum=amounts, before=f"{amounts}, RUNNING")]
    )
    any_page.goto(f"{url}/tree")
    changes = any_page.get_by_role("region", name="Changes of the configuration")
    expect(changes).to_contain_text(amounts)
    assert changes.evaluate("each => each.scrollWidth <= each.clientWidth")
    check_fits(any_page)
    check_accessible(any_page)


def test_of_several_projects_one_can_be_chosen_and_all_of_them_again(
    prod: None, new_page: Callable[..., Page], store: Store, url: str
) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(f"{url}/tree")
    expect(page.get_by_label("Project")).to_have_count(0)
    store.forecasts.save(a_day(project="", queue="root.users", job_id="5" * 32))
    page.goto(f"{url}/tree?q=root")
    expect(page.get_by_label("Project").locator("option")).to_have_text(["any", "no project", "capacity forecasting"])
    page.get_by_label("Project").select_option("capacity forecasting")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("link", name="etl", exact=True)).to_have_count(1)
    expect(page.get_by_role("link", name="users", exact=True)).to_have_count(0)
    page.get_by_label("Project").select_option("no project")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("link", name="etl", exact=True)).to_have_count(0)
    expect(page.get_by_role("link", name="users", exact=True)).to_have_count(1)
    page.get_by_role("link", name="Show all").click()
    expect(page.get_by_label("Project").locator("option:checked")).to_have_text("no project")
    page.get_by_label("Project").select_option("any")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("link", name="users", exact=True)).to_have_count(1)
    expect(page.get_by_role("link", name="etl", exact=True)).to_have_count(1)


def test_a_project_chooser_offers_nobody_elses(app: Flask, prod: None, store: Store) -> None:
    for number, project in enumerate(("blue", "red", "green")):
        store.forecasts.save(a_day(project=project, job_id=str(number) * 32))
    answer = app.test_client().get("/tree", headers=token_for(app, "read", "blue", "green"))
    assert re.findall(r'<option value="(blue|red|green)">', answer.text) == ["blue", "green"]
