"""LSTM: seeded, leaves the process as it was, learns what there is to learn."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch

from shared.errors import UnstableFit
from tests.worker.models.histories import a_history, an_extent, daily_wave
from worker.models.lstm_model import Lstm

SHORT = Lstm(epochs=3)
PROGRAM = """
from tests.worker.models.histories import a_history
from worker.models.lstm_model import Lstm
print(Lstm(epochs=3).forecast(a_history(), 24).tobytes().hex())
"""


def test_two_processes_with_the_same_seed_give_the_same_answer() -> None:
    other = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=120)
    assert other.stdout.strip() == SHORT.forecast(a_history(), 24).tobytes().hex()


def test_another_seed_gives_another_answer() -> None:
    history = a_history()
    assert (SHORT.forecast(history, 24) != SHORT.forecast(replace(history, seed=1), 24)).any()


def test_a_fit_takes_one_thread_and_leaves_the_random_state_of_the_process_alone() -> None:
    torch.manual_seed(42)
    before = torch.get_rng_state()
    SHORT.forecast(a_history(), 24)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == 1


def test_a_clean_daily_wave_is_learned_better_than_by_last_value() -> None:
    history = a_history(horizon=24)
    wave = (daily_wave(history.times) - 50) / 14
    forecast = Lstm().forecast(replace(history, target=wave[:-24]), 24)
    error = np.abs(forecast - wave[-24:]).mean()
    assert error < 0.1 * np.abs(wave[-25] - wave[-24:]).mean()


def test_a_habit_of_weekends_is_learned_better_than_yesterday_knows_it() -> None:
    history = a_history(28 * 24 + 5 * 24, horizon=24)  # the last known day is a Sunday
    weekend = history.calendar["is_weekend"].to_numpy()
    load = np.where(weekend == 1, -1.0, 1.0)
    forecast = Lstm(learning_rate=0.01).forecast(replace(history, target=load[:-24]), 24)
    assert np.abs(forecast - load[-24:]).mean() < 0.5 * np.abs(load[-25] - load[-24:]).mean()


def test_calendar_values_that_the_history_never_saw_are_not_made_up_from() -> None:
    history = a_history(14 * 24, horizon=24)
    stranger = history.calendar.assign(day_of_month=1e6)
    stranger.iloc[: history.length, stranger.columns.get_loc("day_of_month")] = np.arange(history.length)
    without = history.calendar.drop(columns="day_of_month")
    answers = [SHORT.forecast(replace(history, features=partial(pd.DataFrame, calendar)), 24) for calendar in (stranger, without)]
    assert answers[0].tobytes() == answers[1].tobytes()


@pytest.mark.parametrize(("days", "horizon", "needed"), [(1, 24, 72), (1, 72, 111), (1, 40, 79), (7, 24, 207)])
def test_the_network_needs_three_days_and_more_for_a_longer_horizon_or_context(days: int, horizon: int, needed: int) -> None:
    model = Lstm(context_days=days)
    reason = f"it needs {needed} steps of history for {horizon} steps ahead, found {needed - 1}"
    assert model.missing(an_extent(needed - 1, horizon=horizon)) == reason
    assert model.missing(an_extent(needed, horizon=horizon)) is None


def test_a_training_that_diverges_is_a_failure() -> None:
    with pytest.raises(UnstableFit, match="diverged"):
        SHORT.forecast(a_history(target=np.resize([1e300, -1e300, 1e299], 14 * 24)), 24)
