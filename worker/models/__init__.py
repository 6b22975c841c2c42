"""Models: one file per kind. `models["prophet"]` is a class whose fields are its hyperparameters."""

from shared.domain.registry import Registry
from shared.errors import UnknownModel
from worker.models.base import Model

models: Registry[Model] = Registry("worker.models", UnknownModel)

__all__ = ["models"]
