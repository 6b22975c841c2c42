"""Dashboards and alerts ask real servers for what our processes tell: every query is run, and every one is answered."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import isnan
from typing import Any

import pytest
import yaml

from shared.domain.distribution import Quantiles
from tests.architecture.house import ROOT
from tests.deploy.manifests import DEPLOY, resources
from tests.deploy.monitoring import DASHBOARDS, RULES, RULES_FILE, everything_shown, panels, selectors
from tests.factories import a_forecast
from tests.fetching import FLUX
from tests.influx_server import Influxd
from tests.polling import eventually
from tests.prometheus_server import Prometheus, answering
from tests.servers import missing
from worker.sinks._influx_points import lines_of

DATASOURCES = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/queuecast.yaml").read_text())["datasources"]
SOURCES = {source["uid"]: source["type"] for source in DATASOURCES}
QUERIES = [target["expr"] for panel in panels("operations") for target in panel["targets"]]
FORECAST = a_forecast(
    issued_at=datetime.now(UTC).replace(minute=0, second=0, microsecond=0),
    quantiles=Quantiles(levels=(0.25, 0.75), values=((40.0,) * 3, (60.0,) * 3)),
    mape=7.5,
)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """One that reads a fleet in which everything happens, and has done so twice."""
    with answering(lambda _: everything_shown()) as port:
        server = Prometheus(tmp_path_factory.mktemp("prometheus"), rules=RULES_FILE, scraped=port)
        server.start()
        try:
            eventually(lambda: server.query("count_over_time(queuecast_reaper_up[1m]) >= 3"), what="three scrapes")
            yield server
        finally:
            server.stop()


@pytest.mark.parametrize("expression", QUERIES)
def test_every_panel_s_query_is_answered(prometheus: Prometheus, expression: str) -> None:
    values = [float(found["value"][1]) for found in prometheus.query(expression)]
    assert any(not isnan(value) for value in values), expression


@pytest.mark.parametrize(("name", "messages"), [("worker", 9), ("heavy", 3)])
def test_a_fleet_is_scaled_by_what_waits_what_runs_and_what_is_yet_to_be_let_in(
    prometheus: Prometheus, name: str, messages: int
) -> None:
    triggers = resources("ScaledObject")[name]["spec"]["triggers"]
    [query] = [trigger["metadata"]["query"] for trigger in triggers if trigger["type"] == "prometheus"]
    assert [found["value"][1] for found in prometheus.query(query)] == [str(messages)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_asks_for_series_that_are_there_with_the_labels_that_it_names(
    prometheus: Prometheus, rule: dict[str, Any]
) -> None:
    asked = [*selectors(rule["expr"])]
    for selector in asked:
        assert prometheus.query(selector), selector
    for grouped, selector in re.findall(r"by \(([^)]+)\) \((?:increase\()?(queuecast_\w+)", rule["expr"]):
        labels = prometheus.query(selector)[0]["metric"]
        assert {name.strip() for name in grouped.split(",")} <= labels.keys()
    assert asked or rule["expr"].startswith("up{")


def test_prometheus_can_carry_out_every_rule(prometheus: Prometheus) -> None:
    def evaluated() -> list[str]:
        return [rule["health"] for rule in prometheus.rules_now() if rule["health"] != "unknown"]

    eventually(lambda: len(evaluated()) == len(RULES), what="an evaluation")
    assert set(evaluated()) == {"ok"}


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_has_panels_with_titles_units_and_known_sources(path: Any) -> None:
    dashboard = json.loads(path.read_text())
    variables = {f"${{{each['name']}}}": each for each in dashboard["templating"]["list"]}
    chosen = {name: each["query"] for name, each in variables.items() if each["type"] == "datasource"}
    assert {each["current"]["value"] for each in variables.values() if each["type"] == "datasource"} <= SOURCES.keys()
    assert dashboard["uid"].startswith("queuecast-")
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    for panel in dashboard["panels"]:
        assert panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        for target in panel["targets"]:
            source = target.get("datasource", panel["datasource"])
            assert source["type"] == (SOURCES | chosen)[source["uid"]]
            text = target.get("query", "")
            assert set(re.findall(r"\$\{\w+\}", text)) <= variables.keys()


def test_dashboards_have_uids_of_their_own_and_no_panel_lies_on_another() -> None:
    documents = [json.loads(path.read_text()) for path in DASHBOARDS]
    assert len({document["uid"] for document in documents}) == len(documents)
    for document in documents:
        cells = [
            (x, y)
            for place in (panel["gridPos"] for panel in document["panels"])
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        ]
        assert len(set(cells)) == len(cells)


def test_both_dashboards_of_forecasts_ask_for_what_the_sink_writes_of_one_job() -> None:
    for name, job in (("forecast", 'r.job == "${job}"'), ("forecast-influxql", "\"job\" = '${job}'")):
        queries = [target["query"] for panel in panels(name) for target in panel["targets"]]
        for column in ("prediction", "lower_bound", "upper_bound", "q0.25", "q0.75", "mape"):
            assert sum(f'"{column}"' in query for query in queries) == 1
        of_sink = [query for query in queries if "source_measurement" not in query]
        assert len(of_sink) == len(queries) - 1
        assert all(job in query and "${metric}" in query for query in of_sink)


def test_every_flux_query_has_the_types_that_its_functions_want() -> None:
    """By InfluxData's own checker: no server of version 2 can be had for tests."""
    queries = [target["query"] for panel in panels("forecast") for target in panel["targets"]]
    wrong = [queries[0].replace("_value", '_value", 1, "'), queries[0].replace("range(", "rang("), queries[0].replace(")", "", 1)]
    assert are_flux([*queries, *wrong]) == [True] * len(queries) + [False] * len(wrong)


