"""Names of jobs that projects do not want in their lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.hidden_names import HiddenName
from shared.store.records import Is, OneOf, Records
from shared.store.tables import Column, Table

HIDDEN_NAMES = Table(
    name="hidden_names",
    value=HiddenName,
    columns=(Column("project"), Column("job_name")),
    key=("project", "job_name"),
)


@dataclass(frozen=True, slots=True)
class KeptHiddenNames:
    """Hidden names by project and name."""

    records: Records

    def put(self, name: HiddenName) -> None:
        """Keep one, in place of what was said of this name before."""
        self.records.put_many(HIDDEN_NAMES, [name])

    def remove(self, project: str, job_name: str) -> None:
        """Forget one; one that is not there is no error."""
        self.records.delete_some(HIDDEN_NAMES, [Is("project", project), Is("job_name", job_name)])

    def of(self, projects: Sequence[str] | None = None) -> list[HiddenName]:
        """Those of these projects, by project and name; None = of all."""
        return self.records.find(HIDDEN_NAMES, [] if projects is None else [OneOf("project", projects)])
