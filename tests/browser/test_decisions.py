"""The page Decisions: what is to be changed, by whom it may be approved, and what it says where there is nothing to do."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from shared.config.settings import Settings
from shared.domain.capacities import Resources
from shared.domain.policies import Freeze
from shared.domain.proposal_states import ProposalState
from shared.domain.proposals import Effect, PlanCost, Proposal, Step
from shared.fleet.runstate import RunState
from shared.store import Store
from shared.store.proposals import ProposalFile
from shared.store.replays import Evidence, KeptReplay
from tests.api.a_cluster import BEGINS, HOUR, PROD, a_day
from tests.api.scene import MakeApp
from tests.browser.looking import NARROW, Watched, check_accessible, check_fits
from tests.decisions import a_proposal, a_verdict

DAY = timedelta(days=1)
LONG = "root.analytics_of_the_whole_company.and_everybody_who_works_with_it"


@pytest.fixture
def app(run_state: RunState, settings: Settings, make_app: MakeApp) -> Flask:
    """The service with one cluster."""
    return make_app(Settings(**settings.model_dump() | {"connections": {"hadoop": PROD}}))


def of_now(**others: object) -> Proposal:
    """Etl is to get 46 % in an hour."""
    made = a_proposal(at=datetime.now(UTC).replace(microsecond=0), tree_hash="", **others)
    etl, adhoc = made.changes
    etl = replace(
        etl,
        before_at=BEGINS + HOUR,
        present_resources=Resources(memory_mb=409_600, vcores=200),
        proposed_resources=Resources(memory_mb=471_040, vcores=230),
    )
    cost = PlanCost(keep=4020.0, plan=2310.0, unit="GB·h", unguaranteed=120.0, lent=80.0, waits=40.0)
    because = ("etl runs short 9 % of the time, adhoc 0.3 %",)
    return replace(made, changes=(etl, adhoc), cost=cost, because=because)


def test_a_decision_says_what_to_change_before_when_and_what_it_costs_not_to(store: Store, page: Page, url: str) -> None:
    store.forecasts.save(a_day())
    store.proposals.add(of_now(forecast_jobs=(a_day().job_id,)))
    page.goto(url)
    expect(page.locator(".headline .card").first).to_contain_text("1 decision waits for somebody")
    page.get_by_role("link", name="decision waits").click()
    expect(page.get_by_role("heading", level=2).first).to_contain_text("Raise etl to 46 %")
    row = page.locator("tr", has_text="etl").first
    for words in ("40 % → 46 %", "400 GB → 460 GB", "4.0 h short", "adhoc", "good"):
        expect(row).to_contain_text(words.replace(" %", "\u202f%").replace(" GB", "\u202fGB"))
    check_fits(page)
    check_accessible(page)
    page.get_by_role("link", name="Why, and what else").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Raise etl to 46 %")
    for words in ("yarn.scheduler.capacity.root.etl.capacity", "40\u202fGB·h wait whatever is moved", "runs short 9 %"):
        expect(page.locator("main")).to_contain_text(words)
    check_fits(page)
    check_accessible(page)


def test_a_picture_shows_the_demand_beside_both_capacities(store: Store, page: Page, url: str) -> None:
    forecast = a_day()
    store.forecasts.save(forecast)
    same = {"series_id": forecast.series_id, "job": forecast.job, "queue": forecast.queue, "made_at": datetime.now(UTC)}
    store.replays.save([KeptReplay(**same, evidence=Evidence.ISSUED, verdict=a_verdict("root.etl"))])
    made = of_now(forecast_jobs=(forecast.job_id,), start_at=forecast.issued_at, end_at=forecast.end_at)
    etl = made.changes[0]
    store.proposals.add(replace(made, changes=(replace(etl, memory=replace(etl.memory, unit=forecast.unit)), made.changes[1])))
    page.goto(f"{url}/decisions/{made.decision_id}")
    expect(page.get_by_role("img", name="What is forecast of root.etl")).to_be_visible()
    expect(page.locator("main")).to_contain_text("84\u202f% of doing nothing over 21 days of 1 queue")
    page.locator("summary", has_text="would have cost 84.0 %").click()
    expect(page.get_by_role("img", name="What lay idle against the hours short")).to_be_visible()
    check_accessible(page)
    check_fits(page)
    page.get_by_role("link", name="What if it had another").click()
    expect(page.get_by_role("heading", name="What if", exact=True)).to_be_visible()


def test_nothing_to_do_says_why_and_when_it_looks_again(store: Store, page: Page, url: str) -> None:
    page.goto(f"{url}/decisions")
    expect(page.get_by_text("Nothing to decide yet.")).to_be_visible()
    expect(page.get_by_role("button", name="Look now")).to_be_visible()
    check_accessible(page)
    sentence = "Leave it: no other capacities cost less, by 21 days of their own past."
    kept = of_now(state=ProposalState.KEPT, look_again_at=datetime.now(UTC) + DAY, sentence=sentence)
    store.proposals.add(replace(kept, changes=(), patch=()))
    page.reload()
    expect(page.get_by_text("Nothing is to be changed.")).to_be_visible()
    expect(page.get_by_text("by 21 days of their own past")).to_be_visible()
    check_fits(page)


def test_who_may_not_approve_is_told_why(store: Store, page: Page, url: str) -> None:
    now = datetime.now(UTC)
    made = of_now()
    store.proposals.add(made)
    policy = store.policies.of(made.group)
    freeze = Freeze(start_at=now - HOUR, end_at=now + DAY, reason="month's end")
    store.policies.replace(policy, replace(policy, version=1, freezes=(freeze,)))
    page.goto(f"{url}/decisions")
    expect(page.get_by_text("month's end")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)


def test_a_decision_is_approved_and_handed_over_or_rejected_with_a_reason(store: Store, page: Page, url: str) -> None:
    first, second = of_now(), of_now(cluster="test")
    body = b64encode(b"<sched-conf/>").decode()
    named = {"decision_id": first.decision_id, "name": "sched-conf.xml", "created_at": first.created_at}
    store.proposals.add(first, [ProposalFile(**named, body=body, sha256="a" * 64)])
    store.proposals.add(second)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"{url}/decisions/{first.decision_id}")
    expect(page.locator("main")).to_contain_text("approve it first")
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("main")).to_contain_text("given out once it is exported")
    page.get_by_role("button", name="Hand over its files").click()
    expect(page.locator(".state.exported").first).to_be_visible()
    expect(page.get_by_role("link", name="sched-conf.xml")).to_be_visible()
    page.goto(f"{url}/decisions/{second.decision_id}")
    page.get_by_label("Why it is rejected").fill("the month ends tomorrow")
    page.get_by_role("button", name="Reject").click()
    expect(page.locator(".state.rejected").first).to_be_visible()
    expect(page.get_by_role("region", name="What was done")).to_contain_text("the month ends tomorrow")
    assert store.proposals.get(first.decision_id).state is ProposalState.EXPORTED


def test_what_was_decided_stays_with_who_did_and_what_came_of_it(store: Store, page: Page, url: str) -> None:
    now = datetime.now(UTC)
    effect = Effect(days=1, made_at=now, expected=2310.0, real=2100.0, without=4200.0, wrong_cuts=("root.adhoc",))
    step = Step(state=ProposalState.SEEN, at=now, who="t1", name="maria", reason="the cluster shows it")
    store.proposals.add(of_now(state=ProposalState.SEEN, steps=(step,), effects=(effect,)))
    page.goto(f"{url}/decisions")
    earlier = page.get_by_role("region", name="Earlier decisions")
    for words in ("maria", "2,100\u202fGB·h after 1 day", "4,200\u202fGB·h without it", "cut too far: root.adhoc"):
        expect(earlier).to_contain_text(words)


@pytest.mark.parametrize("look", [{"color_scheme": "light"}, {"color_scheme": "dark"}], ids=["light", "dark"])
def test_long_names_and_large_numbers_fit_a_phone(
    store: Store, new_page: Callable[..., Page], url: str, look: dict[str, str]
) -> None:
    made = of_now(forecast_jobs=(a_day().job_id,))
    long = replace(made.changes[0], queue=LONG, donors=(LONG, "root.bi"), maximum_before="60", maximum_after="70")
    store.forecasts.save(a_day())
    store.proposals.add(replace(made, changes=(long, *made.changes[1:]), sentence=f"Raise {LONG} to 46 %. " * 3))
    page = new_page(viewport=NARROW, **look)
    for address in ("/decisions", f"/decisions/{made.decision_id}"):
        page.goto(f"{url}{address}")
        expect(page.get_by_role("button", name="Approve")).to_be_visible()
        check_fits(page)
        check_accessible(page)


def test_a_decision_of_others_is_not_there(store: Store, page: Page, url: str, watched: Watched) -> None:
    watched.expected_statuses = {404}
    page.goto(f"{url}/decisions/20260105T000000-0123456789")
    expect(page.get_by_role("heading", level=1)).to_have_text("No decision has this id")
