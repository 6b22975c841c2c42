"""Registered models and the blends → the model cards that users, the API and the plan read."""

from __future__ import annotations

import inspect
from dataclasses import MISSING, Field, fields
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from shared.domain.jobs import Hyperparameter
from shared.domain.lanes import Lane
from shared.domain.model_cards import HyperparameterCard, ModelCard
from worker.models import models
from worker.models.base import Bounds, Model
from worker.pipeline.ensembles.blends import BLEND_CHEAP, BLEND_TOP3, BLEND_WEIGHTED, CHEAP, MADE_OF, TOP
from worker.pipeline.ensembles.by_lead_time import BY_LEAD_TIME
from worker.pipeline.ensembles.names import COMPOSITES

_ANY = "of the models named beside it, or of all where none is"
_MADE_OF = {
    BLEND_CHEAP: f"In each step the median of {', '.join(candidate.label for candidate in CHEAP)}.",
    BLEND_TOP3: f"In each step the median of the {TOP} candidates that were best in the backtest, {_ANY}.",
    BLEND_WEIGHTED: "In each step the weighted median of cheap members of its own, the better ones with more votes.",
    BY_LEAD_TIME: f"For each group of lead times the candidate that was best there, {_ANY}.",
}


def model_cards() -> tuple[ModelCard, ...]:
    """One card per registered model, by name, then one per blend."""
    return _cards(tuple((name, models[name]) for name in models))


@lru_cache(maxsize=1)
def _cards(registered: tuple[tuple[str, type[Model]], ...]) -> tuple[ModelCard, ...]:
    """Made once, as long as no model is added: every step of every queue asks for them, and types are read slowly."""
    return (*(model_card(name, kind) for name, kind in registered), *blend_cards())


def blend_cards() -> tuple[ModelCard, ...]:
    """The blends, which are no models of their own and cost nothing beside their members."""
    return tuple(
        ModelCard(
            name=name,
            summary=_MADE_OF[name],
            lane=Lane.SCORE,
            cost=0,
            is_baseline=False,
            members=tuple(dict.fromkeys(candidate.model for candidate in MADE_OF.get(name, ()))),
            are_members_ranked=name != BLEND_WEIGHTED,
        )
        for name in COMPOSITES
    )


def model_card(name: str, kind: type[Model]) -> ModelCard:
    """What a model's class says of itself: its fields are its hyperparameters, their types say what is accepted."""
    hints = get_type_hints(kind, include_extras=True)
    summary, _, _ = (inspect.getdoc(kind) or "").partition("\n")
    return ModelCard(
        name=name,
        summary=summary,
        lane=kind.lane,
        cost=kind.cost,
        is_baseline=kind.is_baseline,
        hyperparameters=tuple(_hyperparameter(field, hints[field.name], kind) for field in _fields(kind)),
    )


def _fields(kind: type[Model]) -> tuple[Field[Hyperparameter], ...]:
    return fields(kind)  # type: ignore[arg-type] # the protocol cannot say that a model is a dataclass


def _hyperparameter(field: Field[Hyperparameter], hint: Any, kind: type[Model]) -> HyperparameterCard:
    """The card of one field; raises TypeError when the field has no default, since every hyperparameter may be left out."""
    if field.default is MISSING:
        raise TypeError(f"{kind.__name__}.{field.name} has no default")
    bounds = Bounds()
    if get_origin(hint) is Annotated:
        hint, *extras = get_args(hint)
        bounds = next((extra for extra in extras if isinstance(extra, Bounds)), bounds)
    choices = get_args(hint) if get_origin(hint) is Literal else None
    return HyperparameterCard(
        name=field.name,
        type=(type(choices[0]) if choices else hint).__name__,
        default=field.default,
        grid=tuple(kind.grid.get(field.name, (field.default,))),
        choices=choices,
        minimum=bounds.minimum,
        maximum=bounds.maximum,
    )
