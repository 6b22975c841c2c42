"""A finding: the answer to one question of `queuecast doctor`. No answer ends it, whatever a server says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shared.errors import BrokerIsCluster, BrokerRefuses, QueuecastError, ServiceError, StoreRefuses

TO_MEND = (BrokerIsCluster, BrokerRefuses, StoreRefuses)  # they are there, and waiting does not help
MAX_WORDS = 200  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The answer to one question; `advice` says what to do."""

    name: str
    detail: str
    is_well: bool = True
    is_away: bool = False  # ill because a service cannot be reached
    advice: str = ""

    @property
    def verdict(self) -> str:
        """In one word."""
        if self.is_well:
            return "note" if self.advice else "ok"
        return "away" if self.is_away else "ill"


def judged(name: str, detail: str, *, is_well: bool, advice: str) -> Finding:
    """The answer to a question of yes or no; the advice is for no."""
    return Finding(name=name, detail=detail, is_well=is_well, advice="" if is_well else advice)


def asked(name: str, ask: Callable[[], list[Finding]]) -> list[Finding]:
    """What `ask` finds; an error, foreseen or not, is a finding too."""
    try:
        return ask()
    except QueuecastError as error:
        is_away = isinstance(error, ServiceError) and not isinstance(error, TO_MEND)
        return [Finding(name=name, detail=str(error), is_well=False, is_away=is_away)]
    except Exception as error:  # noqa: BLE001 - an answer that nobody has foreseen; the other questions must be asked
        said = f"{type(error).__name__}: {error}".partition("\n")[0][:MAX_WORDS]
        advice = "is something in between that is not what it seems? If not, please report this"
        return [Finding(name=name, detail=f"an unexpected answer ({said})", is_well=False, advice=advice)]
