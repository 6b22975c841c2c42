"""What the workers say of their models, so that requests can be checked and people can choose."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.jobs import Hyperparameter
from shared.domain.lanes import Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class HyperparameterCard:
    """One hyperparameter of a model as users see it."""

    name: str
    type: str  # "int", "float", "str" or "bool"
    default: Hyperparameter
    grid: tuple[Hyperparameter, ...]
    choices: tuple[Hyperparameter, ...] | None = None  # all accepted values, where they can be counted
    minimum: float | None = None  # smallest and largest accepted value, where there is one
    maximum: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """What the workers say of a model: its name, hyperparameters with default grid, and lane.

    members: of a blend the models that it is made of, none where it takes the best of any; None for what is no blend.
    are_members_ranked: whether they compete beside the blend.
    """

    name: str
    summary: str
    lane: Lane
    cost: int  # relative CPU price of one fit; breaks ties, cheaper first
    is_baseline: bool
    hyperparameters: tuple[HyperparameterCard, ...] = ()
    members: tuple[str, ...] | None = None
    are_members_ranked: bool = True
