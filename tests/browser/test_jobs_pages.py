"""The pages of jobs: the list, the form, one job on its way to its end."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from shared.domain.forecasts import Candidate
from shared.domain.jobs import Job, JobState, Progress, QueueState, Tally
from shared.domain.reports import QueueReport
from shared.fleet.runstate import RunState
from shared.store import Store
from tests.api.scene import CARDS
from tests.browser.looking import NARROW, Watched, check_accessible, check_fits
from tests.browser.queues import THIS_HOUR, keep
from tests.factories import a_job, a_request, let_in

NOW = datetime.now(UTC)
VAR = Candidate(model="var", hyperparameters={"lags": 24})


def an_old_job(**changes: object) -> Job:
    times = {"created_at": NOW - timedelta(minutes=9), "started_at": NOW - timedelta(minutes=8), "ended_at": NOW}
    return a_job(**(times | changes))


@pytest.fixture
def partial(store: Store) -> None:
    """A job of which one queue has a forecast and one has not."""
    progress = Progress(queues=Tally(total=2, done=2, failed=1), candidates=Tally(total=20, done=20, failed=3))
    job = an_old_job(
        state=JobState.PARTIAL, reason="1 of 2 queues has no forecast", progress=progress, warnings=("thin history",)
    )
    store.jobs.add(job)
    keep(store, "root.etl", 90, 110, model="var", mape=8.25)
    store.reports.save(QueueReport(job_id="job-1", queue="root.etl", state=QueueState.SUCCEEDED, winner=VAR))
    store.reports.save(
        QueueReport(job_id="job-1", queue="root.new", state=QueueState.FAILED, reason="found 2 steps with a value")
    )


@pytest.fixture
def running(store: Store, run_state: RunState) -> None:
    """A job that runs, with one queue of two done and half of its candidates."""
    store.jobs.add(a_job(created_at=NOW - timedelta(minutes=2)))
    run_state.begin_job("job-1", NOW + timedelta(minutes=58))
    run_state.name_queues("job-1", ["root.adhoc", "root.etl"], THIS_HOUR, planned=10)
    let_in(run_state, "job-1", 2)
    store.jobs.move("job-1", [JobState.QUEUED], JobState.RUNNING, None, NOW - timedelta(minutes=1))


def test_an_empty_list_says_what_to_do_next(page: Page, url: str) -> None:
    page.goto(f"{url}/jobs")
    page.get_by_role("link", name="Submit the first one").click()
    expect(page.get_by_role("heading", name="Submit a job")).to_be_visible()


def test_jobs_are_listed_newest_first_and_filtered_in_the_address(partial: None, store: Store, page: Page, url: str) -> None:
    store.jobs.add(an_old_job(job_id="job-2", created_at=NOW, state=JobState.FAILED, reason="no queue was found"))
    page.goto(f"{url}/jobs")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text(re.compile(r"failed.*no queue was found", re.DOTALL))
    page.get_by_label("State").select_option("partial")
    expect(rows).to_have_count(1)
    page.wait_for_url("**state=partial**")
    page.reload()
    expect(rows).to_contain_text("1 without a forecast")
    page.get_by_label("Owner").fill("nobody")
    expect(page.get_by_text("No job is like that.")).to_be_visible()


def test_several_jobs_are_deleted_from_the_list_without_a_script(
    partial: None, running: None, store: Store, new_page: Callable[..., Page], url: str
) -> None:
    store.jobs.add(an_old_job(job_id="job-2", created_at=NOW, state=JobState.FAILED, reason="no queue was found"))
    store.jobs.add(an_old_job(job_id="job-3", created_at=NOW, state=JobState.SUCCEEDED))
    page = new_page(java_script_enabled=False, viewport=NARROW, color_scheme="dark")
    page.goto(f"{url}/jobs?owner=")
    for name in ("job-1", "job-2"):
        page.get_by_role("checkbox", name=re.compile(f"Choose .*{name}")).check()
    page.get_by_role("button", name="Delete the chosen jobs").click()
    expect(page.get_by_role("heading", name="Delete these 2 jobs?")).to_be_visible()
    page.get_by_role("button", name="Delete them").click()
    expect(page.get_by_role("heading", name="Jobs", exact=True)).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("job-3")


def test_what_was_refused_of_the_chosen_jobs_is_told(
    running: None, store: Store, new_page: Callable[..., Page], url: str
) -> None:
    page = new_page(viewport=NARROW)
    page.goto(f"{url}/jobs")
    page.get_by_role("checkbox", name=re.compile("Choose .*job-1")).check()
    page.get_by_role("button", name="Cancel the chosen jobs").click()
    check_accessible(page)
    check_fits(page)
    store.jobs.move("job-1", [JobState.RUNNING], JobState.SUCCEEDED, None, NOW)  # meanwhile
    page.get_by_role("button", name="Cancel it").click()
    expect(page.get_by_role("heading", name="1 of 1 jobs was not cancelled")).to_be_visible()
    expect(page.locator(".changes")).to_contain_text("it is succeeded")
    page.get_by_role("link", name="Back to the jobs").click()
    page.wait_for_url(f"{url}/jobs")


def test_more_jobs_than_a_page_are_reached_by_older_and_newest(store: Store, page: Page, url: str) -> None:
    for number in range(3):
        store.jobs.add(an_old_job(job_id=f"job-{number}", created_at=NOW - timedelta(hours=number), state=JobState.SUCCEEDED))
    page.goto(f"{url}/jobs?limit=2")
    page.get_by_role("link", name="Older").click()
    expect(page.locator("tbody tr")).to_contain_text("job-2")
    page.get_by_role("link", name="Newest").click()
    expect(page.locator("tbody tr")).to_have_count(2)


def test_a_partial_job_says_which_queue_has_no_forecast_and_why(partial: None, page: Page, url: str) -> None:
    page.goto(f"{url}/jobs/job-1")
    rows = page.locator("#progress tbody tr")
    expect(rows.first).to_contain_text("root.new")  # what failed comes first
    page.get_by_role("link", name="1 without a forecast").click()
    expect(page.locator("#failed + ul li")).to_contain_text(
        re.compile(r"1 queue: .*found 2 steps with a value.*root\.new", re.DOTALL)
    )
    expect(rows.last).to_contain_text(re.compile(r"root\.etl.*var.*\d.points", re.DOTALL))
    rows.last.get_by_text("with", exact=True).click()
    expect(rows.last).to_contain_text("var lags=24")
    expect(page.locator(".notice.warn")).to_have_text(["1 of 2 queues has no forecast", "thin history"])


def test_of_a_blend_its_members_are_counted_and_shown_on_demand(store: Store, page: Page, url: str) -> None:
    store.jobs.add(an_old_job(state=JobState.SUCCEEDED))
    members = {"members": "theta, hour_mean days=7, lstm epochs=60 hidden=32"}
    blend = Candidate(model="blend_weighted", hyperparameters=members)
    store.reports.save(QueueReport(job_id="job-1", queue="root.etl", state=QueueState.SUCCEEDED, winner=blend))
    page.goto(f"{url}/jobs/job-1")
    row = page.locator("#progress tbody tr")
    expect(row.get_by_text("lstm epochs=60")).to_be_hidden()
    row.get_by_text("of 3 candidates").click()
    expect(row.get_by_text("lstm epochs=60")).to_be_visible()


def test_the_request_can_be_copied(partial: None, new_page: Callable[..., Page], url: str) -> None:
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto(f"{url}/jobs/job-1")
    page.get_by_text("The request as JSON").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert '"job_name"' in page.evaluate("navigator.clipboard.readText()")


def test_a_running_job_is_followed_to_its_end_without_a_reload(
    running: None, store: Store, run_state: RunState, page: Page, url: str
) -> None:
    page.goto(f"{url}/jobs/job-1")
    expect(page.locator("#progress")).to_contain_text("tries the candidates on the past")
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    page.evaluate("window.wasNotReloaded = true")
    for queue in ("root.adhoc", "root.etl"):
        run_state.end_queue("job-1", queue)
        store.reports.save(QueueReport(job_id="job-1", queue=queue, state=QueueState.SUCCEEDED, winner=VAR))
    expect(page.locator("#progress .state.succeeded")).to_have_count(2)
    store.jobs.move("job-1", [JobState.RUNNING], JobState.SUCCEEDED, None, datetime.now(UTC))
    run_state.drop_job("job-1")
    expect(page.locator("#progress .state.succeeded")).to_have_count(3)
    expect(page.get_by_role("button", name="Retry all")).to_be_visible()
    assert page.evaluate("window.wasNotReloaded") is True


def test_a_job_is_cancelled_after_a_question(running: None, store: Store, page: Page, url: str) -> None:
    page.goto(f"{url}/jobs/job-1")
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Cancel").click()
    assert store.jobs.get("job-1").state is JobState.RUNNING
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#progress .facts")).to_contain_text("cancelled")
    assert store.jobs.get("job-1").state is JobState.CANCELLED


def test_what_has_no_forecast_is_tried_again(partial: None, store: Store, page: Page, url: str) -> None:
    page.goto(f"{url}/jobs/job-1")
    page.get_by_role("button", name="Retry what has no forecast").click()
    expect(page.locator("#progress .facts")).to_contain_text("queued")
    assert store.jobs.get("job-1").state is JobState.QUEUED


def test_one_queue_is_tried_again_from_its_row(partial: None, store: Store, page: Page, url: str) -> None:
    page.goto(f"{url}/jobs/job-1#failed")  # where the list of jobs leads to
    page.get_by_role("button", name=re.compile("Retry .*root.new")).click()
    expect(page.locator("#progress .facts")).to_contain_text("queued")
    job = store.jobs.get("job-1")
    assert (job.state, job.only) == (JobState.QUEUED, ("root.new",))


def test_what_the_service_refuses_is_told(partial: None, store: Store, page: Page, url: str, watched: Watched) -> None:
    watched.expected_statuses |= {409}
    page.goto(f"{url}/jobs/job-1")
    store.jobs.reopen("job-1", [JobState.PARTIAL], NOW)  # somebody else was quicker
    page.get_by_role("button", name="Retry what has no forecast").click()
    expect(page.locator("#message")).to_contain_text("queued")


def test_an_unknown_job_is_a_page(page: Page, url: str, watched: Watched) -> None:
    watched.expected_statuses |= {404}
    page.goto(f"{url}/jobs/none")
    expect(page.locator("main")).to_contain_text("none")


# The form


def fill(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        page.locator(f"[data-path='{name}']").fill(value)


def unfold(page: Page) -> None:
    page.get_by_text("Everything else: ").click()


def test_the_form_starts_a_job_with_the_grid_and_models_that_were_chosen(
    store: Store, run_state: RunState, page: Page, url: str
) -> None:
    run_state.members.publish(CARDS)
    page.goto(f"{url}/jobs/new")
    unfold(page)
    fill(page, job_name="From the form", user_name="Ann", queues="root.etl, root.a*")
    page.get_by_label("auto: every model").uncheck()
    page.get_by_label("prophet").check()
    page.locator("summary", has_text="prophet").click(position={"x": 300, "y": 8})
    page.get_by_label("growth").fill("flat")
    page.get_by_role("button", name="Submit", exact=True).click()
    page.wait_for_url(re.compile(r"/jobs/\d{8}T"))
    [job] = store.jobs.open()
    request = job.request
    assert (request.job_name, request.user_name, request.queues, request.model) == (
        "From the form",
        "Ann",
        ("root.etl", "root.a*"),
        ("prophet",),
    )
    assert request.hyperparameters == {"prophet": {"growth": ("flat",)}}


def test_what_is_wrong_is_told_beside_its_field_and_nothing_is_lost(page: Page, url: str, watched: Watched) -> None:
    watched.expected_statuses |= {422}
    page.goto(f"{url}/jobs/new")
    unfold(page)
    fill(page, user_name="Ann", aggregation_time_period="1 fortnight")
    page.get_by_role("button", name="Submit", exact=True).click()
    wrong = page.locator("[data-path=aggregation_time_period]")
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#aggregation_time_period-error")).to_contain_text("accepted is a whole number, at least 1, and a unit")
    expect(page.locator("#job_name-error")).not_to_be_empty()
    expect(page.locator("[data-path=job_name]")).to_be_focused()
    expect(page.locator("[data-path=user_name]")).to_have_value("Ann")
    expect(page.locator("#message")).to_contain_text("2 things stand in its way")


def test_the_form_asks_for_what_the_chosen_connection_takes(settings: object, page: Page, url: str) -> None:
    page.goto(f"{url}/jobs/new")
    expect(page.locator("[data-path='data.source.path']")).to_be_visible()
    expect(page.locator("[data-path='data.source.collection']")).to_be_hidden()


def test_without_a_worker_no_model_is_known_and_validating_says_that_none_answers(page: Page, url: str, watched: Watched) -> None:
    watched.expected_statuses |= {503}
    page.goto(f"{url}/jobs/new")
    unfold(page)
    expect(page.get_by_text("No worker has said yet which models there are.")).to_be_visible()
    fill(page, job_name="x")
    page.get_by_role("button", name="Validate").click()
    expect(page.locator("#message .bad")).to_contain_text("none has come within 5 s", timeout=15_000)


def test_a_job_is_submitted_again_with_changes(store: Store, run_state: RunState, page: Page, url: str) -> None:
    run_state.members.publish(CARDS)
    earlier = a_request(
        queues=("root.etl",), interval=0.8, model=("prophet",), hyperparameters={"prophet": {"growth": ("flat",)}}
    )
    store.jobs.add(an_old_job(request=earlier, state=JobState.SUCCEEDED))
    page.goto(f"{url}/jobs/job-1")
    page.get_by_role("link", name="Submit again with changes").click()
    expect(page.locator("[data-path=job_name]")).to_have_value(earlier.job_name)
    expect(page.locator("[data-path=interval]")).to_have_value("0.8")
    expect(page.get_by_label("prophet")).to_be_checked()
    expect(page.locator("[data-path='hyperparameters.prophet.growth']")).to_have_value("flat")


@pytest.mark.parametrize("path", ["jobs", "jobs/job-1", "jobs/new"])
def test_it_fits_and_everybody_can_use_it(partial: None, run_state: RunState, any_page: Page, url: str, path: str) -> None:
    run_state.members.publish(CARDS)
    any_page.goto(f"{url}/{path}")
    check_fits(any_page)
    check_accessible(any_page)
