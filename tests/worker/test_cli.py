"""The verbs of the worker side: what they accept, write and end with. Workers at work: tests/integration."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from shared.command.root import build_app
from shared.config.settings import Settings
from shared.domain.samples import Limits
from shared.fleet.runstate import RunState
from shared.store import open_store
from shared.store.schema import VERSION
from tests.factories import a_calendar, a_forecast, a_load
from tests.polling import eventually
from tests.redis_servers import running_redis
from tests.servers import free_port
from tests.worker.pipeline.factories import a_covariate
from worker.backtest.options import bounds_of, limits_of
from worker.fleet.liveness import pulse_file

DAYS, ORIGINS = 8, 2
SCHEMA_5 = (Path(__file__).parents[1] / "shared" / "store" / "schema_5.sql").read_text()
HISTORY = ("--history", "5d", "--horizon", "24h", "--origins", str(ORIGINS), "--models", "seasonal_naive")


def run(*arguments: str) -> Result:
    """`queuecast` with these arguments."""
    return CliRunner().invoke(build_app(), arguments)


def run_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`queuecast` with these arguments, where it may set up signals and logs as it likes."""
    command = [sys.executable, "-c", "from shared.command.root import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)


# work and reap


@pytest.mark.parametrize("lanes", ["select,nowhere", "", ","])
def test_a_lane_that_does_not_exist_is_a_usage_error(settings: Settings, lanes: str) -> None:
    result = run("work", "--lanes", lanes, "--data-dir", str(settings.data_dir))
    assert result.exit_code == 2
    assert "accepted are select, check, plan, score, heavy" in result.stderr


def test_the_probe_loads_nothing_that_computes_since_engines_ask_every_few_seconds(settings: Settings) -> None:
    words = f"['work', '--alive', '--data-dir', {str(settings.data_dir)!r}]"
    code = (
        f"import sys; from shared.command.root import build_app; print(build_app()({words}, standalone_mode=False), *sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert said[0] == "1"
    assert not {"celery", "pandas", "numpy", "pymongo"} & set(said)


def test_the_probe_tells_a_worker_that_lives_from_one_that_does_not(settings: Settings) -> None:
    probe = ("work", "--alive", "--name", "probed", "--data-dir", str(settings.data_dir))
    assert run(*probe).exit_code == 1
    file = pulse_file(settings, "probed")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    assert run(*probe).exit_code == 0
    os.utime(file, (0, 0))
    assert run(*probe).exit_code == 1


def test_one_look_of_the_reaper_ends_by_itself(settings: Settings, run_state: RunState, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUECAST_STORE_URL", settings.store_location)
    done = run_process("reap", "--once", "--data-dir", str(settings.data_dir))
    assert done.returncode == 0
    assert [line for line in done.stderr.splitlines() if "was open to others" not in line] == []  # the folder of a test's broker


@pytest.mark.parametrize("verb", [("work", "--concurrency", "1"), ("reap",)], ids=lambda verb: verb[0])
def test_a_store_of_a_release_before_is_led_on_before_there_is_any_task(
    settings: Settings, run_state: RunState, monkeypatch: pytest.MonkeyPatch, verb: tuple[str, ...], tmp_path: Path
) -> None:
    store = tmp_path / "before" / "queuecast.db"
    store.parent.mkdir()
    with closing(sqlite3.connect(store)) as before:
        before.executescript(SCHEMA_5)
    monkeypatch.setenv("QUEUECAST_STORE_URL", f"sqlite://{store}")
    command = [sys.executable, "-c", "from shared.command.root import main; main()", *verb, "--data-dir", str(settings.data_dir)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = next(line for line in process.stderr if "led" in line)
        with closing(sqlite3.connect(store)) as after:
            eventually(lambda: after.execute("PRAGMA user_version").fetchone() == (VERSION,), what="the new schema")
        process.terminate()
    assert said == f"the store is led from schema 5 to {VERSION}\n"


def test_without_a_broker_the_reaper_ends_with_3(tmp_path: Path) -> None:
    done = run_process("reap", "--once", "--data-dir", str(tmp_path))
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1


# migrate


def test_a_store_whose_jobs_wrote_into_no_influxdb_has_nothing_to_migrate(exported: None) -> None:
    result = run("migrate", "influxdb", "--apply")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "there is nothing to do")
    assert run("migrate", "influxdb", "--json").stdout == "[]\n"


# forecast export


@pytest.fixture
def exported(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store with two forecasts, that the command finds by itself."""
    monkeypatch.setenv("QUEUECAST_STORE_URL", settings.store_location)
    store = open_store(settings.store_location)
    store.forecasts.save(a_forecast())
    store.forecasts.save(a_forecast(queue="root.adhoc", job_id="job-2"))
    store.close()


def test_forecasts_go_to_standard_output_as_csv(exported: None) -> None:
    done = run_process("forecast", "export", "--queue", "root.etl")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["prediction"] for row in rows] == ["50.0", "60.0", "55.0"]
    assert {row["queue"] for row in rows} == {"root.etl"}


def test_forecasts_go_to_a_file_in_the_format_of_its_ending(exported: None, tmp_path: Path) -> None:
    file = tmp_path / "forecasts.parquet"
    result = run("forecast", "export", "--out", str(file), "--json")
    assert json.loads(result.stdout) == {"file": str(file), "rows": 6}
    assert list(pd.read_parquet(file)["queue"].unique()) == ["root.adhoc", "root.etl"]


def test_the_forecasts_of_one_project_and_cluster_go_out_alone(exported: None, settings: Settings, tmp_path: Path) -> None:
    store = open_store(settings.store_location)
    for project, cluster in (("etl", "east"), ("etl", "west"), ("", "east")):
        store.forecasts.save(a_forecast(project=project, cluster=cluster))
    store.close()
    for options, rows in ((["--project", "etl"], 6), (["--project", ""], 3), (["--cluster", "east", "--project", "etl"], 3)):
        result = run("forecast", "export", *options, "--json", "--out", str(tmp_path / "f.csv"))
        assert json.loads(result.stdout)["rows"] == rows
    assert {(row["project"], row["cluster"]) for row in csv.DictReader((tmp_path / "f.csv").read_text().splitlines())} == {
        ("etl", "east")
    }
    assert run("forecast", "export", "--cluster", "nowhere").exit_code == 2


def test_the_format_may_be_said(exported: None, tmp_path: Path) -> None:
    file = tmp_path / "forecasts"
    assert run("forecast", "export", "--job-id", "job-2", "--format", "jsonl", "--out", str(file)).stdout == f"3 rows in {file}\n"
    assert {json.loads(line)["job_id"] for line in file.read_text().splitlines()} == {"job-2"}


@pytest.mark.parametrize(
    ("option", "value", "accepted"),
    [
        ("--format", "xlsx", "csv, parquet, jsonl"),
        ("--out", "forecasts.xlsx", ".csv, .parquet, .jsonl"),
        ("--out", "forecasts", ".csv, .parquet, .jsonl"),
    ],
)
def test_a_format_that_we_do_not_write_is_a_usage_error(exported: None, option: str, value: str, accepted: str) -> None:
    result = run("forecast", "export", option, value)
    assert result.exit_code == 2
    assert f"accepted are {accepted}" in result.stderr
    assert not Path(value).exists()


@pytest.mark.parametrize("name", ["nowhere/f.csv", "."])
def test_a_file_that_cannot_be_written_is_a_usage_error_that_names_it(exported: None, tmp_path: Path, name: str) -> None:
    out = tmp_path / name
    result = run("forecast", "export", "--format", "csv", "--out", str(out))
    assert result.exit_code == 2
    assert f"{out} cannot be written: " in result.stderr


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_that_there_is_no_forecast_yet_is_said_and_is_a_file_without_rows(
    exported: None, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setenv("QUEUECAST_STORE_URL", f"sqlite://{tmp_path / 'new.db'}")
    with closing(open_store(f"sqlite://{tmp_path / 'new.db'}")) as store:
        store.check()
    result = run("forecast", "export", "--out", str(tmp_path / f"f.{ending}"))
    assert (result.exit_code, result.stderr) == (0, "no queue has a forecast yet\n")
    assert (tmp_path / f"f.{ending}").exists()


@pytest.mark.parametrize("asked", [("--queue", "nowhere"), ("--job-id", "nowhere"), ("--queue", "root.etl", "--job-id", "job-2")])
def test_a_queue_or_job_without_forecast_is_a_usage_error_and_makes_no_file(
    exported: None, tmp_path: Path, asked: tuple[str, ...]
) -> None:
    result = run("forecast", "export", *asked, "--out", str(tmp_path / "f.csv"))
    assert (result.exit_code, "no such forecast is kept" in result.stderr) == (2, True)
    assert not (tmp_path / "f.csv").exists()


def test_without_a_file_json_is_one_value_with_every_row(exported: None) -> None:
    rows = json.loads(run("forecast", "export", "--queue", "root.etl", "--json").stdout)
    assert [(row["step"], row["prediction"]) for row in rows] == [(1, 50.0), (2, 60.0), (3, 55.0)]
    assert run("forecast", "export", "--json", "--format", "csv").exit_code == 2


def test_exporting_from_a_folder_that_is_not_there_makes_none(tmp_path: Path) -> None:
    assert run("forecast", "export", "--data-dir", str(tmp_path / "typo")).exit_code == 3
    assert not (tmp_path / "typo").exists()


# backtest


def usage(path: Path) -> Path:
    """A file in long form: two queues of DAYS days that end at MONDAY, in other words than ours."""
    frames = [
        pd.DataFrame({"unique_id": queue, "ds": load.index, "y": load.to_numpy()})
        for queue, load in (("a", a_load(DAYS * 24)), ("b", a_load(DAYS * 24, seed=8)))
    ]
    pd.concat(frames).to_csv(path, index=False)
    return path


WORDS = ("--queue-field", "unique_id", "--time-field", "ds", "--target", "y")


def summary_of(result: Result) -> dict[str, Any]:
    """The summary on stdout."""
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_backtest_writes_its_rows_and_says_how_good_each_queue_was_and_all_of_them(tmp_path: Path) -> None:
    out, summary = tmp_path / "forecasts.parquet", tmp_path / "summary.json"
    result = run(
        "backtest", str(usage(tmp_path / "usage.csv")), *WORDS, *HISTORY, "--out", str(out), "--summary", str(summary), "--json"
    )
    assert result.exit_code == 0
    frame, found = pd.read_parquet(out), summary_of(result)
    assert " ".join(frame.columns) == (
        "queue origin timestamp step actual prediction lower_bound upper_bound model hyperparameters"
        " q0.01 q0.05 q0.1 q0.25 q0.5 q0.75 q0.9 q0.95 q0.99"
    )
    assert len(frame) == 2 * ORIGINS * 24
    assert found == json.loads(summary.read_text())
    measures = {"mape", "wape", "crps_ratio", "smape", "mase", "coverage", "skill", "seconds"}
    assert set(found["queues"]) == {"a", "b"}
    assert [measures - set(part) for part in (*found["queues"].values(), found["overall"])] == [set()] * 3
    assert (found["queues"]["a"]["origins"], found["overall"]["queues"]) == (ORIGINS, 2)
    assert 0 <= found["overall"]["coverage"] <= 100


def test_for_a_person_the_summary_is_a_table(tmp_path: Path) -> None:
    result = run("backtest", str(usage(tmp_path / "usage.csv")), *WORDS, *HISTORY)
    queues, models = result.stdout.split("\n\n")
    assert [line.split()[0] for line in queues.splitlines()[:4]] == ["queue", "a", "b", "overall"]
    assert "2 queues, 4 forecasts" in queues
    header, *chosen = [line.split()[:2] for line in models.splitlines()]
    assert header == ["model", "chosen"]
    assert sum(int(count) for _, count in chosen) == 4


@pytest.mark.parametrize("holidays", ["DE", "de-BY", "2026-01-01, AT", ""])
def test_a_backtest_takes_what_a_request_takes(tmp_path: Path, holidays: str) -> None:
    out = tmp_path / "forecasts.csv"
    file = str(usage(tmp_path / "usage.csv"))
    rules = (
        "--queue",
        "b*",
        "--interval",
        "0.5",
        "--quantiles",
        "0.8",
        "--bounds",
        "10,55",
        "--timezone",
        "Europe/Berlin",
        "--holidays",
        holidays,
    )
    (tmp_path / "all.ics").write_bytes(a_calendar("DTSTART:20260103T080000Z|DURATION:PT2H|RRULE:FREQ=WEEKLY"))
    files = json.dumps({"ical": str(tmp_path / "all.ics"), "kind": "run"})
    event = ("--events", f'[{{"name": "fair", "start": "2026-01-05", "end": "2026-01-05T12:00:00Z"}}, {files}]')
    bad = ("--exclude", '[{"name": "outage", "start": "2026-01-03", "end": "2026-01-03T12:00:00Z"}]')
    kept = ("--accept-losses", "--out", str(out), "--json")  # half of the values lie outside the bounds
    found = summary_of(run("backtest", file, *WORDS, *HISTORY, *rules, *event, *bad, *kept))
    assert list(found["queues"]) == ["b"]
    assert found["queues"]["b"]["interval"] == 0.5
    frame = pd.read_csv(out)
    assert (frame["lower_bound"].min(), frame["upper_bound"].max()) >= (10, 55)
    assert frame["q0.99"].max() == 55
    assert ((frame["q0.75"] <= frame["q0.8"]) & (frame["upper_bound"] == frame["q0.75"])).all()


def test_a_backtest_reads_samples_as_a_request_says_it(tmp_path: Path) -> None:
    hours = pd.date_range("2026-01-01", periods=10 * 24, freq="h")
    rows = [
        f"{at:%Y-%m-%d %H:%M};etl;{part};{1_000 + at.hour if at.hour else -1},5" for at in hours for part in ("gpu", "default")
    ]
    (tmp_path / "usage.csv").write_text("ds;unique_id;partition;y\n" + "\n".join(rows) + "\n")
    said = ("--samples-timezone", "Europe/Berlin", "--csv", '{"separator": ";", "decimal": ","}', "--missing-values", "-1.5")
    for asked, queues in (
        (("--where", "partition=gpu"), ["etl"]),
        (("--queue-field", "unique_id,partition"), ["etl/default", "etl/gpu"]),
    ):
        result = run("backtest", str(tmp_path / "usage.csv"), *WORDS, *HISTORY, *said, *asked, "--json")
        assert sorted(summary_of(result)["queues"]) == queues
    refused = run("backtest", str(tmp_path / "usage.csv"), *WORDS, *HISTORY, "--csv", '{"decimal": ";"}')
    assert refused.exit_code == 2


def test_a_backtest_takes_how_late_samples_come_and_which_gaps_are_filled(tmp_path: Path) -> None:
    file, out = usage(tmp_path / "usage.csv"), tmp_path / "forecasts.csv"
    frame = pd.read_csv(file)
    before_gap, after_gap = frame[: (DAYS - 2) * 24 - 12], frame[(DAYS - 2) * 24 - 2 : DAYS * 24]
    pd.concat([before_gap, after_gap]).to_csv(file, index=False)  # ten hours, which end two steps before the first cutoff
    command = ("backtest", str(file), *WORDS, *HISTORY, "--json")
    for fill, origins in (("{}", 2), ('{"longest": "6h"}', 1), ('{"method": "interpolate"}', 2), ('{"method": "none"}', 1)):
        assert summary_of(run(*command, "--fill", fill))["queues"]["a"]["origins"] == origins
    run(*command, "--ingestion-delay", "3h", "--out", str(out))
    assert {origin[11:13] for origin in pd.read_csv(out)["origin"]} == {"21"}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (("--queues-from-columns", "--maximum", "most"), "each column is a queue; accepted are numbers"),
        (("--queues-from-columns", "--queue-field", "unique_id"), "accepted is that or --queue-field"),
        (("--maximum", "used_capacity"), "'used_capacity' is read as something else"),
    ],
)
def test_a_column_that_cannot_be_what_it_is_named_for_is_refused(tmp_path: Path, said: tuple[str, ...], told: str) -> None:
    result = run("backtest", str(usage(tmp_path / "usage.csv")), *HISTORY, *said)
    assert result.exit_code == 2
    assert told in result.stderr


def test_a_backtest_makes_one_value_of_the_samples_of_a_step_as_it_is_told(tmp_path: Path) -> None:
    halves = pd.date_range("2026-01-01", periods=2 * 10 * 24, freq="30min")
    rows = [f"{at.isoformat()},etl,{10 + 20 * (at.minute == 30) + at.hour}" for at in halves]
    (tmp_path / "usage.csv").write_text("timestamp,queue,used_capacity\n" + "\n".join(rows) + "\n")
    out = tmp_path / "forecasts.csv"
    assert run("backtest", str(tmp_path / "usage.csv"), *HISTORY, "--aggregation", "max", "--out", str(out)).exit_code == 0
    frame = pd.read_csv(out, parse_dates=["timestamp"])
    assert (frame["actual"] == 30 + frame["timestamp"].dt.hour).all()


def test_progress_is_shown_on_a_terminal_only_and_beside_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ("backtest", str(usage(tmp_path / "usage.csv")), *WORDS, *HISTORY, "--json")
    assert run(*command).stderr == ""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")  # for rich every stream is a terminal now
    result = run(*command)
    assert "2/2" in result.stderr
    assert set(summary_of(result)["queues"]) == {"a", "b"}


@pytest.mark.parametrize(
    ("text", "found"), [("0,", (0.0, None)), (",", (None, None)), (" -5 , 1e3", (-5.0, 1000.0)), (",100", (None, 100.0))]
)
def test_bounds_are_two_numbers_either_of_which_may_be_left_out(text: str, found: Any) -> None:
    assert bounds_of(text) == found


@pytest.mark.parametrize(
    ("guaranteed", "maximum", "found"),
    [("", "", None), ("100", "ceiling", Limits(guaranteed=100.0, maximum="ceiling")), ("", "2.5", Limits(maximum=2.5))],
)
def test_limits_are_numbers_or_columns(guaranteed: str, maximum: str, found: Limits | None) -> None:
    assert limits_of(guaranteed, maximum) == found


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--models", "prophte"), "known are ces, ets, fading_median"),
        (("--models", "prophte"), "did you mean 'prophet'?"),
        (("--maximum", "-1"), "--maximum"),
        (("--unit", "ratio"), "'fraction'"),
        (("--horizon", "1m"), "--horizon"),
        (("--step", "1mo"), "--step"),
        (("--timezone", "Mars/Olympus"), "Europe/Berlin"),
        (("--holidays", "XX"), "ISO 3166"),
        (("--holidays", "christmas"), "2026-01-01"),
        (("--exclude", '[{"start": "2026-01-05", "end": "2026-01-05"}]'), "objects with start, end, name"),
        (("--events", '[{"name": "fair"}]'), "objects with start, end, name, kind"),
        (("--events", "no.ics"), "an iCal file that is there"),
        (("--events", "fair"), "a JSON list of objects"),
        (("--events", '[{"name": "fair", "start": "2026-01-05", "end": "2026-01-04"}]'), "ends after their beginnings"),
        (("--ingestion-delay", "soon"), "--ingestion-delay: 'soon' is not a duration"),
        (("--ingestion-delay", "2mo"), "accepted are lengths from 1min to 31d"),
        (("--fill", '{"method": "spline"}'), '{"method": "interpolate", "previous_day" or "none", "longest": "6h"}'),
        (("--fill", '{"length": "6h"}'), "--fill"),
        (("--fill", '{"longest": "30min"}'), "at least one step"),
        (("--interval", "90"), "--interval"),
        (("--quantiles", "0.5,99"), "accepted are numbers from 0.01 to 0.99"),
        (("--quantiles", "half"), "accepted are numbers from 0.01 to 0.99"),
        (("--bounds", "100"), "0,100"),
        (("--bounds", "100,0"), "0,100"),
        (("--bounds", "nan,100"), "0,100"),
        (("--queue", "c*"), "known are a, b"),
        (("--out", "forecasts.xlsx"), ".parquet, .csv"),
        (("--out", "nowhere/forecasts.csv"), "folder"),
        (("--summary", "nowhere/summary.json"), "folder"),
        (("--decisions-out", "decisions.csv"), "accepted with --decisions"),
        (("--decisions", "--decisions-out", "decisions.xlsx"), ".parquet, .csv"),
        (("--decisions", "--decisions-out", "nowhere/decisions.csv"), "folder"),
        (("--decisions", "--kappa", "0"), "--kappa"),
    ],
)
def test_what_a_backtest_does_not_accept_is_said_before_it_computes(
    tmp_path: Path, arguments: tuple[str, ...], word: str
) -> None:
    result = run("backtest", str(usage(tmp_path / "usage.csv")), *WORDS, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert word in result.stderr


def test_a_backtest_takes_columns_from_further_files(tmp_path: Path) -> None:
    file, nodes = usage(tmp_path / "usage.csv"), tmp_path / "nodes.csv"
    heat = a_covariate(hours=DAYS * 24)
    pd.DataFrame({"unique_id": "a", "ds": heat.index, "heat": heat.to_numpy()}).to_csv(nodes, index=False)
    command = ("backtest", str(file), *WORDS, *HISTORY, "--models", "var", "--covariates")
    prices = summary_of(run(*command, str(nodes), "--json"))["queues"]
    assert ["var" in prices[queue]["seconds_by_model"] for queue in "ab"] == [True, False]
    result = run(*command, str(file))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "different names" in result.stderr


@pytest.mark.parametrize("name", ["absent.csv", "usage.json", "empty"])
def test_a_file_that_is_not_there_or_no_table_is_a_usage_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "usage.json").write_text("{}")
    (tmp_path / "empty").mkdir()
    result = run("backtest", str(tmp_path / name))
    assert (result.exit_code, "connection" in result.stderr) == (2, False)


@pytest.mark.parametrize(("target", "reason"), [("used_capacity", "a: "), ("load", "there are queue, timestamp, used_capacity")])
def test_a_backtest_in_which_nothing_could_be_forecast_ends_with_1_and_the_reasons(
    tmp_path: Path, target: str, reason: str
) -> None:
    file = tmp_path / "usage.csv"
    file.write_text("queue,timestamp,used_capacity\na,2026-01-05T00:00:00Z,1\n")
    result = run("backtest", str(file), *HISTORY, "--target", target)
    assert result.exit_code == 1
    assert reason in result.stderr


@pytest.mark.parametrize("verb", ["work", "reap"])
def test_nothing_is_started_on_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    with running_redis(tmp_path / "redis", "--cluster-enabled", "yes", "--cluster-port", str(free_port())) as server:
        monkeypatch.setenv("QUEUECAST_BROKER_URL", f"redis://127.0.0.1:{server.port}/0")
        ended = run_process(verb, "--data-dir", str(tmp_path))
    assert ended.returncode == 5
    assert "QUEUECAST_BROKER_URL: The broker is a Redis Cluster, which Queuecast cannot use" in ended.stderr
