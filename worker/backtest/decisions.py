"""What capacities set by rules would have cost on the past of each queue, as `queuecast backtest --decisions` tells it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import pandas as pd

from shared.command.tables import print_table
from shared.command.terminal import notice, say
from shared.domain.distribution import Origin
from shared.domain.excess import SECONDS_PER_HOUR
from shared.domain.forecasts import Forecast
from shared.domain.jobs import JobRequest
from shared.domain.outgoing import cell
from shared.domain.recommendations import amount
from shared.domain.replays import ORACLE, RECOMMENDED, ReplayVerdict, RuleFigures
from worker.backtest.decision_options import DecisionsAsked
from worker.backtest.export import replacing
from worker.backtest.replay import QueueReplay
from worker.decisions.cuts import with_cuts
from worker.decisions.objective import Demand
from worker.decisions.replay import Cutoff, Past
from worker.decisions.terms import Facts, Terms
from worker.decisions.verdict import verdict

NO_PATHS = "nothing is said of decisions, as none of its forecasts has joint paths"
SHOWN = {
    RECOMMENDED: "advised",
    "trailing 7-day quantile": "7 days",
    "last week's peak + 20 %": "week's peak",
    "yesterday's peak + 20 %": "day's peak",
    "vertical autoscaler's defaults": "VPA",
    "Autopilot-like": "Autopilot",
    ORACLE: "oracle",
}
NOTE = (
    "Costs (what lies idle + {kappa:g} × what is short) ÷ those of doing nothing, with what the queue has; changed daily as "
    "advised, or by the quantile of the last 7 days, the peak of the last week or day + 20 %, the defaults of Kubernetes' "
    "autoscaler (VPA), a moving window like Autopilot's; nobody can know what the oracle of the day knows.\n"
)
COLUMNS = tuple(each.name for each in fields(RuleFigures))
OF_QUEUE = ("queue", "days", "kappa", "present")


def decided(
    request: JobRequest, replayed: Sequence[QueueReplay], asked: DecisionsAsked
) -> tuple[dict[str, ReplayVerdict], dict[str, str]]:
    """What the replay of each queue says of decisions; and of those that have none, why."""
    pasts = {one.queue: _past(request, one) for one in replayed if one.results}
    reasons = {queue: NO_PATHS for queue, past in pasts.items() if not any(cutoff.demand for cutoff in past.cutoffs)}
    terms = Terms(kappa=asked.kappa)
    found = {queue: verdict(past, terms) for queue, past in pasts.items() if queue not in reasons}
    return {queue: with_cuts(pasts[queue], terms, each) for queue, each in found.items()}, reasons


def _past(request: JobRequest, one: QueueReplay) -> Past:
    known, first = one.known, one.results[0].forecast
    if known is None:
        raise ValueError("a queue with forecasts has values")
    grid = request.grid
    cutoffs = [
        Cutoff(
            at=grid.steps_between(known.start_at, result.forecast.issued_at),
            demand=_demand(result.forecast),
            facts=_facts(result.forecast),
        )
        for result in one.results
    ]
    return Past(
        queue=one.queue,
        values=known.values,
        cutoffs=tuple(cutoffs),
        hours=request.step_seconds / SECONDS_PER_HOUR,
        window_steps=first.horizon_steps,
        present=first.guaranteed,
    )


def _demand(forecast: Forecast) -> Demand | None:
    if (paths := forecast.paths) is None:
        return None
    is_recent = np.array([name.startswith(Origin.DAY) for name in paths.drawn_from] or [False] * paths.count)
    return Demand.of(np.array(paths.rows()), hours=forecast.step_seconds / SECONDS_PER_HOUR, is_recent=is_recent)


def _facts(forecast: Forecast) -> Facts:
    paths = forecast.paths
    counts = (paths.blocks, paths.windows) if paths else (0, 0)
    return Facts(unit=forecast.unit, basis=forecast.basis, blocks=counts[0], windows=counts[1])


def rows(verdicts: Iterable[ReplayVerdict]) -> Iterator[dict[str, object]]:
    """One of each queue and rule, what is advised first; whether it is offered, and why, is told of that one."""
    for each in verdicts:
        common = {name: getattr(each, name) for name in OF_QUEUE}
        yield common | asdict(each.chosen) | {"is_offered": each.is_offered, "sentence": each.sentence}
        yield from (common | asdict(figures) | {"is_offered": None, "sentence": ""} for figures in each.beside)


def write(verdicts: Iterable[ReplayVerdict], out: Path | None) -> None:
    """The rows as CSV or Parquet, by the ending; None = nowhere."""
    if out is None:
        return
    frame = pd.DataFrame(rows(verdicts), columns=[*OF_QUEUE, *COLUMNS, "is_offered", "sentence"])
    with replacing(out) as stream:
        if out.suffix == ".csv":
            frame.map(cell).to_csv(stream, index=False)
        else:
            frame.astype({"is_offered": "boolean"}).to_parquet(stream, index=False)


def show(verdicts: Mapping[str, ReplayVerdict], reasons: Mapping[str, str]) -> None:
    """Print a line of each queue, and what is said of it."""
    for queue, reason in reasons.items():
        notice(f"{queue}: {reason}", style="yellow")
    if not verdicts:
        return
    say("")
    rows = [(queue, *_line(each)) for queue, each in verdicts.items()]
    print_table(("queue", "has", *SHOWN.values(), "offered"), rows, spare=(*SHOWN.values(),)[:0:-1])
    say(NOTE.format(kappa=next(iter(verdicts.values())).kappa))
    for queue, each in verdicts.items():
        say(f"{queue}: {_told(each)}")


def _line(each: ReplayVerdict) -> tuple[object, ...]:
    return amount(each.present, each.unit), *(each.of(rule).ratio for rule in SHOWN), "yes" if each.is_offered else "no"


def _told(each: ReplayVerdict) -> str:
    """The verdict, and of a timetable where one is offered."""
    if each.timetable is None or not each.timetable.is_offered:
        return each.sentence
    return f"{each.sentence} {each.timetable.sentence}"
