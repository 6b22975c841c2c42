from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.choice import Effort
from shared.domain.forecasts import Candidate, QueueWork
from shared.domain.lanes import Lane
from shared.domain.model_cards import HyperparameterCard, ModelCard
from shared.errors import QueueNotFound, UnknownModel, UnreadableData
from tests.factories import MONDAY, a_load, a_request, a_spec
from tests.worker.pipeline.factories import Fixed, a_covariate, a_snapshot, answering, offering
from worker.job.catalogue import model_card, model_cards
from worker.models import models
from worker.models.base import Extent, Model
from worker.pipeline.ensembles.weighted import MEMBERS
from worker.pipeline.folds import FoldPlan, fold_rule, planned_folds
from worker.pipeline.plan import accepted_queues, blocks, forecast_spec, queue_work, wanted_queues
from worker.pipeline.snapshot import Snapshot


class NeedsCovariates(Fixed):
    """Cannot run on one column."""

    def missing(self, extent: Extent) -> str | None:
        return None if extent.covariates else "it needs a second column"


class NeedsAWeek(Fixed):
    """Cannot run on less than a week of training."""

    lane = Lane.HEAVY
    cost = 300

    def missing(self, extent: Extent) -> str | None:
        needed = 168 + extent.horizon
        return None if extent.length >= needed else f"it needs {needed} steps, found {extent.length}"


OFFERED: dict[str, type[Model]] = {
    **{name: models[name] for name in ("last_value", "seasonal_naive", "hour_mean")},
    "vector": NeedsCovariates,
    "network": NeedsAWeek,
    "steady": answering(1.0, cost=20),
}
CARDS = tuple(model_card(name, kind) for name, kind in OFFERED.items())


def a_plan(snapshot: Snapshot, **changes: Any) -> tuple[QueueWork, tuple[str, ...]]:
    with offering(**OFFERED):
        return queue_work(a_request(**({"effort": Effort.THOROUGH} | changes)), snapshot, MONDAY, cards=CARDS)


def models_of(work: QueueWork) -> list[str]:
    return list(dict.fromkeys(candidate.model for candidate in work.candidates))


KNOWN = ["root.etl", "root.adhoc", "root.ml.train", "Root.etl", "root[1]"]


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        (("*",), ["Root.etl", "root.adhoc", "root.etl", "root.ml.train", "root[1]"]),
        (("root.etl",), ["root.etl"]),
        (("root.ml.*", "root.e?l"), ["root.etl", "root.ml.train"]),
        (("[Rr]oot.etl",), ["Root.etl", "root.etl"]),
        (("root[1]",), ["root[1]"]),
        (("root.etl", "root.etl", "root.e*"), ["root.etl"]),
        (("root.etl", "nothing.like.*"), ["root.etl"]),
    ],
)
def test_queues_are_found_by_name_or_glob_case_matters(patterns: tuple[str, ...], found: list[str]) -> None:
    assert wanted_queues(a_request(queues=patterns), KNOWN)[0] == found


def test_an_unknown_name_beside_known_ones_stays_so_that_it_fails_by_itself() -> None:
    assert wanted_queues(a_request(queues=("root.etl", "root.typo")), KNOWN) == (["root.etl", "root.typo"], ())


@pytest.mark.parametrize(
    ("patterns", "found", "said"),
    [
        (("root.[prod]",), ["root.[prod]"], "is the name of a queue and is meant so; as a glob it would take root.p"),
        (("root.[prod]", "root.p"), ["root.[prod]", "root.p"], None),
        (("root.[pq]",), ["root.p"], None),
        (("*",), ["*", "root.[prod]", "root.etl", "root.p"], None),
        (
            ("root.p", "nothing.like.*"),
            ["root.p"],
            "nothing.like.* in `queues` is the name of no queue, and as a glob it matches none",
        ),
    ],
)
def test_what_a_glob_means_beside_a_queue_that_is_called_so_is_said(
    patterns: tuple[str, ...], found: list[str], said: str | None
) -> None:
    queues, warnings = wanted_queues(a_request(queues=patterns), ["root.[prod]", "root.p", "root.etl", "*"])
    assert queues == found
    assert len(warnings) == bool(said)
    assert not said or said in warnings[0]


