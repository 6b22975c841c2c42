"""The page of one queue: its chart says what the API says, and everybody can use it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from shared.domain.components import Components
from shared.domain.distribution import bounds_of
from shared.domain.forecasts import Candidate, Failure
from shared.domain.jobs import JobState, QueueState
from shared.domain.occasions import Event, Excluded
from shared.domain.reports import QualityReport, QueueReport, RunFailure
from shared.store import Store
from tests.browser.looking import NARROW, Watched, check_accessible, check_fits
from tests.browser.queues import HOUR, THIS_HOUR, keep, keep_past
from tests.factories import a_job, a_request, a_score, with_distribution

BERLIN = ZoneInfo("Europe/Berlin")
DAY_SECONDS = 86_400
DRAWN = "#chart[data-drawn]"  # how many queues are drawn, as soon as they are
CHART = "document.getElementById('chart').chart"
COLOURS = """() => {
  const canvas = document.querySelector("#chart canvas");
  const pixels = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  return new Set(pixels).size;
}"""


@pytest.fixture
def llap(store: Store) -> None:
    """Three days ahead of a queue, with the leaderboard of the job, a gap, and another queue beside it."""
    store.jobs.add(a_job(state=JobState.SUCCEEDED))
    keep(store, "llap", 96, 118, hours=72, model="prophet")
    keep_past(store, "llap", 90, hours=200, gap=range(60, 70))
    keep(store, "default", 60, 80, hours=72)
    prophet = Candidate(model="prophet", hyperparameters={"growth": "flat"})
    won = a_score(candidate=prophet)
    won = replace(won, measures=replace(won.measures, crps=5.25))
    lost = Failure(candidate=Candidate(model="lstm"), error="TimeLimitReached", reason="it took longer than 90 s", seconds=91.0)
    report = QueueReport(
        job_id="job-1",
        queue="llap",
        state=QueueState.SUCCEEDED,
        outcomes=(won, a_score(candidate=Candidate(model="seasonal_naive")), lost),
        winner=prophet,
        explanation="prophet won: its MAPE of 7.5 % is the lowest of 2.",
        quality=QualityReport(rows=12_000, steps=200, notes=("10 steps without a value: filled",), warnings=("A gap.",)),
    )
    store.reports.save(report)


@pytest.fixture
def shown(llap: None, page: Page, url: str) -> Page:
    """The page, drawn within the hour of its data, also when midnight passes meanwhile."""
    page.clock.set_fixed_time(THIS_HOUR)
    return opened(page, f"{url}/queues/llap")


def opened(page: Page, address: str) -> Page:
    page.goto(address)
    expect(page.locator(DRAWN)).to_be_visible()
    return page


def column(page: Page, index: int) -> list[float | None]:
    found: list[float | None] = json.loads(page.evaluate(f"JSON.stringify({CHART}.data[{index}])"))
    return found


def scale(page: Page) -> tuple[float, float]:
    found: dict[str, Any] = page.evaluate(f"(() => {{ const {{min, max}} = {CHART}.scales.x; return {{min, max}}; }})()")
    return found["min"], found["max"]


def weekends_within(low: float, high: float) -> int:
    """How many weekends (UTC) two moments in seconds have between them, in part too."""
    first_day = int(low // DAY_SECONDS) - 2
    starts = (day * DAY_SECONDS for day in range(first_day, int(high // DAY_SECONDS) + 1))
    saturdays = (start for start in starts if datetime.fromtimestamp(start, UTC).weekday() == 5)
    return sum(start < high and start + 2 * DAY_SECONDS > low for start in saturdays)


def test_the_chart_is_drawn_and_says_what_the_api_says(shown: Page, url: str) -> None:
    assert shown.evaluate(COLOURS) > 10
    start = (THIS_HOUR - 14 * 24 * HOUR).isoformat().replace("+", "%2B")
    points = shown.request.get(f"{url}/v1/queues/llap/series?from={start}").json()["points"]
    assert column(shown, 1) == [point["actual"] for point in points]
    bound = column(shown, 3)[-72:]
    assert bound == [point["upper_bound"] for point in points][-72:]


def test_a_gap_is_a_gap_and_the_forecast_is_joined_to_the_last_actual_value(shown: Page) -> None:
    actual, predicted = column(shown, 1), column(shown, 2)
    assert actual.count(None) == 10 + 72
    joint = next(index for index, value in enumerate(predicted) if value is not None)
    assert predicted[joint] == actual[joint]
    assert predicted[joint + 1] == 48.0


def test_the_headline_says_which_peak_when_and_how_sure(shown: Page) -> None:
    facts = shown.locator(".facts")
    expect(facts).to_contain_text(re.compile(r"96.%\s*77 – 118.%", re.DOTALL))
    expect(facts).to_contain_text(f"{THIS_HOUR + 9 * HOUR:%a %-d %b, %H:%M}")
    expect(facts).to_contain_text("possible at its limit")
    expect(facts).to_contain_text("prophet")


@pytest.mark.parametrize(("tab", "first_day"), [("Today", 0), ("Tomorrow", 1)])
def test_a_tab_shows_one_day_and_the_address_remembers_it(shown: Page, tab: str, first_day: int) -> None:
    shown.get_by_role("button", name=tab, exact=True).click()
    midnight = THIS_HOUR.replace(hour=0).timestamp() + first_day * 86_400
    low, high = scale(shown)
    assert (low, high) == (pytest.approx(midnight, abs=2), pytest.approx(midnight + 86_400, abs=2))
    shown.reload()
    expect(shown.locator(DRAWN)).to_be_visible()
    expect(shown.get_by_role("button", name=tab, exact=True)).to_have_attribute("aria-pressed", "true")
    expect(shown.locator("main")).to_contain_text(
        re.compile("Actual values go to .* Newer ones come with the next run of", re.DOTALL)
    )
    shown.locator("section[aria-labelledby=earlier] th a").last.click()  # what was chosen goes along
    shown.wait_for_url("**job_id=**")
    assert f"tab={'today' if tab == 'Today' else '1'}" in shown.url


def test_the_legend_says_the_values_of_the_time_that_is_chosen(shown: Page, store: Store) -> None:
    entries = shown.get_by_role("list", name="Values at the time").get_by_role("listitem")
    expect(entries).to_have_count(4)
    assert [text.rpartition(" ")[0] for text in entries.all_inner_texts()[1::2]] == ["Actual", "Outside its bounds"]
    cursor = shown.get_by_label("Time", exact=True)
    for key, hours in (("End", 24), ("ArrowLeft", 23)):
        cursor.press(key)
        expect(entries.first).to_have_text(f"{THIS_HOUR.replace(hour=0) + hours * HOUR:%a %-d %b, %H:%M}")
    expect(entries.nth(2)).to_contain_text(re.compile(r"Predicted (48|96).% \(\d+.% – \d+.%\)"))
    expect(cursor).to_have_attribute("aria-valuetext", re.compile(r"23:00; Actual –; Predicted \d+"))
    shown.get_by_role("button", name="All", exact=True).click()
    expect(shown.locator("#chart")).to_have_attribute("data-weekends", str(weekends_within(*scale(shown))))


def test_known_times_are_marked_and_told(store: Store, any_page: Page, url: str) -> None:
    close = Event(name="month end", start=THIS_HOUR + 3 * HOUR, end=THIS_HOUR + 5 * HOUR)
    outage = Excluded(name="outage", start=THIS_HOUR - 30 * HOUR, end=THIS_HOUR - 28 * HOUR)
    store.jobs.add(a_job(request=a_request(events=(close,), exclude=(outage,)), state=JobState.SUCCEEDED))
    keep(store, "llap", 96, 118, hours=72)
    (forecast,) = store.forecasts.find()
    added = tuple(20.0 if 30 <= step < 33 or step == 4 else 0.0 for step in range(72))
    store.forecasts.save(replace(forecast, components=Components(level=40.0, occasions=added, kinds=("Christmas",))))
    opened(any_page, f"{url}/queues/llap?tab=all")
    expect(any_page.locator("#chart")).to_have_attribute("data-times", re.compile("month end"))
    assert any_page.evaluate("document.getElementById('chart').dataset.marked") == "3"
    told = any_page.get_by_role("list", name="Known times").get_by_role("listitem").all_inner_texts()
    assert [text.rpartition(": ")[2] for text in told] == ["nothing was learned from it", "month end", "Christmas"]
    check_fits(any_page)
    check_accessible(any_page)


def test_what_was_forecast_before_the_day_lies_over_what_came(llap: None, store: Store, page: Page, url: str) -> None:
    midnight = THIS_HOUR.replace(hour=0)
    noon = midnight + 12 * HOUR
    page.clock.set_fixed_time(noon)
    keep(store, "llap", 90, 95, hours=48, issued_at=midnight - 3 * HOUR, model="var")
    for hour in range(1, 24):  # a job of another name takes none of its place
        keep(store, "llap", 50, 60, hours=48, issued_at=midnight - hour * HOUR / 10, job="hourly", job_id="hourly")
    opened(page, f"{url}/queues/llap")
    labels = page.evaluate(f"{CHART}.series.map(each => each.label)")
    assert labels[-4:] == [
        *("forecast before the day", "forecast before the day, upper bound"),
        *("forecast before the day, lower bound", "outside its bounds"),
    ]
    times, predicted = column(page, 0), column(page, len(labels) - 4)
    told = [at for at, value in zip(times, predicted, strict=True) if value is not None]
    assert (told[0], len(told)) == (midnight.timestamp(), 24)
    expect(page.get_by_text("before it began, issued")).to_be_visible()
    outside = [value for value in column(page, len(labels) - 1) if value is not None]
    points = page.request.get(
        f"{url}/v1/queues/llap/series?issued_at={(midnight - 3 * HOUR).isoformat().replace('+', '%2B')}"
    ).json()
    left = [
        point["actual"]
        for point in points["points"]
        if point["timestamp"] >= midnight.isoformat().replace("+00:00", "Z")
        and point["actual"] is not None
        and point["prediction"] is not None
        and not point["lower_bound"] <= point["actual"] <= point["upper_bound"]
    ]
    assert (outside, len(outside) > 0) == (left, THIS_HOUR.hour > 0)


def test_a_forecast_of_the_past_shows_the_day_that_it_was_issued_on(store: Store, page: Page, url: str) -> None:
    keep(store, "llap", 70, 90, hours=24, issued_at=THIS_HOUR - 40 * 24 * HOUR)
    opened(page, f"{url}/queues/llap")
    day = THIS_HOUR - 40 * 24 * HOUR
    expect(page.get_by_role("button", name=f"{day:%a %-d %b %Y}", exact=True)).to_have_attribute("aria-pressed", "true")
    assert scale(page)[0] == pytest.approx(day.replace(hour=0).timestamp(), abs=2)
    expect(page.locator("#chart-problem")).to_be_hidden()


@pytest.mark.parametrize(
    ("day", "hours"), [(datetime(2026, 3, 29, tzinfo=BERLIN), 23), (datetime(2025, 10, 26, tzinfo=BERLIN), 25)]
)
def test_a_day_on_which_clocks_change_is_shown_whole(store: Store, page: Page, url: str, day: datetime, hours: int) -> None:
    keep(store, "llap", 70, 90, hours=24, issued_at=day.replace(hour=6).astimezone(UTC))
    page.context.add_cookies([{"name": "queuecast_zone", "value": "Europe/Berlin", "url": url}])
    opened(page, f"{url}/queues/llap")
    assert scale(page) == (pytest.approx(day.timestamp()), pytest.approx(day.timestamp() + hours * 3_600))


def test_one_zooms_by_buttons_and_by_dragging_and_comes_back(shown: Page) -> None:
    shown.get_by_role("button", name="All", exact=True).click()
    low, high = scale(shown)
    shown.get_by_role("button", name="Zoom in").press("Enter")
    assert scale(shown)[1] - scale(shown)[0] == pytest.approx((high - low) / 2)
    over = shown.locator(".u-over")
    over.hover(position={"x": 200, "y": 50})
    shown.mouse.down()
    box = over.bounding_box()
    assert box is not None
    shown.mouse.move(box["x"] + 400, box["y"] + 60, steps=5)
    shown.mouse.up()
    zoomed = scale(shown)
    assert zoomed[1] - zoomed[0] < (high - low) / 2
    shown.wait_for_url("**from=**")
    shown.get_by_role("link", name="30 d").click()
    shown.wait_for_url("**days=30**")
    expect(shown.locator(DRAWN)).to_be_visible()
    assert scale(shown) == (pytest.approx(zoomed[0], abs=1), pytest.approx(zoomed[1], abs=1))
    shown.go_back()
    expect(shown.locator(DRAWN)).to_be_visible()
    shown.get_by_role("button", name="All", exact=True).click()
    assert scale(shown) == (pytest.approx(low), pytest.approx(high))


def test_another_queue_is_drawn_beside_it(shown: Page) -> None:
    shown.get_by_label("Compare with").select_option("default")
    shown.get_by_role("button", name="Draw").click()
    shown.wait_for_url("**compare=default**")
    expect(shown.locator(DRAWN)).to_be_visible()
    labels = shown.evaluate(f"{CHART}.series.map(each => each.label)")
    assert {"llap, actual", "llap, predicted", "default, actual", "default, predicted"} <= set(labels)
    shown.get_by_label("No longer compare with default").click()
    expect(shown.locator("#chart[data-drawn='1']")).to_be_visible()


def test_the_numbers_are_there_as_a_table_and_as_files(shown: Page) -> None:
    shown.get_by_text("The numbers behind the chart").click()
    table = shown.locator("#numbers table")
    expect(table.locator("caption")).to_contain_text("times in UTC")
    expect(table.locator("tbody tr")).to_have_count(272)
    with shown.expect_download() as csv:
        shown.get_by_role("link", name="CSV").click()
    heading, *rows = Path(csv.value.path()).read_text().splitlines()
    assert ("upper_bound" in heading, len(rows)) == (True, 272)  # what is drawn, and no more
    with shown.expect_download() as png:
        shown.get_by_role("button", name="PNG").click()
    assert png.value.suggested_filename == "llap.png"
    assert Path(png.value.path()).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("interval", "bounds"), [(0.9, []), (0.8, ["Lower bound", "Upper bound"])])
def test_the_numbers_tell_quantiles_and_fit_a_phone(
    page: Page, store: Store, url: str, interval: float, bounds: list[str]
) -> None:
    keep(store, "llap", 96, 118, hours=72)
    (forecast,) = store.forecasts.find()
    told = with_distribution(forecast).quantiles
    lower, upper = map(told.at, bounds_of(interval))
    store.forecasts.save(replace(forecast, quantiles=told, peaks=told, interval=interval, lower_bound=lower, upper_bound=upper))
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    opened(page, f"{url}/queues/llap").get_by_text("The numbers behind the chart").click()
    table = page.locator("#numbers table")
    assert table.locator("th").all_inner_texts() == ["Start", "Actual", "Prediction", "5 %", "50 %", "95 %", *bounds]
    last = table.locator("tbody tr").last.locator("td").all_inner_texts()
    assert last[3:6] == [f"{told.at(level)[-1]:.0f}\u202f%" for level in (0.05, 0.5, 0.95)]
    check_fits(page)
    check_accessible(page)


def test_it_is_told_why_the_winner_won_and_how_good_the_data_were(shown: Page) -> None:
    expect(shown.get_by_text("prophet won: its MAPE")).to_be_visible()
    rows = shown.locator("section[aria-labelledby=why] tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.first).to_have_class("winner")
    expect(rows.last).to_contain_text("it took longer than 90 s")
    crps = shown.locator("section[aria-labelledby=why] th", has_text="CRPS").evaluate("heading => heading.cellIndex")
    expect(rows.first.locator("td, th").nth(crps)).to_have_text("5.25\u202f%")
    expect(shown.get_by_text("10 steps without a value: filled.")).to_be_visible()
    expect(shown.get_by_text("A gap.")).to_be_visible()


def test_an_earlier_forecast_is_shown_against_what_happened_since(llap: None, store: Store, page: Page, url: str) -> None:
    keep(store, "llap", 70, 90, hours=24, issued_at=THIS_HOUR - 24 * HOUR, model="var", job_id="yesterday")
    opened(page, f"{url}/queues/llap")
    page.locator("section[aria-labelledby=earlier] th a").last.click()
    expect(page.get_by_text("against what happened since")).to_be_visible()
    expect(page.locator(DRAWN)).to_be_visible()
    predicted = column(page, 2)
    assert predicted.count(None) < len(predicted)
    assert column(page, 1)[-24:].count(None) == 0
    page.get_by_role("link", name="Show the newest").click()
    expect(page.get_by_text("against what happened since")).to_have_count(0)
    page.get_by_label("Lay over").select_option(label=f"{THIS_HOUR - 24 * HOUR:%a %-d %b, %H:%M}, var")
    page.get_by_role("button", name="Draw").click()
    page.wait_for_url("**over=**")
    expect(page.locator(DRAWN)).to_be_visible()
    label, values = page.evaluate(
        f"(() => {{ const n = {CHART}.series.length - 4; return [{CHART}.series[n].label, {CHART}.data[n]]; }})()"
    )
    assert (label.endswith(", var"), len([value for value in values if value is not None])) == (True, 24)
    page.get_by_role("link", name="Take it away").click()
    expect(page.get_by_label("Lay over")).to_have_value("")
    expect(page.get_by_text("against what happened since")).to_have_count(0)


def test_a_queue_whose_last_job_failed_says_so(llap: None, store: Store, page: Page, url: str) -> None:
    forecast = store.forecasts.find("llap")[0]
    of = {"series_id": forecast.series_id, "job": forecast.job, "job_id": "job-2", "at": forecast.created_at + timedelta(hours=1)}
    store.run_failures.save([RunFailure(**of, reason="found 2 steps with a value")])
    page.goto(f"{url}/queues/llap")
    told = page.locator("main .notice.bad").first
    expect(told).to_contain_text("found 2 steps with a value")
    expect(told).to_contain_text("The last good forecast stays, issued")
    page.goto(url)
    failed = page.get_by_role("row", name="llap").get_by_role("link", name="last job failed")
    expect(failed).to_have_attribute("title", "found 2 steps with a value")
    expect(failed).to_have_attribute("href", "/jobs/job-2")


def test_a_winner_that_was_fitted_again_tells_of_its_search(llap: None, store: Store, page: Page, url: str) -> None:
    forecast = store.forecasts.find("llap")[0]
    store.forecasts.save(replace(forecast, searched_at=forecast.issued_at - timedelta(days=3)))
    page.goto(f"{url}/queues/llap")
    expect(page.locator("main")).to_contain_text("The winner is that of the search of")


def test_an_unknown_queue_is_a_page_with_a_way_back(page: Page, url: str, watched: Watched) -> None:
    watched.expected_statuses |= {404}
    page.goto(f"{url}/queues/no/such")
    expect(page.get_by_role("link", name="All queues")).to_be_visible()


def test_it_fits_and_everybody_can_use_it(llap: None, any_page: Page, url: str) -> None:
    opened(any_page, f"{url}/queues/llap?compare=default")
    check_fits(any_page)
    check_accessible(any_page)


HOSTILE = ["root.\u202egpj.exe", "<script>alert(1)</script>", "\u05e7\u05d1\u05d5\u05e6\u05d4.etl", "=cmd|' /C calc'!A0"]


@pytest.mark.parametrize("path", ["", "queues/"])
def test_names_of_every_kind_are_text_that_turns_nothing_around_it(store: Store, page: Page, url: str, path: str) -> None:
    for name in HOSTILE:
        keep(store, name, 96, 118, model="prophet", job=name)
    page.on("dialog", lambda _: pytest.fail("a name has become a script"))
    page.goto(f"{url}/{path}{quote(HOSTILE[0]) if path else ''}")
    expected = [text.replace("\u202e", "\ufffd") for text in HOSTILE]
    names = page.locator("bdi").all_inner_texts()
    assert set(expected if not path else expected[:1]) <= set(names)
    assert "\u202e" not in page.locator("body").inner_text()
    assert "\u202e" not in page.title()
