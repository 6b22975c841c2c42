"""The catalogue: which models the workers offer, with their hyperparameters."""

from __future__ import annotations

from api.edge.context import Services
from api.edge.document import Answers
from api.edge.policy import READ
from api.edge.routing import route
from api.schema.answers import ModelList

NO_WORKER = "no worker has published its models yet: start one with `queuecast up` or `queuecast work`"


@route("GET", "/v1/models", READ, Answers(ModelList))
def list_models(services: Services) -> ModelList:
    """List the models: hyperparameters with type, accepted values and default grid, and the lane they run in."""
    cards = services.run_state.members.cards()
    return ModelList(models=cards) if cards is not None else ModelList(models=(), note=NO_WORKER)
