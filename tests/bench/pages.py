"""What the dashboard costs: `python -m tests.bench.pages`.

A store with 500 queues, 30 days of hours each and a forecast of three days. The overview: CPU of the server's process around the
call, bytes of the page as browsers ask for it (gzip), and with all that they load for it. The chart: milliseconds in the browser
for four series of 20,000 points, from the data at hand to the pixels. Medians of nine; timings of a shared machine, never a test.
"""

from __future__ import annotations

import json
import logging
import random
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import sync_playwright

from api.app import create_app
from shared.config.settings import Settings
from shared.domain.reports import Point
from shared.domain.timegrid import TimeGrid
from shared.store import Store, open_store
from tests.api.serving import serving
from tests.bench.fleet.figures import Figure, circumstances
from tests.browser.looking import CHROMIUM, OPTIONS
from tests.factories import a_forecast, a_series

QUEUES, DAYS, HORIZON = 500, 30, 72
POINTS, SERIES = 20_000, 4
REPEATED = 9
GZIP = {"Accept-Encoding": "gzip"}
PAGES = ("/", "/decisions", "/tree", "/jobs", "/jobs/new", "/schedules", "/queues/root.q000", "/docs", "/openapi.json")

DRAWING = """async ([points, count]) => {
  const { draw } = await import(document.querySelector("script[src*='chart.js']").src);
  const times = Array.from({ length: points }, (_, n) => 1.7e9 + n * 60);
  const wave = (shift) => times.map((_, n) => 60 + 30 * Math.sin(n / 700 + shift) + 10 * Math.random());
  const columns = [times, ...Array.from({ length: count }, (_, n) => wave(n))];
  const chart = document.getElementById("chart");
  chart.chart.destroy(); // with it goes the part of time that it showed
  chart.chart = undefined;
  const started = performance.now();
  draw([{ name: "made up" }], columns);
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done))); // uPlot draws after the script has returned
  document.querySelector("#chart canvas").getContext("2d").getImageData(0, 0, 1, 1); // waits for the pixels
  const spent = performance.now() - started;
  const { min, max } = chart.chart.scales.x;
  if (min !== times[0] || max !== times.at(-1)) throw new Error("not all points are drawn");
  return spent;
}"""


def main() -> None:
    """Measure and print."""
    print(json.dumps(circumstances()))
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), store_url=f"sqlite://{folder}/queuecast.db")
        with closing(open_store(settings.store_location)) as store:
            fill(store)
        app = create_app(settings)
        for figure in measured(app):
            print(figure.line(), flush=True)


def measured(app: Flask) -> Iterator[Figure]:
    """Each figure as soon as it is known."""
    client = app.test_client()
    yield Figure(
        part="pages",
        what=f"overview of {QUEUES} queues: server CPU",
        value=1_000 * median_cpu(lambda: client.get("/", headers=GZIP)),
        unit="ms",
        hold=("≤", 150),
    )
    for path in PAGES:
        answer = client.get(path, headers=GZIP)
        yield Figure(part="pages", what=f"{path}: compressed", value=len(answer.data) / 1_000, unit="kB", hold=("≤", 60))
    yield Figure(
        part="pages", what="overview: the page and what it loads", value=transferred(client) / 1_000, unit="kB", hold=("≤", 300)
    )
    yield Figure(
        part="pages",
        what="queue page: server CPU",
        value=1_000 * median_cpu(lambda: client.get("/queues/root.q000", headers=GZIP)),
        unit="ms",
    )
    with serving(app) as url:
        yield Figure(part="pages", what=f"chart of {SERIES} x {POINTS:,} points", value=drawn_in(url), unit="ms", hold=("≤", 300))


def fill(store: Store) -> None:
    """The made-up past and forecast of every queue."""
    chance, now = random.Random(7), TimeGrid(3_600).bucket_start(datetime.now(UTC))
    hour = timedelta(hours=1)
    for number in range(QUEUES):
        queue = f"root.q{number:03d}"
        past = [Point(timestamp=now - n * hour, value=40 + 50 * chance.random()) for n in range(DAYS * 24, 0, -1)]
        store.actuals.save(a_series(queue), past)
        prediction = [40 + 50 * chance.random() for _ in range(HORIZON)]
        bounds: dict[str, Any] = {
            "lower_bound": tuple(value * 0.8 for value in prediction),
            "upper_bound": tuple(value * 1.25 for value in prediction),
        }
        store.forecasts.save(a_forecast(queue=queue, issued_at=now, created_at=now, prediction=tuple(prediction), **bounds))


def median_cpu(call: Callable[[], object]) -> float:
    """CPU seconds of one call, after a first one that imports and compiles."""
    call()
    spent = []
    for _ in range(REPEATED):
        started = time.process_time()
        call()
        spent.append(time.process_time() - started)
    return statistics.median(spent)


def transferred(client: FlaskClient) -> int:
    """Bytes of the overview and of every file of ours that it names; browsers keep the files, so this is the first visit."""
    page, sent = client.get("/"), client.get("/", headers=GZIP)
    files = re.findall(r"(?:src|href)=\"(/static/[^\"]+)\"", page.text)
    return len(sent.data) + sum(len(client.get(file, headers=GZIP, buffered=True).data) for file in files)


def drawn_in(url: str) -> float:
    """Milliseconds, the median of several."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=f"/usr/bin/{CHROMIUM[0]}", args=OPTIONS)
        page = browser.new_page()
        page.goto(f"{url}/queues/root.q000")
        page.locator("#chart[data-drawn]").wait_for()
        found = [float(page.evaluate(DRAWING, [POINTS, SERIES])) for _ in range(REPEATED)]
        browser.close()
    return statistics.median(found)


if __name__ == "__main__":
    main()
