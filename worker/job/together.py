"""Several queues, read together: what the first of them asks of a place is read for all of them, by one look at it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from shared.errors import DataError
from worker.job.resources import Resources
from worker.sources.base import Query, Reading

Outcome = Reading | DataError


@dataclass(slots=True)
class _Look:
    """One look at a place, which goes on as far as the queues that are asked for: whoever stops early has read no more.

    fault: of the place as a whole.
    """

    coming: Iterator[tuple[str, Outcome]]
    found: dict[str, Outcome] = field(default_factory=dict)
    fault: DataError | None = None

    def at(self, queue: str) -> Outcome:
        """What came of one queue."""
        try:
            while queue not in self.found and self.fault is None:
                name, outcome = next(self.coming)
                self.found[name] = outcome
        except DataError as error:
            self.fault = error
        return self.found[queue] if self.fault is None else self.found.get(queue, self.fault)


@dataclass(slots=True)
class Together:
    """The queues of these names, which ask one by one and in any order; a place that cannot be read so is read for each."""

    resources: Resources
    project: str
    names: Sequence[str]
    _looks: list[tuple[Query, _Look]] = field(default_factory=list)

    def read(self, query: Query) -> Reading:
        """One queue of one place; raises what its source raises."""
        if len(self.names) == 1 or not self.resources.scans(query.place, self.project):
            return self.resources.read(query, project=self.project)
        asked = replace(query, queue="")
        look = next((look for known, look in self._looks if known == asked), None)
        if look is None:
            look = _Look(self.resources.scan(asked, self.names, project=self.project))
            self._looks.append((asked, look))
        outcome = look.at(query.queue)
        if isinstance(outcome, DataError):
            raise outcome.with_traceback(None)  # the same may be raised for each of them
        return outcome
