"""What is to be expected of a queue with some limits, counted on paths: a part of the answers about outlooks."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import Field

from api.schema.answers import Answer
from shared.domain.outlook import Outlook, outlooks
from shared.domain.whatif import Changed


class Expected(Answer):
    """What is to be expected with these limits."""

    guaranteed: float | None = Field(description="in the unit of the forecast; null = not known")
    maximum: float | None = Field(description="the ceiling, likewise")
    whole: Outlook = Field(description="of all that is asked about")
    days: tuple[Outlook, ...] = Field(description="of each 24 hours of it; empty where there are no more")

    @classmethod
    def of(cls, changed: Changed, now: datetime, most_steps: int | None) -> Self:
        """As things stand at `now`."""
        whole, *days = outlooks(changed.forecast, changed.rows, now, most_steps)
        return cls.showing(changed.forecast, whole=whole, days=days)