def test_when_no_queue_is_found_some_known_ones_are_named() -> None:
    with pytest.raises(QueueNotFound, match=r"found root\.typo, x\*, known are a, b, c, d, e and 2 more"):
        wanted_queues(a_request(queues=("root.typo", "x*")), "gfedcba")
    with pytest.raises(QueueNotFound, match="known are none"):
        wanted_queues(a_request(), [])


@pytest.mark.parametrize(
    "name", ["NA", "null", "-", "None", "root.etl", "a/b", "...", "..", ".", "../a", "a..b", "Überlauf", "キュー", "x" * 500]
)
def test_a_queue_may_have_any_plain_name(name: str) -> None:
    assert accepted_queues([name]) == ([name], ())


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a\0b", r"'a\\x00b': it has a control character in it"),
        ("a\nb", r"'a\\nb': it has a control character"),
        ("\x1b[2Jx", "control character"),
        ("a\u2028b", "line separator"),
        ("a\ud800", "half a surrogate pair"),
        ("a\u202etxt", r"'a\\u202etxt': it has a character that changes the direction"),
        ("\u200fa", "changes the direction"),
        ("  \u3000", "nothing but white space"),
        ("\u200b\u2060", "nothing but white space and what is not to be seen"),
        ("x" * 501, r"x{60}…: it is longer than the accepted 500 characters"),
    ],
)
def test_a_name_that_would_deceive_or_break_is_refused_and_the_others_go_on(name: str, reason: str) -> None:
    names, [warning] = accepted_queues(["root.etl", name])
    assert names == ["root.etl"]
    assert re.search(f"queues left out for their names: .*{reason}", warning)
    with pytest.raises(UnreadableData, match="no name in the source may be a queue's"):
        accepted_queues([name])


def test_names_that_look_the_same_are_queues_of_their_own_and_told() -> None:
    names, [warning] = accepted_queues(
        ["root.etl", "root.etl ", "ro\u0308t", "r\u00f6t", "root\u00a0etl", "root etl", "Root.etl"]
    )
    assert len(names) == 6 + 1
    assert "'ro\\u0308t' and 'r\\xf6t'" in warning
    assert "'root.etl' and 'root.etl '" in warning
    assert "'root etl' and 'root\\xa0etl'" in warning
    assert accepted_queues(["root.etl", "root.ETL"]) == (["root.ETL", "root.etl"], ())


def test_of_many_refused_names_a_few_are_shown() -> None:
    _, [warning] = accepted_queues(["a", *(f"x{number}\n" for number in range(1_000))])
    assert warning.endswith("and 995 more")


@pytest.mark.parametrize(
    ("steps", "horizon", "wanted", "expected"),
    [
        (336, 24, 3, (24, 3)),
        (336, 72, 3, (72, 3)),
        (120, 72, 3, (40, 1)),  # the sample payload: 5d and 3d
        (120, 24, 3, (24, 3)),
        (336, 24, 20, (24, 9)),  # a third is left to the first training part
        (336, 24, 1, (24, 1)),
        (72, 24, 3, (24, 1)),  # two days are left
        (50, 10, 3, (10, 1)),
        (48, 24, 3, (16, 1)),
        (3, 24, 3, (1, 1)),
        (4, 1, 3, (1, 1)),
    ],
)
def test_windows_are_as_long_and_as_many_as_the_history_allows(
    steps: int, horizon: int, wanted: int, expected: tuple[int, int]
) -> None:
    assert fold_rule(steps, horizon, wanted, 3_600) == expected


