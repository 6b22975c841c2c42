"""Processes that run tasks have the same limits: the first one's, which are kept as long as any of them lives."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.config.settings import Settings
from shared.errors import BrokerAway, FleetDiffers
from shared.fleet import membership
from shared.fleet.membership import Membership, equal_of
from shared.fleet.runstate import RunState

Member = Callable[..., Membership]
NAME = "QUEUECAST_TASK_SECONDS"


@pytest.fixture
def member(settings: Settings, run_state: RunState, monkeypatch: pytest.MonkeyPatch) -> Member:
    """A process of this name whose settings are changed so, and which waits for nobody."""
    monkeypatch.setattr(membership, "PATIENCE_SECONDS", 0.0)
    return lambda name, **changes: Membership(settings.model_copy(update=changes), run_state, name)


def test_who_differs_is_told_both_values_who_has_the_other_and_what_to_do(member: Member, run_state: RunState) -> None:
    first = member("first")
    first.join()
    assert run_state.agreement.values() == equal_of(Settings())
    with pytest.raises(
        FleetDiffers, match=rf"{NAME} is 200 here and 120 there\..* lives \(first@.*\): .*To change it for all, stop"
    ):
        member("second", task_seconds=200).join()
    with pytest.raises(FleetDiffers, match="QUEUECAST_TASK_SOFT_SECONDS is 60 here and 90 there"):
        member("second", task_soft_seconds=60).join()
    member("third").join()
    assert [name.partition("@")[0] for name in run_state.agreement.members()] == ["first", "third"]


def test_new_values_are_taken_once_nobody_lives_who_has_the_old(member: Member, run_state: RunState) -> None:
    first, second = member("first"), member("second")
    first.join()
    second.join()
    first.leave()
    changed = member("first", task_seconds=200)
    with pytest.raises(FleetDiffers):
        changed.join()
    run_state.client.zadd("fleet:members", dict.fromkeys(run_state.agreement.members(), 1))  # long silent
    changed.join()
    assert run_state.agreement.values()[NAME] == "200"


def test_a_process_may_come_back_with_other_values_when_it_is_alone(member: Member, run_state: RunState) -> None:
    member("first").join()  # killed, and counts as living
    member("first", task_seconds=200).join()
    assert run_state.agreement.values()[NAME] == "200"


def test_of_many_that_are_first_at_once_those_of_one_value_start(member: Member, run_state: RunState) -> None:
    def started(number: int) -> int:
        value = 200 + number % 4
        try:
            member(f"member-{number}", task_seconds=value).join()
        except FleetDiffers:
            return 0
        return value

    with ThreadPoolExecutor(8) as pool:
        values = set(pool.map(started, range(24))) - {0}
    assert {str(value) for value in values} == {run_state.agreement.values()[NAME]}


def test_a_broker_that_has_lost_everything_is_told_again_and_who_runs_goes_on(
    member: Member, run_state: RunState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership, "BEAT_SECONDS", 0.0)
    first = member("first")
    first.join()
    run_state.client.flushdb()
    first.beat()
    with pytest.raises(FleetDiffers):
        member("second", task_seconds=200).join()
    run_state.client.flushdb()
    member("second", task_seconds=200).join()
    first.beat()  # says so in its log
    assert [name.partition("@")[0] for name in run_state.agreement.members()] == ["second"]


@pytest.mark.parametrize(
    "foreign",
    [
        lambda client: client.zadd("fleet:members", {"clock set back": time.time() + 3_600}),
        lambda client: client.zadd("fleet:members", {"for ever": "inf"}),
        lambda client: client.hset("fleet:members", "no", "set"),
        lambda client: client.set("fleet", "no hash"),
    ],
)
def test_what_no_process_of_ours_has_written_keeps_nobody_from_starting(
    member: Member, run_state: RunState, foreign: Callable[[Any], object]
) -> None:
    foreign(run_state.client)
    if run_state.client.exists("fleet") == 0:
        run_state.client.hset("fleet", NAME, "999")
    member("first").join()
    assert run_state.agreement.values() == equal_of(Settings())


def test_values_that_are_no_text_are_told_all_the_same(member: Member, run_state: RunState) -> None:
    run_state.client.zadd("fleet:members", {b"\xff": time.time() + 5})
    run_state.client.hset("fleet", NAME, b"\xfe")
    with pytest.raises(FleetDiffers, match=f"{NAME} is 120 here and \ufffd there"):
        member("first").join()


def test_without_a_broker_a_process_starts_and_asks_later(settings: Settings) -> None:
    away = settings.model_copy(update={"broker_url": Settings(broker_url="redis://127.0.0.1:1/0").broker_url})
    lonely = Membership(away, RunState.open(away, is_patient=False), "lonely")
    lonely.join()
    with pytest.raises(BrokerAway):
        lonely.beat()
    lonely.leave()
