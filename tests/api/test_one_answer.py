"""Whoever is asked tells the same of a forecast's limits at the same moment: HTTP, commands, the dashboard and Prometheus."""

from __future__ import annotations

import html
import re
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from api.command.output import print_job, print_queues, print_series
from shared.domain.reports import outlook
from shared.domain.timegrid import TimeGrid
from shared.domain.units import Unit
from shared.store import Store
from tests.factories import MEMORY, a_forecast, a_job, a_report

HOUR = timedelta(hours=1)
ISSUED_AT = TimeGrid(3_600).bucket_start(datetime.now(UTC)) - 5 * HOUR  # some steps are over, some ahead
PREDICTION = tuple(60.0 + 5.0 * (step % 10) for step in range(30))  # 60 to 105
UPPER = tuple(value + 22.0 for value in PREDICTION)
Told = tuple[int | None, int | None]  # steps that are likely, and that are possible besides


def a_wave(scale: float = 1.0, **changes: Any) -> Any:
    """Usage between 60 and 105 %, a whole day ahead."""
    values = {"prediction": PREDICTION, "lower_bound": (0.0,) * 30, "upper_bound": UPPER}
    scaled = {name: tuple(scale * value for value in each) for name, each in values.items()}
    return a_forecast(issued_at=ISSUED_AT, created_at=ISSUED_AT, **scaled, **changes)


FORECASTS = {
    "without a maximum": a_wave(),
    "lent": a_wave(maximum=300.0),
    "capped": a_wave(maximum=105.0),
    "a fraction": a_wave(0.01, unit=Unit.FRACTION, guaranteed=1.0, maximum=1.2),
    "percent or fraction": a_wave(0.01, unit=None, guaranteed=None),
    "memory": a_wave(1_000.0, **MEMORY | {"guaranteed": 90_000.0, "maximum": 120_000.0}),
}


def of_outlook(outlook: dict[str, Any], name: str) -> Told:
    return outlook[f"likely_{name}"], outlook[f"possible_{name}"]


def of_steps(found: dict[str, Any] | None) -> Told:
    return (len(found["likely"]), len(found["possible"])) if found else (None, None)


def in_words(text: str, begin: str) -> Told:
    """`… likely in 2 steps, possible in 9 more steps, …` after these words."""
    [said] = re.findall(rf"{begin}: ([^\n]*)", text)
    counts = [re.search(rf"{word} in (\d+)", said) for word in ("likely", "possible")]
    return tuple(int(count[1]) if count else 0 for count in counts)  # type: ignore[return-value]


def on_page(text: str, mark: str) -> Told:
    """`likely 2 h, possible 9 h more` behind a mark, or in what is told of it under the pointer."""
    shown = re.sub(r"<[^>]* title=\"([^\"]*)\"[^>]*>|<[^>]+>", r" \1 ", text)
    said = " ".join(html.unescape(shown).split())
    if not (found := re.search(rf"(?:likely|possible) {mark} [^:]*: ([^:]*) from", said)):
        return 0, 0
    counts = [re.search(rf"{word} (\d+)", found[1]) for word in ("likely", "possible")]
    return tuple(int(count[1]) if count else 0 for count in counts)  # type: ignore[return-value]


def scraped(text: str, name: str) -> Told:
    samples = {
        sample.labels["certainty"]: int(sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }
    return samples.get("likely"), samples.get("possible")


@pytest.mark.parametrize("kind", FORECASTS)
def test_everybody_tells_the_same_of_limit_and_share(
    client: FlaskClient, store: Store, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    forecast = FORECASTS[kind]
    store.jobs.add(a_job())
    store.reports.save(a_report())
    store.forecasts.save(forecast)
    listed, of_job = client.get("/v1/queues").json, client.get("/v1/jobs/job-1/queues").json
    series = client.get("/v1/queues/root.etl/series").json
    report = client.get("/v1/jobs/job-1/queues/root.etl").json["forecast"]
    metrics, overview, page = (client.get(path).text for path in ("/metrics", "/", "/queues/root.etl"))
    [listing] = listed["queues"]
    for name, gauge, words in (
        ("over_limit", "queuecast_queue_over_limit_steps", "at its limit of [^:]*"),
        ("beyond_share", "queuecast_queue_beyond_share_steps", "beyond its share of [^:]*"),
    ):
        told = of_outlook(listing, name)
        assert of_outlook(of_job["queues"][0], name) == of_steps(series[name]) == of_steps(report[name]) == told
        assert scraped(metrics, gauge) == told
        if told[0] is not None and (name == "over_limit" or forecast.maximum is not None):
            print_series(series)
            assert in_words(capsys.readouterr().out, words) == told
            mark = words.partition(" of ")[0]
            assert on_page(overview, mark) == on_page(page, mark) == told
    assert of_outlook(listing, "above_100") == of_steps(series["above_100"]) == of_steps(report["above_100"])
    assert series["peak"] == report["peak"]
    assert (listing["peak_at"], listing["peak"]) == (series["peak"]["timestamp"], series["peak"]["prediction"])
    print_queues(listed)
    print_job(client.get("/v1/jobs/job-1").json, of_job)
    said = capsys.readouterr().out
    assert said.count("not known") == (3 if listing["limit"] is None else 0)  # of it, its share, and the risk in one word


def test_what_is_told_of_these_forecasts() -> None:
    """Ahead are 25 steps: the wave is at 100 or 105 in 6 of them, above 100 in 3, and its upper bound in 14 more."""
    told = {kind: asdict(outlook(forecast, ISSUED_AT + 5 * HOUR)) for kind, forecast in FORECASTS.items()}
    names = ("over_limit", "beyond_share", "above_100")
    assert {kind: [of_outlook(each, name) for name in names] for kind, each in told.items()} == {
        "without a maximum": [(6, 11), (3, 14), (3, 14)],
        "lent": [(0, 0), (3, 14), (3, 14)],
        "capped": [(3, 12), (3, 14), (3, 14)],
        "a fraction": [(0, 6), (3, 14), (3, 14)],
        "percent or fraction": [(None, None)] * 3,
        "memory": [(0, 6), (9, 12), (None, None)],
    }
