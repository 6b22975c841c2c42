from __future__ import annotations

import math
from typing import Any

import pytest

from shared.domain.choice import Effort
from shared.domain.jobs import JobRequest
from shared.domain.lanes import Lane
from shared.domain.model_cards import HyperparameterCard, ModelCard
from shared.domain.search_space import REFERENCE, candidates_of, check_count, count_candidates, grid_of
from shared.errors import InvalidRequest, TooManyCandidates, UnknownHyperparameter, UnknownModel
from tests.factories import a_request


def a_field(name: str, type_: str, default: Any, **changes: Any) -> HyperparameterCard:
    return HyperparameterCard(name=name, type=type_, default=default, **({"grid": ()} | changes))


def a_card(name: str, *fields: HyperparameterCard, **changes: Any) -> ModelCard:
    values: dict[str, Any] = {"summary": "", "lane": Lane.SCORE, "cost": 10, "is_baseline": False, "hyperparameters": fields}
    return ModelCard(name=name, **(values | changes))


NETWORK = a_card("network", a_field("hidden", "int", 32, grid=(16, 32), minimum=1, maximum=512), lane=Lane.HEAVY, cost=500)
TREND = a_card(
    "trend",
    a_field("scale", "float", 0.05, grid=(0.05, 0.5), minimum=0.001),
    a_field("mode", "str", "additive", grid=("additive",), choices=("additive", "multiplicative")),
    a_field("is_robust", "bool", False),
)
NAIVE = a_card("seasonal_naive", a_field("days", "int", 1, grid=(1, 7), minimum=1), cost=1, is_baseline=True)
LAST = a_card("last_value", cost=1, is_baseline=True)
CARDS = (NETWORK, TREND, NAIVE, LAST)


def labels(request: JobRequest) -> list[str]:
    return [candidate.label for candidate in candidates_of(request, CARDS)]


def test_auto_means_every_model_with_its_grid_light_and_cheap_ones_first() -> None:
    assert labels(a_request(effort=Effort.THOROUGH)) == [
        "last_value",
        "seasonal_naive days=1",
        "seasonal_naive days=7",
        "trend is_robust=False mode=additive scale=0.05",
        "trend is_robust=False mode=additive scale=0.5",
        "network hidden=16",
        "network hidden=32",
    ]


def test_baselines_are_candidates_whatever_the_request_names() -> None:
    assert labels(a_request(model=("network",), hyperparameters={"network": {"hidden": (8,)}})) == [
        "last_value",
        "seasonal_naive days=1",
        "seasonal_naive days=7",
        "network hidden=8",
    ]


def test_without_baselines_only_those_that_are_named_compete() -> None:
    assert labels(a_request(baselines=False, effort=Effort.THOROUGH))[0] == "trend is_robust=False mode=additive scale=0.05"
    asked = a_request(baselines=False, model=("network", "seasonal_naive"), hyperparameters={"seasonal_naive": {"days": (7,)}})
    assert labels(asked) == ["seasonal_naive days=7", "network hidden=16", "network hidden=32"]
    assert count_candidates(asked, CARDS) == 3


def test_a_blend_of_baselines_that_are_left_out_is_refused() -> None:
    cards = (*CARDS, a_card("blend", members=("seasonal_naive", "trend")))
    with pytest.raises(InvalidRequest, match=r"'blend' is made of seasonal_naive, which `baselines: false` leaves out"):
        candidates_of(a_request(baselines=False, model=("blend",)), cards)
    assert candidates_of(a_request(baselines=False, model=("blend", "seasonal_naive")), cards)


def test_the_floor_stays_when_its_grid_is_replaced() -> None:
    candidates = candidates_of(a_request(model=("last_value",), hyperparameters={"seasonal_naive": {"days": (7,)}}), CARDS)
    assert [candidate.label for candidate in candidates] == ["last_value", "seasonal_naive days=1", "seasonal_naive days=7"]
    assert REFERENCE in candidates


def test_the_order_of_the_cards_and_repetitions_change_nothing() -> None:
    request = a_request(hyperparameters={"trend": {"scale": (1, 1.0, 1)}})
    assert candidates_of(request, CARDS) == candidates_of(request, CARDS[::-1])
    assert [label for label in labels(request) if "trend" in label] == ["trend is_robust=False mode=additive scale=1.0"]
    ids = [candidate.candidate_id for candidate in candidates_of(request, CARDS)]
    assert len(ids) == len(set(ids))


def test_an_unknown_model_is_answered_with_the_known_ones() -> None:
    for request in (a_request(model=("oracle",)), a_request(hyperparameters={"oracle": {"depth": (3,)}})):
        with pytest.raises(UnknownModel, match=r"found 'oracle', known are network, trend, seasonal_naive, last_value$"):
            candidates_of(request, CARDS)


def test_an_unknown_hyperparameter_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownHyperparameter, match=r"\(model trend\): found 'depth', known are scale, mode, is_robust"):
        grid_of(TREND, {"depth": (3,)})
    with pytest.raises(UnknownHyperparameter, match="known are none"):
        grid_of(LAST, {"depth": (3,)})


