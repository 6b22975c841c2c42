"""A change of one property of a queue in a scheduler's configuration, as it is written there."""

from __future__ import annotations

from dataclasses import dataclass

PREFIX = "yarn.scheduler.capacity."  # of every name in a capacity-scheduler.xml


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyChange:
    """What it is before and after; "" = it is not there.

    key: without the queue: capacity, accessible-node-labels.gpu.maximum-capacity.
    """

    queue: str
    key: str
    before: str
    after: str

    @property
    def property_name(self) -> str:
        """Its whole name, as a file has it."""
        return f"{PREFIX}{self.queue}.{self.key}"
