from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import pytest

from shared.domain.codec import from_json, to_json
from shared.domain.jobs import Grid
from shared.domain.lanes import Lane
from shared.domain.model_cards import HyperparameterCard, ModelCard
from shared.domain.search_space import grid_of
from tests.worker.pipeline.factories import Fixed
from worker.job.catalogue import blend_cards, model_card, model_cards
from worker.models import models
from worker.models.base import Bounds
from worker.pipeline.ensembles.names import COMPOSITES


@dataclass(frozen=True, slots=True, kw_only=True)
class Example(Fixed):
    """One line for people.

    More lines for developers.
    """

    depth: Annotated[int, Bounds(minimum=1, maximum=9)] = 3
    rate: Annotated[float, Bounds(minimum=0)] = 0.5
    mode: Literal["slow", "fast"] = "slow"
    is_robust: bool = False

    grid: ClassVar[Grid] = {"depth": (3, 5)}
    lane: ClassVar[Lane] = Lane.HEAVY
    cost: ClassVar[int] = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Demanding(Fixed):
    """A hyperparameter without a default."""

    depth: int


def test_a_card_says_what_the_class_says() -> None:
    assert model_card("example", Example) == ModelCard(
        name="example",
        summary="One line for people.",
        lane=Lane.HEAVY,
        cost=7,
        is_baseline=False,
        hyperparameters=(
            HyperparameterCard(name="depth", type="int", default=3, grid=(3, 5), minimum=1, maximum=9),
            HyperparameterCard(name="rate", type="float", default=0.5, grid=(0.5,), minimum=0),
            HyperparameterCard(name="mode", type="str", default="slow", grid=("slow",), choices=("slow", "fast")),
            HyperparameterCard(name="is_robust", type="bool", default=False, grid=(False,)),
        ),
    )


def test_a_hyperparameter_without_a_default_is_a_mistake_of_its_author() -> None:
    with pytest.raises(TypeError, match=r"Demanding\.depth has no default"):
        model_card("demanding", Demanding)


def test_every_registered_model_has_a_card_in_the_order_of_names() -> None:
    cards = model_cards()
    assert [card.name for card in cards] == [*models, *COMPOSITES]
    assert {"hour_mean", "last_value", "seasonal_naive"} <= {card.name for card in cards if card.is_baseline}
    assert all(card.summary for card in cards)


@pytest.mark.parametrize("card", model_cards(), ids=lambda card: card.name)
def test_a_grid_and_the_defaults_stay_within_what_a_model_accepts(card: ModelCard) -> None:
    given: dict[str, tuple[Any, ...]] = {each.name: (each.default, *each.grid) for each in card.hyperparameters}
    assert grid_of(card, given).keys() == given.keys()
    assert all(each.choices or each.type == "bool" or each.minimum is not None for each in card.hyperparameters)
    if card.members is None:
        assert set(models[card.name].grid) <= set(given)


def test_the_blends_say_what_they_are_made_of() -> None:
    weighted, best, cheap, by_lead_time = blend_cards()
    assert (best.members, by_lead_time.members) == ((), ())
    assert (weighted.are_members_ranked, cheap.are_members_ranked) == (False, True)
    assert cheap.members == ("seasonal_naive", "hour_mean", "theta", "ces")
    assert all(member in cheap.summary for member in cheap.members or ())
    assert {card.name: card.members for card in model_cards() if card.members is not None} == {
        "blend_weighted": weighted.members,
        "blend_top3": (),
        "blend_cheap": cheap.members,
        "by_lead_time": (),
    }


def test_cards_survive_their_document() -> None:
    for card in model_cards():
        assert from_json(ModelCard, to_json(card)) == card
