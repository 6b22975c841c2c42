"""Options of `queuecast backtest` that say how winners are chosen, and what is told of what they forecast."""

from __future__ import annotations

from typing import Annotated

import typer

from shared.domain.choice import Effort, Metric, SelectionRule
from shared.domain.distribution import HIGHEST, LOWEST
from shared.errors import UsageError


def choice_of(
    *,
    selection: Annotated[SelectionRule, typer.Option(help="Which candidate wins.")] = SelectionRule.LOWEST_MAPE,
    metric: Annotated[Metric, typer.Option(help="What candidates are compared by.")] = Metric.MAPE,
    baselines: Annotated[bool, typer.Option(help="Whether baselines compete that nobody has named.")] = True,
    effort: Annotated[Effort, typer.Option(help="What `auto` tries.")] = Effort.NORMAL,
    quantiles: Annotated[str, typer.Option(help="Further ones to forecast, such as 0.8,0.975.", show_default="none")] = "",
) -> dict[str, object]:
    """What these options ask for, by the names that a request has for it."""
    chosen = {"selection": selection, "metric": metric, "baselines": baselines, "effort": effort}
    return {**chosen, "quantiles": quantiles_of(quantiles)}


def quantiles_of(text: str) -> tuple[float, ...]:
    """The levels of a comma-separated list; raises UsageError with what is accepted."""
    try:
        levels = tuple(float(part) for part in text.split(",") if part.strip())
        if all(LOWEST <= level <= HIGHEST for level in levels):
            return levels
    except ValueError:
        pass  # refused below
    raise UsageError(f"--quantiles {text!r}: accepted are numbers from {LOWEST:g} to {HIGHEST:g}, separated by commas")