def are_flux(queries: list[str]) -> list[bool]:
    """Whether each is a query, filled in."""
    checker, node = ROOT / ".dev" / FLUX, shutil.which("node")
    if node is None or not checker.exists():
        missing("flux-lsp-node")
    clock = "option v = {timeRangeStart: -1h, timeRangeStop: now()}\n"
    texts = json.dumps([clock + re.sub(r"\$\{\w+\}", "some", query) for query in queries])
    program = (
        f"const flux = require({str(checker)!r}); console.log(JSON.stringify({texts}.map(text => flux.is_valid_flux(text))))"
    )
    done = subprocess.run([str(node), "-e", program], capture_output=True, text=True, timeout=60, check=True)
    valid: list[bool] = json.loads(done.stdout)
    return valid


def test_every_query_of_the_influxql_dashboard_is_answered_by_a_real_server(influxd: Influxd) -> None:
    """Of two jobs that forecast one queue, and of two projects, each is a series of its own."""
    forecasts, actual = influxd.make_database("dashboard_forecasts"), influxd.make_database("dashboard_actual")
    for number, changes in enumerate(({}, {"job": "another"}, {"project": "another"})):
        prediction = (50.0 + number,) * 3
        influxd.write(lines_of(a_forecast(**vars_of(prediction) | changes), "queue_usage"), forecasts)
    now = int(FORECAST.issued_at.timestamp())
    influxd.write([f"queue_metrics,queue=root.etl used_capacity={40 + hour} {now - hour * 3600}" for hour in range(3)], actual)
    shown = {}
    for panel in panels("forecast-influxql"):
        for target in panel["targets"]:
            database = actual if target["datasource"]["uid"] == "${actual}" else forecasts
            shown[target["alias"]] = influxd.query(filled_in(target["query"]), database)
    assert shown.keys() == {"prediction", "upper_bound", "lower_bound", "q0.75", "q0.25", "actual", "mape"}
    assert {series.tags["project"]: series.rows[0][1] for series in shown["prediction"]} == {
        "another": 52.0,
        FORECAST.project: 50.0,
    }
    assert [row[1] for row in shown["actual"][0].rows if row[1] is not None] == [42.0, 41.0, 40.0]
    assert [series.rows[0][1] for series in shown["mape"]] == [7.5, 7.5]


def vars_of(prediction: tuple[float, ...]) -> dict[str, Any]:
    """What the forecasts of this test have."""
    return {"issued_at": FORECAST.issued_at, "quantiles": FORECAST.quantiles, "mape": FORECAST.mape, "prediction": prediction}


def filled_in(query: str) -> str:
    """The query as Grafana sends it."""
    values = {"measurement": "queue_usage", "source_measurement": "queue_metrics", "queue": "root.etl"}
    values |= {"metric": "used_capacity", "job": FORECAST.job}
    start, end = (int((FORECAST.issued_at + timedelta(days=days)).timestamp() * 1000) for days in (-3, 3))
    text = re.sub(r"\$\{(\w+)\}", lambda name: values[name[1]], query)
    return text.replace("$timeFilter", f"time >= {start}ms and time <= {end}ms")
