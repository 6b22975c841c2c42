"""Nothing of what comes after a cutoff, of another queue, or of how the work is shared out reaches a forecast."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.connections.files import FilesConnection
from shared.domain.durations import Duration
from shared.domain.forecasts import Candidate, Score
from shared.domain.jobs import DataPlaces, JobRequest, Place
from shared.domain.occasions import Event
from shared.domain.search_space import grid_of
from tests.factories import MONDAY, a_load, a_request, a_spec
from tests.worker.pipeline.factories import a_covariate, a_snapshot
from worker.backtest.replay import columns_of, replay, rows
from worker.job.catalogue import model_cards
from worker.pipeline.backtest import fold_at
from worker.pipeline.score import score
from worker.pipeline.snapshot import Snapshot

QUEUES = ("root.adhoc", "root.etl", "root.llap")
ORIGIN = MONDAY - timedelta(days=1)
EVENTS = tuple(
    Event(name="run", start=ORIGIN - timedelta(days=days), end=ORIGIN - timedelta(days=days, hours=-3)) for days in (0, 2, 4)
)
SPEC = a_spec(windows=1, timezone="Europe/Berlin", holidays="DE", events=EVENTS)
QUICK = {"lstm": {"epochs": (2,), "learning_rate": (0.01,)}, "prophet": {"growth": ("flat",)}}
CANDIDATES = [
    Candidate(
        model=card.name, hyperparameters={name: values[0] for name, values in grid_of(card, QUICK.get(card.name, {})).items()}
    )
    for card in model_cards()
    if card.members is None  # a blend is made of what they forecast
]


def a_usage(**changes: Any) -> pd.DataFrame:
    """Three queues of 12 days in long form, with a covariate and a gap before the cutoff; `changes` = columns from it on."""
    frames = []
    for number, queue in enumerate(QUEUES):
        load = a_load(12 * 24, seed=number)
        memory = a_covariate(number, hours=12 * 24) + 1e8 * load
        frame = pd.DataFrame({"queue": queue, "timestamp": load.index, "used_capacity": load.values, "memory": memory.values})
        after = frame["timestamp"] >= ORIGIN
        for name, value in changes.items():
            frame.loc[after, name] = value
        frames.append(frame[(frame["timestamp"] < ORIGIN - timedelta(hours=3)) | after])
    return pd.concat(frames, ignore_index=True)


def forecasts(folder: Path, usage: pd.DataFrame, *, processes: int = 1, **changes: Any) -> pd.DataFrame:
    """What is forecast at the last cutoff, without what then happened."""
    folder.mkdir(exist_ok=True)
    usage.to_csv(folder / "usage.csv", index=False)
    place = Place(name="files")
    values: dict[str, Any] = {
        "data": DataPlaces(source=place, destination=place),
        "data_ingestion_time_period": Duration(10, "d"),
        "model": ("var", "prophet", "theta"),
        "hyperparameters": {"prophet": QUICK["prophet"]},
    }
    request: JobRequest = a_request(**(values | changes))
    found = replay(request, {"files": FilesConnection(path=folder)}, origins=1, processes=processes)
    assert [each.reasons for each in found] == [()] * len(found)
    return pd.DataFrame(rows(found), columns=columns_of(found)).drop(columns="actual")


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda candidate: candidate.model)
def test_no_model_sees_what_comes_after_a_cutoff(candidate: Candidate) -> None:
    snapshot = a_snapshot(memory=a_covariate())
    changed = snapshot.frame.copy()
    changed.iloc[-24:] = np.random.default_rng(5).uniform(0, 1e6, (24, 2))
    other = Snapshot(queue=snapshot.queue, target=snapshot.target, grid=snapshot.grid, frame=changed)
    first, second = (score(candidate, [fold_at(each, snapshot.length - 24, SPEC)], SPEC) for each in (snapshot, other))
    assert isinstance(first, Score)
    assert isinstance(second, Score)
    assert first.windows[0].prediction == second.windows[0].prediction
    assert first.windows[0].actual != second.windows[0].actual


@pytest.mark.parametrize("timezone", ["UTC", "Pacific/Kiritimati", "America/Los_Angeles"])
def test_in_every_time_zone_the_future_changes_nothing(tmp_path: Path, timezone: str) -> None:
    """14 hours ahead of UTC and 8 behind it: where its days begin must not decide what belongs to the history."""
    usages = (a_usage(), a_usage(used_capacity=1e6), a_usage(used_capacity=0.0, memory=0.0))
    calendar = {"timezone": timezone, "holidays": (date(2026, 1, 1), date(2026, 1, 4)), "queues": ("root.etl",)}
    before, *after = (forecasts(tmp_path, usage, **calendar) for usage in usages)
    for found in after:
        pd.testing.assert_frame_equal(before, found)


def test_another_order_of_rows_or_zone_of_times_gives_the_same_forecasts(tmp_path: Path) -> None:
    usage = a_usage()
    shuffled = usage.sample(frac=1, random_state=7)
    elsewhere = usage.assign(timestamp=usage["timestamp"].dt.tz_convert("Asia/Kolkata"))
    before, *after = (forecasts(tmp_path, each) for each in (usage, shuffled, elsewhere))
    for found in after:
        pd.testing.assert_frame_equal(before, found)


def test_queues_that_change_their_names_keep_their_forecasts(tmp_path: Path) -> None:
    usage = a_usage()
    renamed = usage.assign(queue=usage["queue"].map(dict(zip(QUEUES, QUEUES[1:] + QUEUES[:1], strict=True))))
    before, after = (forecasts(tmp_path, each).set_index("queue") for each in (usage, renamed))
    for old, new in zip(QUEUES, QUEUES[1:] + QUEUES[:1], strict=True):
        pd.testing.assert_frame_equal(before.loc[old].reset_index(drop=True), after.loc[new].reset_index(drop=True))


def test_one_process_and_two_give_the_same_forecasts_of_models_that_draw_numbers(tmp_path: Path) -> None:
    drawn = {"model": ("lstm", "prophet"), "hyperparameters": QUICK, "queues": QUEUES[:2]}
    one, two = (forecasts(tmp_path, a_usage(), processes=processes, **drawn) for processes in (1, 2))
    pd.testing.assert_frame_equal(one, two)
