"""Registered models → the model cards that users, the API and the plan read."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from shared.forecasts import HyperparameterCard, ModelCard
from worker.models import models
from worker.models.base import Bounds, Model


def model_cards(offered: Mapping[str, type[Model]] | None = None) -> tuple[ModelCard, ...]:
    """One card per model, by name.

    Args:
        offered: name → model; by default all that are registered.
    """
    kinds = {name: models[name] for name in models} if offered is None else offered
    return tuple(model_card(name, kinds[name]) for name in sorted(kinds))


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


def _fields(kind: type[Model]) -> tuple[Field[Any], ...]:
    return fields(kind)  # type: ignore[arg-type] # the protocol cannot say that a model is a dataclass


def _hyperparameter(field: Field[Any], hint: Any, kind: type[Model]) -> HyperparameterCard:
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
