"""The page of schedules."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from shared.domain.jobs import JobState
from shared.store import Store
from tests.browser.looking import Watched, check_accessible, check_fits
from tests.factories import a_job, a_request, a_schedule

TOMORROW = datetime.now(UTC) + timedelta(hours=30)


@pytest.fixture
def daily(store: Store) -> None:
    """A schedule whose last job has failed."""
    store.jobs.add(a_job(state=JobState.FAILED))
    store.schedules.add(a_schedule(due_at=TOMORROW, last_due_at=TOMORROW - timedelta(days=1), last_job_id="job-1"))


def test_no_schedule_says_how_to_make_one(page: Page, url: str) -> None:
    page.goto(f"{url}/schedules")
    expect(page.get_by_text("queuecast schedules add request.json")).to_be_visible()


def test_the_lines_between_rows_go_through_all_columns(daily: None, store: Store, page: Page, url: str) -> None:
    store.schedules.add(
        a_schedule(schedule_id="s-2", refit_cron="0 7 * * *", actuals_cron="5 * * * *", request=a_request(as_of=None))
    )
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{url}/schedules")
    heights = "row => [...row.cells].map(cell => cell.getBoundingClientRect().height)"
    for row in page.locator("tbody tr").all():
        assert len(set(row.evaluate(heights))) == 1


def test_a_schedule_is_paused_resumed_and_removed(daily: None, store: Store, page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_role("link", name="Schedules").click()
    row = page.locator("tbody tr")
    expect(row).to_contain_text("failed")
    row.get_by_role("button", name="Pause").click()
    expect(row).to_contain_text("paused")
    row.get_by_role("button", name="Resume").click()
    expect(row.get_by_role("button", name="Pause")).to_be_visible()
    page.once("dialog", lambda dialog: dialog.accept())
    row.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("No schedule yet.")).to_be_visible()
    assert store.schedules.all() == []


def test_a_schedule_with_three_cadences_is_made_by_the_form_and_shown(
    store: Store, page: Page, url: str, watched: Watched
) -> None:
    watched.expected_statuses |= {422}
    page.goto(f"{url}/schedules")
    page.get_by_role("link", name="Add a schedule").click()
    for name, value in {"job_name": "Daily", "user_name": "Bob", "future_prediction_time_period": "1d"}.items():
        page.locator(f"[data-path={name}]").fill(value)
    expect(page.get_by_role("button", name="Submit")).to_have_count(0)
    crons = {"cron": "0 6 * * 1", "refit_cron": "every morning", "actuals_cron": "5 * * * *"}
    for name, value in ({"name": "daily", "timezone": "Europe/Berlin"} | crons).items():
        page.locator(f"[data-schedule={name}]").fill(value)
    page.get_by_text("Columns, bounds, calendar, limits").click()
    for name, day in (("release", "2026-01-05"), ("mistake", "2026-01-06")):
        page.get_by_label("name", exact=True).fill(name)
        page.get_by_label("first day").fill(day)
        page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("button", name="Remove the event mistake").click()
    page.get_by_role("button", name="Add the schedule").click()
    expect(page.locator("[id='schedule.refit_cron-error']")).to_contain_text("accepted are five fields")
    page.locator("[data-schedule=refit_cron]").fill("0 6 * * *")
    page.get_by_role("button", name="Add the schedule").click()
    row = page.locator("tbody tr")
    for cadence in ("search 0 6 * * 1", "refit 0 6 * * *", "actuals 5 * * * *"):
        expect(row).to_contain_text(cadence)
    [made] = store.schedules.all()
    assert (made.refit_cron, made.actuals_cron, made.request.job_name) == ("0 6 * * *", "5 * * * *", "Daily")
    assert [event.name for event in made.request.known_events] == ["release"]
    expect(row).to_contain_text("event release")


def test_a_schedule_half_filled_in_is_not_taken_for_a_job(store: Store, page: Page, url: str) -> None:
    page.goto(f"{url}/jobs/new")
    page.locator("[data-path=job_name]").fill("Daily")
    page.get_by_text("Everything else: ").click()
    page.get_by_text("Make it a schedule").click()
    page.locator("[data-schedule=cron]").fill("0 6 * * 1")
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.locator("[id='schedule.cron-error']")).to_contain_text("nothing is started")
    assert store.jobs.open() == []
    page.locator("[data-schedule=cron]").fill("")
    page.get_by_role("button", name="Submit", exact=True).click()
    page.wait_for_url(re.compile(r"/jobs/\d{8}T"))


def test_a_schedule_that_accepts_losses_says_so(store: Store, page: Page, url: str) -> None:
    for schedule_id, accepts in (("strict", False), ("lenient", True)):
        request = replace(a_schedule().request, accept_losses=accepts)
        store.schedules.add(a_schedule(schedule_id=schedule_id, name=schedule_id, request=request, due_at=TOMORROW))
    page.goto(f"{url}/schedules")
    expect(page.get_by_role("row", name="lenient")).to_contain_text("accepts losses")
    expect(page.get_by_role("row", name="strict")).not_to_contain_text("accepts losses")


def test_it_fits_and_everybody_can_use_it(daily: None, any_page: Page, url: str) -> None:
    any_page.goto(f"{url}/schedules")
    check_fits(any_page)
    check_accessible(any_page)
