"""The kind of a queue spares it dear fits that cannot help, unless somebody has named them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from shared.domain.choice import Effort
from shared.domain.lanes import Lane
from tests.factories import MONDAY, a_load, a_request
from worker.job.catalogue import model_cards
from worker.pipeline.ensembles.weighted import LAST_VALUE
from worker.pipeline.queue import PreparedQueue, prepare_queue
from worker.sources.base import Reading

DEAR = {"prophet", "mstl", "ets", "lstm"}


def prepared(load: pd.Series, **changes: object) -> PreparedQueue:
    reading = Reading(frame=load.to_frame(), rows=len(load))
    return prepare_queue(a_request(**changes), reading, queue="root.etl", issued_at=MONDAY, cards=model_cards())


def tried(queue: PreparedQueue) -> set[str]:
    return {candidate.model for candidate in queue.work.candidates}


@pytest.fixture(scope="module")
def bursts() -> pd.Series:
    """In use in a third of the hours, nobody knows in which."""
    load = a_load()
    return load.where(np.random.default_rng(1).random(len(load)) < 0.3, 0.0)


def test_an_intermittent_queue_is_spared_dear_fits_and_says_so(bursts: pd.Series) -> None:
    queue = prepared(bursts, effort=Effort.THOROUGH)
    assert queue.quality.kind == "intermittent"
    assert not tried(queue) & DEAR
    assert {"seasonal_naive", "theta", "hour_median"} <= tried(queue)
    assert "ets, lstm, mstl, prophet are tried only where they are named" in queue.quality.notes[0]
    assert queue.work.blocks[-1].last == len(queue.work.candidates) - 1


def test_what_is_named_is_tried_whatever_the_kind(bursts: pd.Series) -> None:
    assert "prophet" in tried(prepared(bursts, model=("prophet",)))


def test_a_seasonal_queue_has_all_candidates() -> None:
    queue = prepared(a_load(), effort=Effort.THOROUGH)
    assert queue.quality.kind == "seasonal"
    assert tried(queue) > DEAR
    assert LAST_VALUE in queue.work.unranked  # of what repeats it is good only by luck


def test_dear_models_are_tried_where_cheap_ones_know_no_more_than_yesterday() -> None:
    changing = prepared(a_changing_load())
    assert changing.quality.kind == "seasonal"
    assert tried(changing) & DEAR == {"mstl", "prophet"}
    assert "ets, lstm are tried only where they are named, or with the effort thorough" in changing.quality.notes[0]
    assert changing.work.spec.windows == 3
    assert not tried(prepared(a_load())) & DEAR


def a_changing_load() -> pd.Series:
    """A day whose shape grows by a third each day: every average of past days is worse than yesterday."""
    load, hours = a_load(), np.arange(336)
    return pd.Series((np.sin(hours * 2 * np.pi / 24) + 1.5) * 1.15 ** (hours // 24), index=load.index, name=load.name)


def test_dear_models_keep_within_max_candidates_and_in_their_lanes() -> None:
    queue = prepared(a_changing_load(), max_candidates=4)
    assert not tried(queue) & DEAR
    queue = prepared(a_changing_load(), hyperparameters={"lstm": {}})
    lanes = {queue.work.candidates[block.first].model: block.lane for block in queue.work.blocks if block.first == block.last}
    assert (lanes["lstm"], {block.lane for block in queue.work.blocks}) == (Lane.HEAVY, {Lane.SCORE, Lane.HEAVY})


def test_a_dear_model_that_hyperparameters_are_given_for_is_named(bursts: pd.Series) -> None:
    assert tried(prepared(bursts, hyperparameters={"ets": {}})) & DEAR == {"ets"}
