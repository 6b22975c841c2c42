"""The backtest: the very pipeline of a job, and nothing of what came after a cutoff."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from shared.config.connection import Connection
from shared.connections.files import FilesConnection
from shared.domain.durations import Duration
from shared.domain.jobs import DataPlaces, JobRequest, Place
from shared.errors import DataError, InvalidRequest, UnknownModel
from tests.factories import MONDAY, a_load, a_request
from tests.worker.pipeline.factories import a_covariate
from worker.backtest.replay import COLUMNS, QueueReplay, replay, rows
from worker.backtest.report import replay_request, run
from worker.pipeline.ensembles import BLENDS

QUEUES = ("root.adhoc", "root.etl", "root.llap")
HOUR = timedelta(hours=1)


def a_folder(folder: Path, change: dict[str, Any] | None = None) -> Connection:
    """A long file with three queues of 16 days; `change` sets every value from a time on."""
    frames = []
    for number, queue in enumerate(QUEUES):
        load = a_load(16 * 24, seed=number)
        if change:
            load[load.index >= change["since"]] = change["value"]
        frames.append(pd.DataFrame({"queue": queue, "timestamp": load.index, "used_capacity": load.to_numpy()}))
    folder.mkdir(exist_ok=True)
    pd.concat(frames).to_parquet(folder / "usage.parquet")
    return FilesConnection(path=folder)


def everything(**changes: Any) -> JobRequest:
    """A request for all files of a folder, with two models that are quick."""
    place = Place(name="files")
    values = {"model": ("prophet", "hour_mean"), "hyperparameters": {"prophet": {"growth": ("flat",)}}}
    return a_request(**({"data": DataPlaces(source=place, destination=place)} | values | changes))


def a_replay(connection: Connection, *, processes: int = 1, origins: int = 2, **changes: Any) -> list[QueueReplay]:
    return replay(everything(**changes), {"files": connection}, origins=origins, processes=processes)


def frame_of(found: list[QueueReplay]) -> pd.DataFrame:
    return pd.DataFrame(rows(found), columns=list(COLUMNS))


def test_there_is_one_row_per_queue_cutoff_and_step(tmp_path: Path) -> None:
    found = frame_of(a_replay(a_folder(tmp_path)))
    assert len(found) == len(QUEUES) * 2 * 24
    assert set(found["origin"]) == {MONDAY - timedelta(days=2), MONDAY - timedelta(days=1)}
    assert (found["timestamp"] == found["origin"] + (found["step"] - 1) * HOUR).all()
    assert ((found["lower_bound"] <= found["prediction"]) & (found["prediction"] <= found["upper_bound"])).all()
    assert found["actual"].notna().all()
    assert set(found["hyperparameters"].map(json.loads).map(type)) == {dict}


def test_nothing_after_a_cutoff_changes_what_is_forecast_there(tmp_path: Path) -> None:
    """Half of what comes after the last one is something else; by models, values and zones: tests/worker/test_leakage.py."""
    before = frame_of(a_replay(a_folder(tmp_path / "before")))
    after = frame_of(a_replay(a_folder(tmp_path / "after", {"since": MONDAY - 12 * HOUR, "value": 77.7})))
    unseen = [column for column in before.columns if column != "actual"]
    pd.testing.assert_frame_equal(before[unseen], after[unseen])
    assert not before["actual"].equals(after["actual"])


def test_other_queues_change_nothing(tmp_path: Path) -> None:
    together = frame_of(a_replay(a_folder(tmp_path)))
    alone = frame_of(a_replay(a_folder(tmp_path), queues=("root.etl",)))
    pd.testing.assert_frame_equal(together[together["queue"] == "root.etl"].reset_index(drop=True), alone)


def test_auto_tries_everything_and_may_choose_a_blend(tmp_path: Path) -> None:
    """Five days of history keep it short; on a wave with noise the blends are ahead."""
    auto = {"model": "auto", "hyperparameters": {}, "data_ingestion_time_period": Duration(5, "d"), "queues": ("root.etl",)}
    connection = a_folder(tmp_path)
    first, second = (a_replay(connection, origins=1, **auto) for _ in range(2))
    pd.testing.assert_frame_equal(frame_of(first), frame_of(second))
    (result,) = first[0].results
    assert result.forecast.model in BLENDS
    assert str(result.forecast.hyperparameters["members"]).count(", ") >= 2
    assert {"theta", "ces", "ets", "mstl", "mfles", "prophet"} <= set(result.seconds_by_model)
    assert sum(result.seconds_by_model.values()) <= result.seconds


def test_columns_of_another_place_come_along_as_in_a_job(tmp_path: Path) -> None:
    connections = {"files": a_folder(tmp_path / "usage"), "nodes": FilesConnection(path=tmp_path)}
    heat = a_covariate(hours=16 * 24)
    pd.DataFrame({"queue": "root.etl", "timestamp": heat.index, "heat": heat.to_numpy()}).to_csv(
        tmp_path / "nodes.csv", index=False
    )
    usage, nodes = Place(name="files"), Place(name="nodes", path="nodes.csv")
    both = DataPlaces(source=(usage, nodes), destination=usage)
    request = everything(data=both, model=("var",), hyperparameters={}, queues=("root.etl", "root.llap"))
    found = {each.queue: each for each in replay(request, connections, origins=1)}
    assert "var" in found["root.etl"].results[0].seconds_by_model
    assert "var" not in found["root.llap"].results[0].seconds_by_model  # there is no second column of it


def test_progress_is_told_queue_by_queue(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    replay(
        everything(model=("hour_mean",), hyperparameters={}),
        {"files": a_folder(tmp_path)},
        origins=1,
        on_progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_queue_that_cannot_be_forecast_says_why_and_the_others_go_on(tmp_path: Path) -> None:
    connection = a_folder(tmp_path)
    (tmp_path / "root.short.csv").write_text("timestamp,used_capacity\n2026-01-01T00:00Z,5\n")
    found = {each.queue: each for each in a_replay(connection, model=("hour_mean",), hyperparameters={})}
    assert "not more than one horizon" in found["root.short"].reasons[0]
    assert {queue: found[queue].reasons for queue in QUEUES} == dict.fromkeys(QUEUES, ())


@pytest.mark.parametrize(("minutes_left", "steps"), [(0, 0), (1, 0), (20, 1), (59, 1)])
def test_a_last_hour_that_has_only_begun_is_no_actual_value(tmp_path: Path, minutes_left: int, steps: int) -> None:
    """Samples of every minute; the last cutoff lies one horizon before the end of the last whole hour."""
    load = a_load(6 * 24).resample("1min").ffill().iloc[: (6 * 24 - 1) * 60]
    times = pd.date_range(end=MONDAY - timedelta(minutes=1 + minutes_left), periods=len(load), freq="1min")
    frame = pd.DataFrame({"queue": "root.etl", "timestamp": times, "used_capacity": load.to_numpy()})
    frame.to_csv(tmp_path / "usage.csv", index=False)
    found = frame_of(a_replay(FilesConnection(path=tmp_path), origins=1, model=("hour_mean",), hyperparameters={}))
    assert found["timestamp"].max() == MONDAY - (1 + steps) * HOUR


def test_a_file_without_the_column_is_refused_with_those_it_has(tmp_path: Path) -> None:
    a_folder(tmp_path)
    asked = a_replay_request(tmp_path / "usage.parquet", target="load")
    found = run(*asked, origins=1, processes=1, out=None, summary_file=None)
    assert not found.queues
    assert "used_capacity" in found.failures["root.etl"][0]


def test_an_unknown_model_is_refused_once_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownModel, match="hour_mean"):
        a_replay(a_folder(tmp_path), model=("hourmean",), hyperparameters={})


def test_an_empty_folder_has_nothing_to_replay(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no CSV or Parquet file"):
        a_replay(FilesConnection(path=tmp_path))


def a_replay_request(path: Path, **fields: str) -> tuple[JobRequest, dict[str, Connection]]:
    return replay_request([path], ("1h", "14d", "1d"), ("hour_mean",), **fields)


def test_the_files_and_the_summary_are_written_whole(tmp_path: Path) -> None:
    a_folder(tmp_path)
    path, out, summary = tmp_path / "usage.parquet", tmp_path / "out.csv", tmp_path / "summary.json"
    found = run(*a_replay_request(path), origins=2, processes=1, out=out, summary_file=summary)
    assert json.loads(summary.read_text()) == asdict(found)
    assert len(pd.read_csv(out)) == len(QUEUES) * 2 * 24
    assert found.overall.queues == len(QUEUES)
    assert found.queues["root.etl"].origins == 2
    assert 0 <= (found.overall.coverage or 0) <= 100


def test_an_ending_that_names_no_format_is_refused_before_anything_is_computed(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"\.parquet, \.csv"):
        run(
            *a_replay_request(tmp_path / "none.csv"),
            origins=1,
            processes=1,
            out=tmp_path / "out.xlsx",
            summary_file=None,
        )


def test_a_step_has_a_fixed_length(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="months"):
        replay_request([tmp_path], ("1mo", "14d", "1d"), "auto")
