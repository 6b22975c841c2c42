"""What is special to SQLite: several processes, kills, locks, and a file that SQL users read."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import pytest

from shared.domain.accuracy import AccuracyFilter
from shared.domain.jobs import JobFilter
from shared.domain.reports import Point
from shared.domain.timegrid import from_epoch, to_epoch
from shared.errors import InvalidSettings, RecordUnreadable, StoreAway
from shared.store import Store, open_store
from shared.store.actuals import ACTUALS
from shared.store.forecasts import FORECASTS
from shared.store.schema import VERSION
from tests.factories import MONDAY, a_forecast, a_job, a_report, a_request, a_schedule, a_series, an_accuracy, with_distribution
from tests.shared.store import crowd
from tests.shared.store.release_0_1 import RELEASE_0_1, check_what_every_release_kept, check_what_release_0_1_kept

HOUR = timedelta(hours=1)
LAST_SATURDAY = datetime(2026, 10, 23, 22, tzinfo=UTC)  # before the clocks of Berlin are changed


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "queuecast.db"


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite://{path}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = open_store(url, patience_seconds=0.2)
    yield opened
    opened.close()


@contextmanager
def plain_sql(path: Path) -> Iterator[sqlite3.Connection]:
    """As somebody with the sqlite3 command sees the file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


# Processes


