"""Options of `queuecast backtest` about decisions: what rules for capacities would have cost."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, cast

import typer

from shared.domain.policies import MAX_KAPPA
from shared.errors import UsageError

ENDINGS = (".parquet", ".csv")
FIELD = "decisions"
OUT = typer.Option(help="File for the figures of every rule, .parquet or .csv.", show_default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionsAsked:
    """How dear a shortage is, and where the figures of all rules go to besides."""

    kappa: float
    out: Path | None = None


def decisions_of(
    *,
    decisions: Annotated[bool, typer.Option("--decisions", help="Tell what capacities set daily would have cost.")] = False,
    kappa: Annotated[float, typer.Option(min=0.1, max=MAX_KAPPA, help="Idle hours that hurt as one that is short.")] = 10.0,
    decisions_out: Annotated[Path | None, OUT] = None,
) -> dict[str, object]:
    """What is asked, as the one field `decisions`, None = nothing; raises UsageError with what is accepted."""
    if decisions_out is not None and not decisions:
        raise UsageError("--decisions-out: accepted with --decisions")
    if decisions_out is not None and decisions_out.suffix not in ENDINGS:
        raise UsageError(f"--decisions-out {decisions_out.name!r}: accepted endings are {', '.join(ENDINGS)}")
    if decisions_out is not None and not decisions_out.absolute().parent.is_dir():
        raise UsageError(f"--decisions-out {decisions_out}: its folder is not there")
    return {FIELD: DecisionsAsked(kappa=kappa, out=decisions_out) if decisions else None}


def taken_from(fields: dict[str, object]) -> DecisionsAsked | None:
    """What is asked of decisions, which is no field of a request and leaves them."""
    return cast("DecisionsAsked | None", fields.pop(FIELD, None))
