"""A question that only a worker can answer, asked and answered through the broker's server."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.fleet.runstate import RunState
from shared.fleet.runstate.questions import LIFE_SECONDS, Questions


@pytest.fixture
def questions(run_state: RunState) -> Questions:
    return run_state.questions


def test_an_answer_wakes_up_whoever_waits_for_it(questions: Questions) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(questions.await_answer, "q", 60)
        questions.answer("q", "it would run")
        assert waiting.result(60) == "it would run"


def test_of_two_answers_the_first_counts_and_the_other_is_forgotten(questions: Questions, run_state: RunState) -> None:
    for text in ("first", "second"):  # the message came twice
        questions.answer("q", text)
    assert questions.await_answer("q", 1) == "first"
    assert all(0 < run_state.client.ttl(key) <= LIFE_SECONDS for key in ("answer:q", "answered:q"))


def test_an_answer_of_the_release_before_is_found_too(questions: Questions, run_state: RunState) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(questions.await_answer, "q", 60)
        run_state.client.set("answer:q", "it would run")
        assert waiting.result(60) == "it would run"


def test_an_answer_that_never_comes_is_waited_for_to_the_limit_and_rarely_asked_for(
    questions: Questions, run_state: RunState
) -> None:
    run_state.client.config_resetstat()
    began = time.monotonic()
    assert questions.await_answer("q", 0.6) is None
    assert 0.6 <= time.monotonic() - began < 20
    assert run_state.client.info("commandstats")["cmdstat_blpop"]["calls"] <= 4