@pytest.mark.parametrize(
    ("series", "requested", "is_cheap", "expected"),
    [
        ((336, 24, 3_600), None, True, FoldPlan(24, 7, 24)),  # a week is left to the first training part
        ((336, 72, 3_600), None, True, FoldPlan(72, 5, 24)),
        ((672, 24, 3_600), None, True, FoldPlan(24, 14, 24)),
        ((336, 24, 3_600), 3, True, FoldPlan(24, 3, 24)),  # what the request says is obeyed
        ((336, 72, 3_600), None, False, FoldPlan(72, 3, 72)),  # what a dear candidate can afford
        ((120, 72, 3_600), None, True, FoldPlan(40, 1, 40)),
        ((216, 24, 3_600), None, True, FoldPlan(24, 5, 24)),  # else four days
        ((168, 24, 3_600), None, True, FoldPlan(24, 3, 24)),
        ((60, 7, 86_400), None, True, FoldPlan(7, 3, 7)),  # there is no time of the day to begin at
        ((20_160, 1_440, 60), None, True, FoldPlan(1_440, 3, 1_440)),  # more would be too much to keep
    ],
)
def test_cheap_candidates_have_a_window_a_day(
    series: tuple[int, int, int], requested: int | None, is_cheap: bool, expected: FoldPlan
) -> None:
    steps, horizon, step_seconds = series
    assert planned_folds(steps, horizon, requested, step_seconds, is_cheap=is_cheap) == expected


@given(
    steps=st.integers(3, 5_000),
    horizon=st.integers(1, 3_000),
    wanted=st.integers(1, 12),
    step_seconds=st.sampled_from([60, 3_600, 25_200, 86_400, 604_800]),
)
def test_a_third_of_the_history_is_always_left_to_train_on(steps: int, horizon: int, wanted: int, step_seconds: int) -> None:
    window_steps, windows = fold_rule(steps, horizon, wanted, step_seconds)
    assert 1 <= window_steps <= horizon
    assert 1 <= windows <= wanted
    assert steps - windows * window_steps >= steps // 3


def test_a_spec_carries_what_the_request_says() -> None:
    spec, warnings = forecast_spec(
        a_request(interval=0.8, bounds=(None, 100.0), timezone="Europe/Berlin", holidays="DE"), a_snapshot(), MONDAY
    )
    assert spec == a_spec(interval=0.8, bounds=(None, 100.0), timezone="Europe/Berlin", holidays="DE")
    assert warnings == ()


def test_every_valid_model_is_a_candidate() -> None:
    work, warnings = a_plan(a_snapshot(cpu=a_covariate()))
    assert models_of(work) == ["hour_mean", "last_value", "seasonal_naive", "vector", "steady", "network"]
    assert warnings == ()


def test_a_model_that_cannot_run_on_the_data_is_left_out_with_one_warning() -> None:
    work, warnings = a_plan(a_snapshot(a_load(192)))
    assert models_of(work) == ["hour_mean", "last_value", "seasonal_naive", "steady"]
    before = "120 before the first backtest window, 192 in all"
    assert warnings == (
        f"seasonal_naive days=7 is left out: it needs 168 steps of history, found {before}",
        "vector is left out: it needs a second column",
        f"network is left out: it needs 192 steps, found {before}",
    )


def test_candidates_that_are_the_same_model_are_tried_once() -> None:
    given = {"prophet": {"growth": ("flat", "linear"), "changepoint_prior_scale": (0.05, 0.5)}}
    cards = tuple(model_card(name, models[name]) for name in ("prophet", "seasonal_naive"))
    work, warnings = queue_work(a_request(hyperparameters=given), a_snapshot(), MONDAY, cards=cards)
    tried = [candidate.hyperparameters for candidate in work.candidates if candidate.model == "prophet"]
    assert [(each["growth"], each["changepoint_prior_scale"]) for each in tried] == [
        ("flat", 0.05),
        ("linear", 0.05),
        ("linear", 0.5),
    ]
    assert not [warning for warning in warnings if "prophet" in warning]


def test_auto_ranks_baselines_and_the_blend_unless_it_is_to_be_thorough() -> None:
    """Members of the blend are tried and not ranked; what hyperparameters are given for is."""
    cards, snapshot = model_cards(), a_snapshot()

    def ranked(**changes: Any) -> set[str]:
        work, _ = queue_work(a_request(**changes), snapshot, MONDAY, cards=cards)
        return {each.model for each in work.candidates if each not in work.unranked}

    baselines = {card.name for card in cards if card.is_baseline}
    normal, _ = queue_work(a_request(), snapshot, MONDAY, cards=cards)
    fast, _ = queue_work(a_request(effort=Effort.FAST), snapshot, MONDAY, cards=cards)
    assert ranked() == ranked(effort=Effort.FAST) == ranked(model=("blend_weighted",)) == baselines
    assert ranked(hyperparameters={"ets": {}}) == baselines | {"ets"}
    assert ranked(effort=Effort.THOROUGH) >= {*baselines, "prophet", "lstm", "theta"}
    assert [each for each in MEMBERS if each not in normal.candidates] == []
    assert {each.model for each in MEMBERS if each not in fast.candidates} == {"theta", "ces"}
    assert ranked(baselines=False) == set()


