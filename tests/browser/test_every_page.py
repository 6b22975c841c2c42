"""Every page, in its states, at both widths, light and dark: it fits, everybody can use it, and a picture of it is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from playwright.sync_api import Page, ViewportSize

from shared.config.settings import Settings
from shared.domain.audits import AuditEntry
from shared.domain.forecasts import Candidate
from shared.domain.jobs import JobState, Progress, QueueState, Tally
from shared.domain.proposal_states import ProposalState
from shared.domain.reports import QueueReport
from shared.fleet.runstate import RunState
from shared.store import Store
from tests.api.a_cluster import NOW, PROD, a_change, a_day, a_tree
from tests.api.calls import calls
from tests.api.scene import CARDS, MakeApp
from tests.browser.looking import NARROW, PICTURES, WIDE, Watched, check_accessible, check_fits
from tests.browser.queues import THIS_HOUR, keep
from tests.decisions import a_proposal
from tests.factories import a_job, a_request, a_schedule, let_in

EMPTY = ("", "jobs", "jobs/new", "schedules", "decisions", "tree", "timezone", "account", "setup", "audit")
FULL = {
    "": "overview",
    "jobs": "list of jobs",
    "jobs/running": "a job that runs",
    "jobs/partial": "a job with a queue that has failed",
    "jobs/failed": "a job that has failed",
    "jobs/partial/log": "the log of a job",
    "jobs/chosen?what=delete&job_id=failed&job_id=partial": "jobs that are chosen",
    "jobs/new?from=partial": "the form, filled",
    "charts": "queues side by side",
    "queues/root.bi": "a queue",
    "queues/root.etl": "a queue of several series",
    "queues/root.new": "a queue without a past",
    "schedules": "schedules",
    "tree": "the tree",
    "decisions": "decisions",
    "decisions/{proposed}": "a decision",
    "decisions/{kept}": "a decision to leave it",
    "audit?days=3650": "the trail",
    "account": "who is logged in",
    "setup": "connections and policies",
    "terms": "words",
    "timezone": "time zones",
    "docs": "calls",
    "queues/nobody": "a queue that is not known",
}
PARTS = {"dashboard.status", "dashboard.job_progress", "dashboard.glance"}  # of pages, which are seen in them
NO_PAGES = {"dashboard.overview_csv", "show_version", "show_metrics", "show_document"}
AXE = {(1280, "dark"), (390, "light")}  # it takes long; each page is looked at once light and once dark
MAX_PICTURE = 16_000  # px; Chromium takes none of a longer page


@pytest.fixture
def app(run_state: RunState, settings: Settings, make_app: MakeApp) -> Flask:
    """The service with one cluster."""
    return make_app(Settings(**settings.model_dump() | {"connections": {"hadoop": PROD}}))


@pytest.fixture
def decisions(store: Store, run_state: RunState) -> dict[str, str]:
    """A day of a cluster: jobs in each state, queues with and without a past, decisions; the ids of these."""
    now = datetime.now(UTC).replace(microsecond=0)
    store.trees.put("prod", a_tree(), NOW - timedelta(days=1), is_changed=True)
    store.trees.put("prod", a_tree(), now)
    store.changes.save([a_change()])
    store.forecasts.save(a_day())
    keep(store, "root.etl", 90, 110, model="var", mape=8.25)
    keep(store, "root.bi", 40, 60)
    store.forecasts.save(replace(a_day(), queue="root.new", job="trial"))
    _keep_jobs(store, run_state, now)
    run_state.members.publish(CARDS)
    store.schedules.add(a_schedule(due_at=now + timedelta(hours=30), last_job_id="failed", request=a_request(as_of=None)))
    told = {"cluster": "prod", "project": "", "subject": "d1", "who": "t1", "name": "ops", "source": "10.0.0.7"}
    store.audits.add(AuditEntry(entry_id="d1.approved", at=NOW, what="approved", reason="as agreed", **told))
    proposed = a_proposal(at=now, tree_hash="", forecast_jobs=(a_day().job_id,))
    left = a_proposal(
        at=now - timedelta(hours=1),
        state=ProposalState.KEPT,
        look_again_at=now + timedelta(days=1),
        sentence="Leave it: no other capacities cost less, by 21 days of their own past.",
    )
    left = replace(left, decision_id="20260105T000000-0123456789", parent="root.etl", changes=(), patch=())
    for each in (proposed, left):
        store.proposals.add(each)
    return {"proposed": proposed.decision_id, "kept": left.decision_id}


def _keep_jobs(store: Store, run_state: RunState, now: datetime) -> None:
    times = {"created_at": now - timedelta(minutes=9), "started_at": now - timedelta(minutes=8), "ended_at": now}
    progress = Progress(queues=Tally(total=2, done=2, failed=1), candidates=Tally(total=20, done=20, failed=3))
    reason = "1 of 2 queues has no forecast"
    store.jobs.add(a_job(job_id="partial", state=JobState.PARTIAL, reason=reason, progress=progress, **times))
    winner = Candidate(model="var", hyperparameters={"lags": 24})
    store.reports.save(QueueReport(job_id="partial", queue="root.etl", state=QueueState.SUCCEEDED, winner=winner))
    failed = QueueReport(job_id="partial", queue="root.new", state=QueueState.FAILED, reason="found 2 steps with a value")
    store.reports.save(failed)
    store.jobs.add(a_job(job_id="failed", state=JobState.FAILED, reason="no queue was found", **times))
    store.jobs.add(a_job(job_id="running", created_at=now - timedelta(minutes=2)))
    run_state.begin_job("running", now + timedelta(minutes=58))
    run_state.name_queues("running", ["root.adhoc", "root.etl"], THIS_HOUR, planned=10)
    let_in(run_state, "running", 2)
    store.jobs.move("running", [JobState.QUEUED], JobState.RUNNING, None, now - timedelta(minutes=1))


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_every_page_of_a_service_in_use(
    decisions: dict[str, str], new_page: Callable[..., Page], watched: Watched, url: str, size: ViewportSize
) -> None:
    watched.expected_statuses = {404, 409}  # of a queue that nobody knows, and of one that is two
    page = new_page(viewport=size)
    addresses = ((f"{url}/{path.format(**decisions)}", name) for path, name in FULL.items())
    assert [*faults(page, addresses, size)] == []


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_every_page_of_a_service_that_nobody_has_used_yet(new_page: Callable[..., Page], url: str, size: ViewportSize) -> None:
    page = new_page(viewport=size)
    assert [*faults(page, ((f"{url}/{path}", f"nothing yet {path}") for path in EMPTY), size)] == []


def test_no_page_is_forgotten(app: Flask, decisions: dict[str, str]) -> None:
    """Of all that answers a browser."""
    adapter = app.url_map.bind("localhost")
    visited = {adapter.match(f"/{path.format(**decisions).partition('?')[0]}")[0] for path in (*FULL, *EMPTY)}
    pages = {call.endpoint for call in calls(app) if call.policy.leads_to_login and call.method == "GET"}
    assert pages - visited - PARTS - NO_PAGES == set()


def faults(page: Page, addresses: Iterator[tuple[str, str]], size: ViewportSize) -> Iterator[str]:
    """What is wrong with each page, light and dark; pictures are kept of all."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for address, name in addresses:
        page.goto(address)
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type] # one of the words that it takes
            is_long = page.evaluate("document.documentElement.scrollHeight") > MAX_PICTURE
            page.screenshot(path=PICTURES / f"page {name.replace('/', ' ')} {size['width']} {theme}.png", full_page=not is_long)
            try:
                check_fits(page)
                if (size["width"], theme) in AXE and (name != "calls" or size is WIDE):  # axe takes seconds for so long a page
                    check_accessible(page)
            except AssertionError as error:
                yield f"{name} {size['width']} {theme}: {error}"
