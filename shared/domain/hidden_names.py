"""Names of jobs that a project does not want in its lists any more: what was made under them until then is left out.

Nothing is deleted, decided or forecast otherwise. What is made under such a name later is shown: somebody uses it again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.forecasts import Forecast
from shared.domain.jobs import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenName:
    """One of them; key = (project, job_name). `at`: until when; `by`: name of the token of who said so."""

    project: str
    job_name: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class HiddenNames:
    """Those of some projects."""

    names: Iterable[HiddenName] = ()
    _until: dict[tuple[str, str], HiddenName] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_until", {(each.project, each.job_name): each for each in self.names})

    def of(self, job: Job) -> HiddenName | None:
        """What hides a job; one that has not ended is never hidden."""
        return self._hides(job.request.project, job.request.job_name, job.asked_at) if job.state.is_terminal else None

    def hide(self, forecast: Forecast) -> bool:
        """Whether a forecast is left out of lists."""
        return self._hides(forecast.project, forecast.job, forecast.created_at) is not None

    def _hides(self, project: str, job_name: str, made_at: datetime) -> HiddenName | None:
        found = self._until.get((project, job_name))
        return found if found is not None and made_at <= found.at else None
