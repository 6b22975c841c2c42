"""Options of `queuecast backtest` that say how winners are chosen."""

from __future__ import annotations

from typing import Annotated

import typer

from shared.domain.choice import Effort, Metric, SelectionRule


def choice_of(
    *,
    selection: Annotated[SelectionRule, typer.Option(help="Which candidate wins.")] = SelectionRule.LOWEST_MAPE,
    metric: Annotated[Metric, typer.Option(help="What candidates are compared by.")] = Metric.MAPE,
    baselines: Annotated[bool, typer.Option(help="Whether baselines compete that nobody has named.")] = True,
    effort: Annotated[Effort, typer.Option(help="What `auto` tries.")] = Effort.NORMAL,
) -> dict[str, object]:
    """What these options ask for, by the names that a request has for it."""
    return {"selection": selection, "metric": metric, "baselines": baselines, "effort": effort}
