"""Changes of a queue's configuration as callers read them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pydantic import Field

from api.schema.answers import Answer
from shared.domain.configuration_change import ConfigChange


class ToldChange(Answer):
    """A change of a queue's configuration, as a collector has seen it."""

    queue: str
    partition: str = Field(description="default = without a label")
    changed_at: datetime = Field(description="when it was seen first")
    mode: str
    capacity: str
    maximum: str
    state: str = Field(description="GONE: it is there no more; empty = not told")
    by: str = Field(description="seen = somebody has changed it; else the id of the decision that wanted it so")
    before: str = Field(description="empty = it was seen for the first time")
    words: str = Field(description="what has changed, for people")


def told_changes(changes: Iterable[ConfigChange]) -> tuple[ToldChange, ...]:
    """As callers read them."""
    return tuple(ToldChange.showing(change) for change in changes)
