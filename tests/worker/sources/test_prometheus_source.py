"""Metrics of a real Prometheus: what it makes of samples is what they are, and what cannot be told apart is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import numpy as np
import pandas as pd
import pytest

from shared.connections.prometheus import PrometheusConnection
from shared.domain.places import Place
from shared.domain.samples import Aggregation, Limits
from shared.domain.timegrid import TimeGrid
from shared.errors import EmptySeries, SourceNotFound, UnreadableData
from tests.gateway import gateway, passed_on
from tests.metrics_server import MetricsServer, Sample, samples_of
from tests.polling import eventually
from tests.prometheus_server import Prometheus, answering
from tests.worker.sources.queries import START, a_query
from tests.worker.sources.same import assert_same
from tests.worker.sources.stored import store_csv, store_parquet
from worker.sources._lost import BROKEN, OUTSIDE
from worker.sources.base import Query, Reading
from worker.sources.prometheus import asking
from worker.sources.prometheus.place import place_of
from worker.sources.prometheus.pushed import usual_queues
from worker.sources.prometheus_source import MAX_ASKED, PrometheusSource

QUEUES = ("root.etl", "root.adhoc")
ODD = 'a"b\\c.d|e(f){}$^é\t#'  # of a queue: every sign that means something in a query, a regular expression or both


def a_place(metric: str, **others: str) -> Place:
    return Place(name="prometheus", others={"metric": metric, **others})


def scraped() -> pd.DataFrame:
    """Ten days of two queues, every five minutes and sometimes late, with a hole; many samples lie on borders of steps."""
    rng = np.random.default_rng(3)
    frames = []
    for queue in QUEUES:
        times = pd.date_range(START - timedelta(days=2), START + timedelta(days=10), freq="5min", tz="UTC")
        late = pd.to_timedelta(np.where(rng.random(len(times)) < 0.3, rng.integers(1, 60_000, len(times)), 0), unit="ms")
        frame = pd.DataFrame({"queue": queue, "timestamp": times + late, "used": rng.gamma(4, 15, len(times)).round(6)})
        frames.append(frame[(frame.timestamp < "2026-01-04T05:00Z") | (frame.timestamp >= "2026-01-05T09:00Z")])
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="module")
def kept(metrics_server: MetricsServer) -> tuple[pd.DataFrame, str]:
    """The rows, and the metric that holds them."""
    rows = scraped()
    return rows, metrics_server.store(samples_of(rows))


def as_in_version_3(text: str) -> str:
    """A question to a server whose windows are open at their beginning, for one whose are not: a millisecond is left out."""
    form = parse_qs(text, keep_blank_values=True)
    if "query" not in form:
        return text
    shorter = re.sub(r"\[(\d+)ms\]", lambda found: f"[{int(found[1]) - 1}ms]", form["query"][0])
    return urlencode(form | {"query": [shorter.replace("[1m:30s]", "[59s:30s]")]}, doseq=True)


@pytest.fixture(params=["windows [t-d, t]", "windows (t-d, t]"])
def connection(request: pytest.FixtureRequest, metrics_server: MetricsServer) -> Iterator[PrometheusConnection]:
    """To a server of the version that there is, and to one with windows as version 3 has them."""
    if "[" in request.param:
        yield metrics_server.connection()
    else:
        with gateway(passed_on(metrics_server.url, as_in_version_3)) as seen:
            yield PrometheusConnection.model_validate({"url": seen.url})


def pushed(source: PrometheusSource, query: Query) -> Mapping[str, Reading]:
    """What the server makes whole steps of."""
    return usual_queues(replace(place_of(source._connection, source._metrics, query), query=query), [query.queue])


@pytest.mark.parametrize(
    ("step_seconds", "aggregation"), [(60, Aggregation.MEAN), *((25_200, aggregation) for aggregation in Aggregation)]
)
def test_what_is_read_is_what_the_same_samples_in_a_file_are(
    kept: tuple[pd.DataFrame, str], connection: PrometheusConnection, tmp_path: Path, step_seconds: int, aggregation: Aggregation
) -> None:
    rows, metric = kept
    start, end = map(TimeGrid(step_seconds).bucket_start, (START, START + timedelta(days=9)))
    changes = {
        "start": start,
        "end": end,
        "step_seconds": step_seconds,
        "aggregation": aggregation,
        "physical_range": (0.0, None),
    }
    source = PrometheusSource(connection)
    query = a_query(a_place(metric), target=metric, **changes)
    files, file_place = store_csv(tmp_path, rows.rename(columns={"used": metric}))
    expected = files.read(replace(query, place=file_place))
    assert bool(pushed(source, query)) == (aggregation not in {Aggregation.TIME_WEIGHTED_MEAN, Aggregation.P95})
    alone = {name: source.read(replace(query, queue=name)) for name in QUEUES}
    assert_same(alone[query.queue], replace(expected, notes=()))
    for name, reading in source.scan(query, QUEUES):
        assert isinstance(reading, Reading)
        pd.testing.assert_frame_equal(reading.frame, alone[name].frame, check_exact=True)
        assert (reading.rows, reading.newest_at, reading.oldest_at) == (
            alone[name].rows,
            alone[name].newest_at,
            alone[name].oldest_at,
        )


def test_many_samples_come_in_several_answers(
    kept: tuple[pd.DataFrame, str], metrics_server: MetricsServer, monkeypatch: Any
) -> None:
    _, metric = kept
    query = a_query(a_place(metric), target=metric, aggregation=Aggregation.TIME_WEIGHTED_MEAN)
    whole = PrometheusSource(metrics_server.connection()).read(query)
    monkeypatch.setattr(asking, "MAX_AT_A_TIME", 37)
    assert_same(PrometheusSource(metrics_server.connection()).read(query), whole)


def odd(value: float, **changes: Any) -> Any:
    return pytest.param(value, changes, id=f"{value} {' '.join(changes)}")


@pytest.mark.parametrize("aggregation", [Aggregation.MEAN, Aggregation.MEDIAN, Aggregation.MIN, Aggregation.MAX])
@pytest.mark.parametrize(
    ("value", "changes"), [odd(np.nan), odd(np.inf), odd(4294967295.0), odd(-1.0), odd(-1.0, missing_values=(-1.0,))]
)
def test_a_value_that_does_not_count_is_left_out_and_said_as_of_a_file(
    odd_values: tuple[MetricsServer, dict[str, str]], tmp_path: Path, value: float, changes: Any, aggregation: Any
) -> None:
    server, metrics = odd_values
    metric = metrics[str(value)]
    query = a_query(a_place(metric), target=metric, aggregation=aggregation, physical_range=(0.0, None), **changes)
    files, file_place = store_parquet(tmp_path, with_value(value).rename(columns={"used": metric}))
    source = PrometheusSource(server.connection())
    found = source.read(query)
    assert_same(found, replace(files.read(replace(query, place=file_place)), notes=()))
    what = () if changes or np.isnan(value) else (OUTSIDE if value < 0 else BROKEN,)
    assert tuple(loss.what for loss in found.losses) == what
    assert not pushed(source, query)


def with_value(value: float) -> pd.DataFrame:
    times = pd.date_range(START, periods=240, freq="15min", tz="UTC")
    rows = pd.DataFrame({"queue": "root.etl", "timestamp": times, "used": 10.0 + np.arange(240) % 7})
    rows.loc[101, "used"] = value
    return rows


@pytest.fixture(scope="module")
def odd_values(metrics_server: MetricsServer) -> tuple[MetricsServer, dict[str, str]]:
    """Metrics that hold each of these values once."""
    values = (np.nan, np.inf, 4294967295.0, -1.0)
    return metrics_server, {str(value): metrics_server.store(samples_of(with_value(value))) for value in values}


def points(value: float, *, late: float = 0.0, hours: range = range(48), **labels: str) -> Iterator[Sample]:
    for hour in hours:
        yield {"queue": "root.etl", **labels}, START.timestamp() + 3_600 * hour + late, value + hour % 5


def read(server: MetricsServer, metric: str, **changes: Any) -> Reading:
    return PrometheusSource(server.connection()).read(a_query(a_place(metric), target=metric, **changes))


def test_replicas_that_do_not_agree_are_refused_by_what_tells_them_apart(metrics_server: MetricsServer) -> None:
    metric = metrics_server.store([*points(10, instance="rm1:9100"), *points(30, instance="rm2:9100", late=7.5)])
    with pytest.raises(
        UnreadableData, match=r"its rows share steps, .* differ in 'instance' \(rm1:9100, rm2:9100\) .*; keep one with"
    ):
        read(metrics_server, metric)
    assert read(metrics_server, metric, where={"instance": ("rm2:9100",)}).frame[metric].min() == 30
    each = a_query(a_place(metric), target=metric, queue="", queue_field=("queue", "instance"))
    assert PrometheusSource(metrics_server.connection()).queues(each) == ["root.etl/rm1:9100", "root.etl/rm2:9100"]


def test_a_series_that_goes_on_under_another_label_is_one(metrics_server: MetricsServer) -> None:
    """A process that starts elsewhere; and a second one that tells the same at the same times."""
    moved = [
        *points(10, pod="a", hours=range(20)),
        *points(10, pod="b", hours=range(20, 48)),
        *points(10, pod="c", hours=range(30, 34)),
    ]
    reading = read(metrics_server, metrics_server.store(moved))
    assert (len(reading.frame), reading.rows, reading.duplicates) == (48, 52, 4)


def test_values_of_a_request_are_texts_whatever_they_look_like(metrics_server: MetricsServer) -> None:
    labels = [{"queue": ODD, "note": ODD}, {"queue": ".*", "note": "x"}, {"queue": "root.etl", "note": 'x"} or vector(1) #'}]
    metric = metrics_server.store([sample for own in labels for sample in points(10.0 * (1 + len(own["note"])), **own)])
    source = PrometheusSource(metrics_server.connection())
    query = a_query(a_place(metric), target=metric, queue="")
    assert source.queues(query) == sorted(own["queue"] for own in labels)
    for own in labels:
        reading = source.read(replace(query, queue=own["queue"], where={"note": (own["note"], "nothing")}))
        assert reading.frame[metric].min() == 10.0 * (1 + len(own["note"]))
        with pytest.raises(EmptySeries, match="that `where` keeps"):
            source.read(replace(query, queue=own["queue"], where={"note": (".+", "x|y", "")}))
    for beyond in (
        {"queue_fields": ('queue="x"} or',)},
        {"queue_fields": ("__name__",)},
        {"where": {"__name__": ("looked_at",)}},
    ):
        with pytest.raises(SourceNotFound, match="found no label"):
            source.read(replace(query, queue="x", **beyond))


def test_columns_are_metrics_that_the_connection_lets_be_read(metrics_server: MetricsServer) -> None:
    for name, value in {"qc_used_mb": 10, "qc_limit_mb": 60, "secret_mb": 1}.items():
        metrics_server.store(points(value), name)
    source = PrometheusSource(metrics_server.connection(readable=["qc_*"]))
    query = a_query(a_place("qc_used_mb"), target="qc_used_mb")
    both = source.read(replace(query, limits=Limits(maximum="qc_limit_mb"))).frame
    assert both.min().to_dict() == {"qc_used_mb": 10, "qc_limit_mb": 60}
    assert list(source.read(query).frame) == list(source.read(replace(query, target=None)).frame) == ["qc_used_mb"]
    with pytest.raises(UnreadableData, match=r"'secret_mb' is a metric beyond what prometheus is read in: qc_\*"):
        source.read(replace(query, columns=("secret_mb",)))
    with pytest.raises(SourceNotFound, match=r"found no metric 'qc_limits_mb' .*, there are qc_limit_mb"):
        source.read(replace(query, columns=("qc_limits_mb",)))
    with pytest.raises(SourceNotFound, match=r"metric 'secret_m' not found, there are qc_used_mb|, there are qc_limit_mb"):
        source.queues(replace(query, place=a_place("secret_m"), target="secret_m", queue=""))
    with pytest.raises(SourceNotFound, match="called by its name; say `target`: 'qc_used_mb', or in `metric_label`"):
        source.check(replace(query, target="used_capacity", queue=""))


def test_the_marker_of_a_series_that_ends_is_no_sample(tmp_path: Path) -> None:
    texts = iter(['used{queue="root.etl"} 5\n'] * 3)
    rules = tmp_path / "rules.yml"
    rules.write_text("groups: []\n")
    with answering(lambda _: next(texts, "other 1\n")) as scraped:
        server = Prometheus(tmp_path, rules=rules, scraped=scraped)
        server.start()
        try:
            eventually(lambda: server.query("other"), what="the end of the series")
            source = PrometheusSource(PrometheusConnection.model_validate({"url": f"http://127.0.0.1:{server.port}"}))
            start = TimeGrid(60).bucket_start(datetime.now(UTC) - timedelta(minutes=2))
            query = a_query(a_place("used"), target="used", start=start, end=start + timedelta(minutes=4), step_seconds=60)
            reading = source.read(query)
            assert pushed(source, query)
            assert (reading.rows, reading.non_finite, set(reading.frame.used)) == (3, 0, {5.0})
        finally:
            server.stop()


def test_of_a_counter_the_job_is_told_to_record_its_rate(metrics_server: MetricsServer) -> None:
    metric = metrics_server.store(points(10), "apps_completed_total")
    assert [text for text in read(metrics_server, metric).advice if f"`rate({metric}[5m])`" in text]


def test_names_of_many_queues_come_in_several_questions(metrics_server: MetricsServer) -> None:
    names = [f"root.{number}.{'x' * 400}" for number in range(2 * MAX_ASKED // 400)]
    metric = metrics_server.store([sample for name in names for sample in points(10, queue=name)])
    source = PrometheusSource(metrics_server.connection())
    query = a_query(a_place(metric), target=metric, queue="")
    assert source.together(query, len(names)) == len(names)
    assert source.together(replace(query, aggregation=Aggregation.TIME_WEIGHTED_MEAN), len(names)) == 0
    readings = dict(source.scan(query, [*names, "root.nowhere"]))
    assert [len(readings[name].frame) for name in names] == [48] * len(names)
    assert isinstance(readings["root.nowhere"], EmptySeries)


Form = dict[str, list[str]]
SPOILT: dict[str, Callable[[Form], Form]] = {
    "steps of its own": lambda form: {"start": [f"{float(form['start'][0]) // 5_400 * 5_400:.0f}"]},
    "refused": lambda _: {"query": ["1 +"]},
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_what_a_server_makes_no_steps_of_is_read_by_its_samples(
    kept: tuple[pd.DataFrame, str], metrics_server: MetricsServer, spoilt: str
) -> None:
    _, metric = kept
    query = a_query(a_place(metric), target=metric, step_seconds=5_400, start=START, end=START + timedelta(days=9))

    def change(text: str) -> str:
        form = parse_qs(text)
        return urlencode(form | SPOILT[spoilt](form), doseq=True) if "step" in form else text

    with gateway(passed_on(metrics_server.url, change)) as seen:
        source = PrometheusSource(PrometheusConnection.model_validate({"url": seen.url}))
        found = source.read(query)
        assert not pushed(source, query)
    assert_same(found, replace(PrometheusSource(metrics_server.connection()).read(query), oldest_at=found.oldest_at))