def test_four_processes_that_open_new_files_at_once_all_find_them_ready(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.db" for number in range(20)]
    crowd.in_processes(crowd.open_all, [([f"sqlite://{path}" for path in paths],)] * 4)
    for path in paths:
        with plain_sql(path) as db:
            assert db.execute("PRAGMA user_version").fetchone() == (VERSION,)
            assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_writer_that_is_killed_leaves_no_half_written_forecast(store: Store, url: str, path: Path) -> None:
    doomed = get_context("spawn").Process(target=crowd.die_while_writing, args=(url,))
    doomed.start()
    doomed.join(60)
    assert doomed.exitcode == -9
    assert store.forecasts.find() == [a_forecast()]  # neither replaced nor mixed
    with plain_sql(path) as db:
        assert db.execute("SELECT count(*) FROM forecast_steps").fetchone() == (3,)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    store.forecasts.save(a_forecast(model="var"))  # and nobody is kept waiting
    assert [forecast.model for forecast in store.forecasts.find()] == ["var"]


# An earlier release's file

SCHEMAS = {n: Path(__file__).with_name(f"schema_{n}.sql").read_text() for n in (1, 2, 3, 4)}  # as those releases made their files
RECORDS = RELEASE_0_1["sqlite"]
STEPS = """
    INSERT INTO forecast_steps SELECT queue, metric, job, issued_at, issued_at + step.key * period_seconds, step.key + 1,
        step.value, json_extract(lower, '$[' || step.key || ']'), json_extract(upper, '$[' || step.key || ']')
    FROM (SELECT :queue AS queue, :metric AS metric, :job AS job, :issued_at AS issued_at, :period_seconds AS period_seconds,
        :lower_bound AS lower, :upper_bound AS upper), json_each(:prediction) AS step ORDER BY step.key DESC
"""


@pytest.fixture(params=SCHEMAS)
def schema(request: pytest.FixtureRequest) -> int:
    """Of an earlier release's file."""
    return int(request.param)


@pytest.fixture
def old(path: Path, url: str, schema: int) -> Iterator[Store]:
    """A store on a file of an earlier schema, with what its release could keep."""
    with plain_sql(path) as db:
        db.executescript(f"{SCHEMAS[schema]}; PRAGMA user_version = {schema};")
        for table, rows in RECORDS.items():
            columns = {name for _, name, *_ in db.execute(f"PRAGMA table_info({table})")}
            for row in rows if columns else []:
                names = [name for name in row if name in columns]
                marks = ", ".join(f":{name}" for name in names)
                db.execute(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", row)
                if table == "forecasts" and schema < 3:
                    db.execute(STEPS, row)
        if schema == 3:
            db.execute("INSERT INTO signing_keys VALUES ('session', 'an administrator')")
    with closing(open_store(url)) as opened:
        yield opened


def shape(path: Path) -> dict[str, object]:
    """Table → its columns, index → its statement; and what the file says of itself."""
    with plain_sql(path) as db:
        kept = db.execute("SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'").fetchall()
        tables = {name: db.execute(f"PRAGMA table_info({name})").fetchall() for kind, name, _ in kept if kind == "table"}
        version = db.execute("PRAGMA user_version").fetchone()
    return tables | {name: sql for kind, name, sql in kept if kind != "table"} | {"version": version}


def test_a_file_of_an_earlier_schema_is_taken_along_with_all_that_it_holds(old: Store, schema: int) -> None:
    if schema == 4:
        check_what_release_0_1_kept(old)
    else:
        check_what_every_release_kept(old)


def test_a_file_that_was_taken_along_is_like_a_new_one(old: Store, path: Path, tmp_path: Path) -> None:
    old.check()
    new = tmp_path / "new.db"
    with closing(open_store(f"sqlite://{new}")) as store:
        store.check()
    assert shape(path) == shape(new)


def test_a_record_of_an_earlier_release_that_cannot_be_read_is_carried_along(path: Path, url: str) -> None:
    with plain_sql(path) as db:
        db.executescript(f"{SCHEMAS[4]}; PRAGMA user_version = 4;")
        row = RECORDS["jobs"][0] | {"request": "not JSON"}
        db.execute(f"INSERT INTO jobs ({', '.join(row)}) VALUES ({', '.join(f':{name}' for name in row)})", row)
    with closing(open_store(url)) as store:
        assert store.jobs.find(JobFilter(), 9) == []
        with pytest.raises(RecordUnreadable, match="job-1"):
            store.jobs.get("job-1")
    with plain_sql(path) as db:
        assert "not JSON" in db.execute("SELECT document FROM jobs").fetchone()[0]


def test_four_processes_that_open_an_earlier_file_at_once_take_it_along_once(old: Store, url: str, path: Path) -> None:
    crowd.in_processes(crowd.open_all, [([url],)] * 4)
    assert shape(path)["version"] == (VERSION,)
    assert old.jobs.get("job-2").queued_at is None


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_a_file_that_keeps_documents_loses_nothing_however_far_the_number_is_raised(
    path: Path, url: str, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.store.schema.VERSION", VERSION + steps)
    with plain_sql(path) as db:
        db.executescript(Path(__file__).with_name("schema_5.sql").read_text())
    of_then = a_request(backtest_windows=3)  # so many were usual then; whoever sent the request may not have said so
    with closing(open_store(url)) as opened:
        assert (opened.jobs.get("job-1"), opened.reports.get("job-1", "root.etl")) == (a_job(request=of_then), a_report())
        accepting = a_schedule(request=replace(of_then, accept_losses=True))  # as it was when losses failed nothing
        assert (opened.forecasts.find(), opened.schedules.all()) == ([a_forecast()], [accepting])
        etl = a_series().series_id
        assert opened.accuracy.of_series(etl, AccuracyFilter.last_month(MONDAY + HOUR), 9) == [an_accuracy()]
        assert opened.actuals.get(etl, MONDAY, MONDAY + HOUR)[0].value == 1.5
        assert [token.token_id for token in opened.tokens.all()] == ["t-1"]
        assert opened.sessions.find("s") is not None
    assert shape(path)["version"] == (VERSION + steps,)


def test_somebodys_own_views_and_indexes_outlive_a_new_schema(path: Path, url: str) -> None:
    with plain_sql(path) as db:
        db.executescript(Path(__file__).with_name("schema_5.sql").read_text())
        db.execute("CREATE VIEW my_dash AS SELECT queue, prediction FROM forecast_latest")
        db.execute("CREATE VIEW my_jobs AS SELECT job_id FROM jobs")
        db.execute('CREATE INDEX "jobs_by_my own" ON jobs (created_at)')
    with closing(open_store(url)) as opened:
        assert opened.jobs.get("job-1").request == a_request(backtest_windows=3)
    with plain_sql(path) as db:
        assert db.execute("SELECT count(*) FROM my_dash").fetchone() == (3,)
        assert db.execute("SELECT job_id FROM my_jobs").fetchall() == [("job-1",)]


def test_what_a_file_lacks_of_tables_and_indexes_it_gets_when_it_is_opened(store: Store, path: Path, url: str) -> None:
    store.jobs.add(a_job())
    whole = shape(path)
    with plain_sql(path) as db:
        for lost in ("TABLE schedules", "TABLE accuracy", "INDEX jobs_unique", "VIEW forecast_latest"):
            db.execute(f"DROP {lost}")
    with closing(open_store(url)) as opened:
        assert (opened.schedules.all(), opened.jobs.get("job-1")) == ([], a_job())
    assert shape(path) == whole


def test_a_process_of_an_earlier_release_does_not_take_the_number_back(store: Store, path: Path) -> None:
    store.check()
    with plain_sql(path) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
    store.check()
    assert shape(path)["version"] == (VERSION + 1,)


# Away


def test_a_locked_file_is_away_for_writers_once_their_patience_is_over(store: Store, path: Path) -> None:
    store.jobs.add(a_job())
    with plain_sql(path) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with pytest.raises(StoreAway, match=r"queuecast\.db.*database is locked"):
            store.jobs.update("job-1", warnings=["w"])
        assert 0.2 <= time.monotonic() - began < 20
        assert store.jobs.get("job-1") == a_job()  # readers never wait for a writer
        other.execute("ROLLBACK")
    store.jobs.update("job-1", warnings=["w"])
    assert store.jobs.get("job-1").warnings == ("w",)


def test_a_file_that_is_locked_before_it_has_tables_is_away_until_it_is_free(store: Store, path: Path) -> None:
    with plain_sql(path) as other:
        other.execute("BEGIN IMMEDIATE")  # the switch to WAL is refused at once, whatever the busy timeout
        with pytest.raises(StoreAway, match="database is locked"):
            store.check()
    store.check()


def test_what_is_not_finite_is_not_kept_and_undoes_all_of_its_transaction(store: Store) -> None:
    store.reports.save(a_report())
    store.forecasts.save(a_forecast())
    with pytest.raises(ValueError, match="not finite"):
        store.reports.save(a_report(seconds=float("nan"), outcomes=()))
    with pytest.raises(ValueError, match="not finite"):
        store.forecasts.save(a_forecast(prediction=(1.0, 2.0, float("nan"))))
    assert (store.reports.get("job-1", "root.etl"), store.forecasts.find()) == (a_report(), [a_forecast()])


def test_of_actual_values_read_again_only_what_is_new_or_changed_is_written(store: Store, path: Path) -> None:
    def keep(*values: float) -> None:
        store.actuals.save(a_series(), [Point(timestamp=MONDAY + n * HOUR, value=value) for n, value in enumerate(values)])

    keep(1.0, 2.0, 3.0)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("CREATE TABLE written (value REAL)")
        for event in ("INSERT", "UPDATE"):
            db.execute(f"CREATE TRIGGER of_{event} AFTER {event} ON actuals BEGIN INSERT INTO written VALUES (new.value); END")
        db.execute("CREATE TRIGGER of_series AFTER UPDATE ON series BEGIN INSERT INTO written VALUES (-1); END")
        keep(1.0, 5.0, 3.0, 4.0)
        keep(1.0, 5.0, 3.0, 4.0)
        assert db.execute("SELECT value FROM written ORDER BY value").fetchall() == [(4.0,), (5.0,)]
    assert [point.value for point in store.actuals.get(a_series().series_id, MONDAY, MONDAY + 9 * HOUR)] == [1.0, 5.0, 3.0, 4.0]


def test_a_text_that_is_no_utf_8_takes_its_own_record_only(store: Store, path: Path) -> None:
    for number, queue in enumerate(("root.a", "root.b", "root.c")):
        store.jobs.add(a_job(job_id=f"job-{number}"))
        store.forecasts.save(a_forecast(queue=queue))
        store.actuals.save(a_series(queue), [Point(timestamp=MONDAY, value=1.0)])
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE jobs SET document = CAST(replace(document, 'job-1', x'ff') AS TEXT) WHERE job_id = 'job-1'")
        for table in ("forecasts", "actuals"):
            own = (a_series("root.b").series_id,)
            db.execute(f"UPDATE {table} SET series_id = CAST(x'726f6f742eff' AS TEXT) WHERE series_id = ?", own)
    assert sorted(job.job_id for job in store.jobs.open()) == ["job-0", "job-2"]
    with pytest.raises(RecordUnreadable, match="job-1"):
        store.jobs.get("job-1")
    ids = sorted(a_series(queue).series_id for queue in ("root.a", "root.c"))
    assert [row[0] for row in store.forecasts.records.distinct(FORECASTS, ["series_id"])] == ids
    assert len(store.actuals.records.find(ACTUALS)) == 2


def test_a_folder_in_place_of_the_file_and_one_that_cannot_be_made_are_away(path: Path, store: Store, tmp_path: Path) -> None:
    path.mkdir()
    with pytest.raises(StoreAway, match="unable to open database file"):
        store.check()
    (tmp_path / "file").touch()
    with pytest.raises(StoreAway, match=r"its folder cannot be made: (Not a directory|File exists)"):
        open_store(f"sqlite://{tmp_path / 'file' / 'queuecast.db'}").check()


def test_a_file_that_is_no_database_is_away_and_left_as_it_is(path: Path, store: Store) -> None:
    path.write_text("minutes of the last meeting " * 100)
    with pytest.raises(StoreAway, match="file is not a database"):
        store.check()
    assert path.read_text().startswith("minutes")


def test_a_file_of_a_newer_release_is_refused(path: Path, store: Store) -> None:
    with plain_sql(path) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(InvalidSettings, match=f"schema {VERSION + 1} of a newer release; this one knows {VERSION}"):
        store.check()


def test_an_sqlite_without_strict_tables_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 9))
    with pytest.raises(InvalidSettings, match=r"found SQLite .*, at least 3\.37 is needed"):
        open_store(url)


def test_a_closed_store_leaves_one_file_and_its_note_behind(store: Store, path: Path) -> None:
    store.jobs.add(a_job())
    store.close()
    assert sorted(file.name for file in path.parent.iterdir()) == ["queuecast.db", "queuecast.db.made"]


# SQL users


def latest(path: Path) -> list[tuple[float, ...]]:
    with plain_sql(path) as db:
        rows = db.execute(
            "SELECT (timestamp - ?) / 3600, prediction, step FROM forecast_latest ORDER BY timestamp", (to_epoch(MONDAY),)
        )
        return rows.fetchall()


def test_the_latest_forecast_is_shown_over_what_earlier_ones_said_of_earlier_times(store: Store, path: Path) -> None:
    store.forecasts.save(a_forecast(prediction=(1.0, 2.0, 3.0)))
    store.forecasts.save(a_forecast(issued_at=MONDAY + 2 * HOUR, prediction=(30.0, 40.0, 50.0)))
    store.forecasts.save(a_forecast(queue="root.etl", issued_at=MONDAY - HOUR, prediction=(7.0, 8.0, 9.0)))
    assert latest(path) == [(-1, 7.0, 1), (0, 1.0, 1), (1, 2.0, 2), (2, 30.0, 1), (3, 40.0, 2), (4, 50.0, 3)]
    store.forecasts.save(a_forecast(issued_at=MONDAY + 3 * HOUR, prediction=(8.0,), lower_bound=(0.0,), upper_bound=(9.0,)))
    assert latest(path)[-2:] == [(2, 30.0, 1), (3, 8.0, 1)]  # and no tail of an older, longer one


def test_every_forecast_ever_issued_is_shown_by_its_lead_time(store: Store, path: Path) -> None:
    for number in range(2):
        store.forecasts.save(a_forecast(issued_at=MONDAY + number * HOUR, model=f"model-{number}"))
    with plain_sql(path) as db:
        second_steps = db.execute(
            "SELECT timestamp, prediction, lower_bound, upper_bound, model FROM forecast_issued WHERE step = 2"
        )
        first, second = second_steps.fetchall()
    assert first == (to_epoch(MONDAY + HOUR), 60.0, 45.0, 75.0, "model-0")
    assert second == (to_epoch(MONDAY + 2 * HOUR), 60.0, 45.0, 75.0, "model-1")


@pytest.mark.parametrize(
    "condition", ["", "owner = 'x' AND ", "state = 'queued' AND ", "project = 'x' AND ", "user_name = 'x' AND "]
)
def test_a_page_of_jobs_is_read_from_an_index_in_order(store: Store, path: Path, condition: str) -> None:
    store.check()
    page = f"SELECT * FROM jobs WHERE {condition}(created_at, job_id) < (9, 'j') ORDER BY created_at DESC, job_id DESC LIMIT 5"
    with plain_sql(path) as db:
        (step,) = db.execute(f"EXPLAIN QUERY PLAN {page}").fetchall()
    assert "USING INDEX jobs_by_" in step[3]


def test_days_of_a_time_zone_come_back_where_they_were_in_the_view_too(store: Store, path: Path) -> None:
    midnights = (LAST_SATURDAY, LAST_SATURDAY + timedelta(hours=24), LAST_SATURDAY + timedelta(hours=49))
    days = {"step_seconds": 86_400, "timezone": "Europe/Berlin", "issued_at": LAST_SATURDAY}
    store.forecasts.save(a_forecast(**days, day_starts=midnights))
    store.forecasts.save(a_forecast(**days | {"timezone": "UTC"}))
    by_zone = {forecast.timezone: forecast for forecast in store.forecasts.find()}
    berlin = by_zone["Europe/Berlin"]
    assert (berlin.timestamps, berlin.end_at) == ([*midnights], midnights[2] + timedelta(days=1))
    for forecast in by_zone.values():
        with plain_sql(path) as db:
            own = "SELECT timestamp FROM forecast_latest WHERE series_id = ? ORDER BY step"
            assert [from_epoch(at) for (at,) in db.execute(own, (forecast.series_id,))] == forecast.timestamps


def test_quantiles_are_read_with_sql_a_row_for_each_level(store: Store, path: Path) -> None:
    forecast = with_distribution(a_forecast())
    store.forecasts.save(forecast)
    store.forecasts.save(a_forecast(queue="root.of.a.release.before"))
    with plain_sql(path) as db:
        rows = db.execute("SELECT queue, level, step, timestamp, value FROM forecast_quantiles ORDER BY level, step").fetchall()
    expected = [
        ("root.etl", level, step, int(at.timestamp()), value)
        for level, values in zip(forecast.quantiles.levels, forecast.quantiles.values, strict=True)
        for step, (at, value) in enumerate(zip(forecast.timestamps, values, strict=True), start=1)
    ]
    assert rows == expected


def test_a_view_of_an_earlier_release_is_made_anew(store: Store, path: Path, url: str) -> None:
    store.check()
    whole = shape(path)
    with plain_sql(path) as db:
        db.execute("DROP VIEW forecast_steps")
        db.execute("CREATE VIEW forecast_steps AS SELECT 1 AS step")
    with closing(open_store(url)) as opened:
        opened.check()
    assert shape(path) == whole
