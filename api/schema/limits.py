"""What a request says of a queue's limits."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from api.schema import fields
from api.schema.forms import Form
from shared.domain.samples import Limits
from shared.domain.wording import digits


class LimitsBody(Form):
    """What a queue has and what it can get, in the target's unit: a column of the source, or a number."""

    guaranteed: fields.Limit = Field(None, description="what the queue has; null = YARN's own columns, else 100 %")
    maximum: fields.Limit = Field(None, description="the most that it can get; null = YARN's own columns, else not known")

    @model_validator(mode="after")
    def _limits_are_in_order(self) -> Self:
        least, most = self.guaranteed, self.maximum
        if isinstance(least, float) and isinstance(most, float) and most < least:
            raise ValueError(f"the maximum {digits(most)} is less than what is guaranteed, {digits(least)}")
        return self

    def to_limits(self) -> Limits:
        """The limits as the rest of Queuecast knows them."""
        return Limits(guaranteed=self.guaranteed, maximum=self.maximum)