def test_a_constant_covariate_is_no_covariate() -> None:
    work, _ = a_plan(a_snapshot(cpu=7.0))
    assert "vector" not in models_of(work)


def test_a_blend_asked_for_by_name_that_cannot_be_made_is_told_of() -> None:
    cards, changes = model_cards(), {"model": ("blend_cheap", "blend_top3", "theta")}
    _, enough = queue_work(a_request(**changes), a_snapshot(), MONDAY, cards=cards)
    _, short = queue_work(a_request(**changes), a_snapshot(a_load(40)), MONDAY, cards=cards)
    assert not [warning for warning in enough if "blend" in warning]
    assert "blend_cheap is left out: it needs 3 candidates that can run, found 2" in short
    assert not [
        warning for warning in queue_work(a_request(), a_snapshot(a_load(40)), MONDAY, cards=cards)[1] if "blend" in warning
    ]


def test_below_two_days_only_baselines_are_tried_and_a_warning_says_so() -> None:
    work, warnings = a_plan(a_snapshot(a_load(40)))
    assert models_of(work) == ["hour_mean", "last_value", "seasonal_naive"]
    assert "steady is left out: the history is shorter than 2 days" in warnings


def test_a_request_that_cannot_be_carried_out_is_refused_on_any_data() -> None:
    for snapshot in (a_snapshot(), a_snapshot(a_load() * 0)):
        with pytest.raises(UnknownModel):
            a_plan(snapshot, model=("oracle",))


def a_card(name: str, cost: int, lane: Lane = Lane.SCORE) -> ModelCard:
    n = HyperparameterCard(name="n", type="int", default=1, grid=())
    return ModelCard(name=name, summary="", lane=lane, cost=cost, is_baseline=False, hyperparameters=(n,))


def many(**counts: int) -> list[Candidate]:
    return [Candidate(model=model, hyperparameters={"n": n}) for model, count in counts.items() for n in range(count)]


BLOCK_CARDS = (a_card("tiny", 1), a_card("middling", 20), a_card("slow", 200), a_card("heavy", 300, Lane.HEAVY))


def sizes(candidates: list[Candidate], steps: int = 336) -> list[tuple[str, int]]:
    found = blocks(candidates, BLOCK_CARDS, a_spec(), steps)
    return [(block.lane.value, block.last - block.first + 1) for block in found]


def test_cheap_candidates_share_a_task_and_heavy_ones_have_one_each() -> None:
    assert sizes(many(tiny=25, middling=4, heavy=2)) == [("score", 29), ("heavy", 1), ("heavy", 1)]


def test_many_candidates_are_shared_out_in_blocks_of_like_size() -> None:
    lengths = [size for _, size in sizes(many(middling=60))]
    assert sum(lengths) == 60
    assert max(lengths) - min(lengths) <= 1


def test_a_slow_candidate_has_a_task_of_its_own() -> None:
    assert sizes(many(slow=3)) == [("score", 1)] * 3


def test_blocks_are_shorter_where_the_history_is_longer() -> None:
    assert len(sizes(many(middling=20), steps=3_360)) > len(sizes(many(middling=20)))


@given(counts=st.lists(st.integers(0, 30), min_size=4, max_size=4), steps=st.integers(3, 50_000))
def test_every_candidate_is_in_exactly_one_block(counts: list[int], steps: int) -> None:
    candidates = many(tiny=counts[0], middling=counts[1], slow=counts[2], heavy=counts[3])
    found = blocks(candidates, BLOCK_CARDS, a_spec(), steps)
    assert [index for block in found for index in range(block.first, block.last + 1)] == list(range(len(candidates)))
    assert all(block.first == block.last for block in found if block.lane is Lane.HEAVY)
