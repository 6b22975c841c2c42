"""What every body and query is: a form without unknown fields, of a size that is limited."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, model_validator

from api.schema.sizes import Size

MAX_FIELDS = 100  # of any form, those included that it does not know


class Form(BaseModel):
    """What callers write; an unknown field is an error, so that typing errors are found."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _check_size(cls, value: object) -> object:
        return Size(MAX_FIELDS).check(value)