def test_hyperparameters_of_a_model_that_is_not_asked_for_are_not_ignored() -> None:
    with pytest.raises(InvalidRequest, match="'network', which is not among the models asked for: trend"):
        candidates_of(a_request(model=("trend",), hyperparameters={"network": {"hidden": (8,)}}), CARDS)


@pytest.mark.parametrize(
    ("card", "given", "accepted"),
    [
        (TREND, {"mode": ("sideways",)}, "additive, multiplicative"),
        (TREND, {"mode": (1,)}, "additive, multiplicative"),
        (TREND, {"scale": (0,)}, "numbers from 0.001"),
        (TREND, {"scale": (math.nan,)}, "numbers from 0.001"),
        (TREND, {"scale": (True,)}, "numbers from 0.001"),
        (TREND, {"scale": ("0.5",)}, "numbers from 0.001"),
        (TREND, {"scale": ()}, "numbers from 0.001"),
        (TREND, {"is_robust": (1,)}, "true, false"),
        (NETWORK, {"hidden": (0,)}, "whole numbers from 1 up to 512"),
        (NETWORK, {"hidden": (513,)}, "whole numbers from 1 up to 512"),
        (NETWORK, {"hidden": (16.5,)}, "whole numbers from 1 up to 512"),
        (NETWORK, {"hidden": (True,)}, "whole numbers from 1 up to 512"),
    ],
)
def test_a_value_out_of_range_is_answered_with_the_accepted_ones(card: ModelCard, given: Any, accepted: str) -> None:
    with pytest.raises(InvalidRequest, match=accepted):
        grid_of(card, given)


CHEAP = a_card("cheap", cost=0, members=("trend", "last_value"))
BEST = a_card("best", cost=0, members=())


def computed(*names: str, **changes: Any) -> list[str]:
    """The models that are computed when these are asked for, cheap ones first."""
    candidates = candidates_of(a_request(model=names, **changes), (*CARDS, CHEAP, BEST))
    return list(dict.fromkeys(candidate.model for candidate in candidates))


def test_a_blend_asks_for_its_members_and_is_no_candidate_itself() -> None:
    assert computed("cheap") == ["last_value", "seasonal_naive", "trend"]
    assert computed("cheap", "network") == ["last_value", "seasonal_naive", "trend", "network"]
    assert computed("cheap", hyperparameters={"trend": {"scale": (1.0,)}}) == computed("cheap")


def test_a_blend_of_the_best_asks_for_every_model_unless_some_are_named_beside_it() -> None:
    assert computed("best") == computed("best", "cheap") == ["last_value", "seasonal_naive", "trend", "network"]
    assert computed("best", "trend") == ["last_value", "seasonal_naive", "trend"]


def test_auto_computes_the_same_with_blends_as_without() -> None:
    assert candidates_of(a_request(), (*CARDS, CHEAP, BEST)) == candidates_of(a_request(), CARDS)


@pytest.mark.parametrize(
    ("name", "accepted"), [("cheap", "those of its members: trend, last_value"), ("best", "those of the models it may blend")]
)
@pytest.mark.parametrize("model", ["auto", ("cheap", "best")])
def test_a_blend_has_no_hyperparameters_and_says_whose_are_accepted(model: Any, name: str, accepted: str) -> None:
    with pytest.raises(InvalidRequest, match=f"'{name}' is a blend, which has no hyperparameters of its own; .* {accepted}"):
        candidates_of(a_request(model=model, hyperparameters={name: {"days": (1,)}}), (*CARDS, CHEAP, BEST))


def test_given_values_replace_the_grid_and_defaults_stand_where_there_is_none() -> None:
    grid = grid_of(TREND, {"scale": (1, 0.25), "is_robust": (True, False)})
    assert grid == {"scale": (1.0, 0.25), "mode": ("additive",), "is_robust": (True, False)}
    assert grid_of(TREND, {})["is_robust"] == (False,)


def test_a_grid_that_would_flood_the_fleet_is_refused_before_it_is_made() -> None:
    many = tuple(range(1, 500))
    wide = a_card("wide", *(a_field(f"n{index}", "int", 1, minimum=1) for index in range(9)))
    request = a_request(model=("wide",), hyperparameters={"wide": {f"n{index}": many for index in range(9)}})
    with pytest.raises(TooManyCandidates, match="accepted are 2,000"):
        candidates_of(request, (wide, *CARDS))


def test_candidates_count_for_each_queue() -> None:
    check_count(a_request(max_candidates=21), candidates=7, queues=3)
    with pytest.raises(TooManyCandidates, match="3 queues with 7 candidates each are 21, accepted are 20"):
        check_count(a_request(max_candidates=20), candidates=7, queues=3)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"model": ("trend",)},
        {"hyperparameters": {"seasonal_naive": {"days": (7, 14)}}},  # the floor is added
        {"hyperparameters": {"trend": {"scale": (0.1, 0.2, 0.3), "mode": ("additive", "multiplicative")}}},
    ],
)
def test_candidates_are_counted_without_making_them(changes: dict[str, Any]) -> None:
    request = a_request(**changes)
    assert count_candidates(request, CARDS) == len(candidates_of(request, CARDS))
