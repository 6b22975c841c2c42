"""The catalogue: which models the workers offer, with their hyperparameters."""

from __future__ import annotations

from flask import Blueprint
from spectree import SpecTree

from api.answers import ModelList
from api.context import services
from api.problems import answered

NO_WORKER = "no worker has published its models yet: start one with `queuecast up` or `queuecast work`"


def blueprint(spec: SpecTree) -> Blueprint:
    """The route /v1/models."""
    routes = Blueprint("catalogue", __name__, url_prefix="/v1/models")
    listed = answered(503, HTTP_200=ModelList)
    routes.get("")(spec.validate(resp=listed, tags=["models"], operation_id="list_models")(list_models))
    return routes


def list_models() -> ModelList:
    """List the models: hyperparameters with type, accepted values and default grid, and the lane they run in."""
    cards = services().run_state.catalogue.cards()
    return ModelList(models=cards) if cards is not None else ModelList(models=(), note=NO_WORKER)
