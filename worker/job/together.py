"""Several queues, read together: what the first of them asks of a place is read for all of them, by one look at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from shared.errors import DataError
from worker.job.resources import Resources
from worker.sources.base import Query, Reading

Found = Mapping[str, Reading | DataError]


@dataclass(slots=True)
class Together:
    """The queues of these names, which ask one by one and in any order; a place that cannot be read so is read for each."""

    resources: Resources
    project: str
    names: Sequence[str]
    _found: list[tuple[Query, Found | DataError]] = field(default_factory=list)

    def read(self, query: Query) -> Reading:
        """One queue of one place; raises what its source raises."""
        if len(self.names) == 1 or not self.resources.scans(query.place, self.project):
            return self.resources.read(query, project=self.project)
        asked = replace(query, queue="")
        found = next((found for known, found in self._found if known == asked), None)
        if found is None:
            found = self._scanned(asked)
            self._found.append((asked, found))
        outcome = found if isinstance(found, DataError) else found[query.queue]
        if isinstance(outcome, DataError):
            raise outcome.with_traceback(None)  # the same may be raised for each of them
        return outcome

    def _scanned(self, query: Query) -> Found | DataError:
        try:
            return self.resources.scan(query, self.names, project=self.project)
        except DataError as error:
            return error
