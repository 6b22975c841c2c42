"""Request + cards → queues; request + data → how a queue is backtested, its candidates, and the blocks they are scored in."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from fnmatch import translate
from itertools import groupby
from unicodedata import normalize

from shared.domain.forecasts import Block, Candidate, ForecastSpec, ModelCard, QueueWork
from shared.domain.identifiers import GLOB, first_of, listed, shown, why_no_queue
from shared.domain.jobs import JobRequest
from shared.domain.lanes import Lane
from shared.domain.search_space import candidates_of
from shared.domain.timegrid import SECONDS_PER_DAY
from shared.errors import QueueNotFound, UnreadableData
from worker.models.base import MIN_SEASONS, History, Model
from worker.pipeline.backtest import known_steps
from worker.pipeline.ensembles import BLEND_CHEAP, CHEAP, MIN_MEMBERS, wanted_blends
from worker.pipeline.history import build, history_at
from worker.pipeline.limits import UNKNOWN, Capacity
from worker.pipeline.snapshot import Snapshot
from worker.prepare.clean import is_constant

Warnings = tuple[str, ...]  # for people, in plain words; of one queue and without its name

MAX_QUEUES_NAMED = 5
CONSTANT = Candidate(model="last_value")
BLOCK_SECONDS = 1.0  # enough that a task's own price (4 ms, and the folds, about 40 ms) is small; far below its time limit
COST_SECONDS = 0.003  # CPU seconds of one fit of cost 1 on `COST_STEPS` steps, about
COST_STEPS = 336


def accepted_queues(found_names: Iterable[str]) -> tuple[list[str], Warnings]:
    """The names from a source that may be a queue's, sorted, and what to say of the others.

    Raises:
        UnreadableData: none of them may.
    """
    names = sorted(set(found_names))
    refused = {name: why for name in names if (why := why_no_queue(name))}
    twins = tuple(_twins(name for name in names if name not in refused))
    if not refused:
        return names, twins
    examples = first_of(refused.items(), MAX_QUEUES_NAMED, say=lambda refusal: f"{shown(refusal[0])}: {refusal[1]}", between="; ")
    if len(refused) == len(names):
        raise UnreadableData(f"no name in the source may be a queue's: {examples}")
    return [name for name in names if name not in refused], (f"queues left out for their names: {examples}", *twins)


def _twins(names: Iterable[str]) -> Iterator[str]:
    """What to say of names that look the same: each is a queue of its own."""
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(" ".join(normalize("NFKC", name).split()), []).append(name)
    if twins := [" and ".join(map(ascii, some)) for some in alike.values() if len(some) > 1]:
        shown_ones = first_of(twins, MAX_QUEUES_NAMED, between="; ")
        yield f"queues whose names look the same and differ in blanks or in how a letter is written are kept apart: {shown_ones}"


def wanted_queues(request: JobRequest, known: Iterable[str]) -> tuple[list[str], Warnings]:
    """The queues that the request asks for, sorted, and what to say of how it asks.

    Globs know `*`, `?` and `[…]`, and case matters; where a queue is called so and the glob would not match it, the queue is
    meant. A name without glob characters that the source does not know stays in the list, so that it fails by itself, visibly,
    and the others go on.

    Raises:
        QueueNotFound: no known queue is asked for; with some of the known ones.
    """
    names = set(known)
    globs = {pattern: _matching(pattern, names) for pattern in dict.fromkeys(request.queues) if GLOB & set(pattern)}
    literal = {name for name in names & set(request.queues) if name not in globs.get(name, ())}
    as_globs = [found for pattern, found in globs.items() if pattern not in literal]
    if not (matching := literal.union(*as_globs)):
        raise QueueNotFound(f"found {listed(request.queues)}, known are {listed(sorted(names), MAX_QUEUES_NAMED)}")
    asked = matching | {pattern for pattern in request.queues if pattern not in globs}
    return sorted(asked), tuple(_about_globs(globs, literal, asked))


def _matching(glob: str, names: Iterable[str]) -> set[str]:
    matches = re.compile(translate(glob)).match  # fnmatch itself remembers too few of them
    return {name for name in names if matches(name)}


def _about_globs(globs: Mapping[str, set[str]], literal: Collection[str], asked: Collection[str]) -> Iterator[str]:
    """What a glob finds that nobody may have meant, and that it finds nothing."""
    for pattern, found in globs.items():
        if pattern in literal:
            if others := sorted(found - set(asked)):
                would = f"as a glob it would take {listed(others, MAX_QUEUES_NAMED)}"
                yield f"{shown(pattern)} in `queues` is the name of a queue and is meant so; {would}"
        elif not found:
            yield f"{shown(pattern)} in `queues` is the name of no queue, and as a glob it matches none"


def queue_work(
    request: JobRequest, snapshot: Snapshot, issued_at: datetime, *, cards: Sequence[ModelCard], capacity: Capacity = UNKNOWN
) -> tuple[QueueWork, Warnings]:
    """What is to be done for one queue: how, which candidates this data allows, and in which tasks.

    Raises:
        RequestError: as `candidates_of` does.
    """
    spec, warnings = forecast_spec(request, snapshot, issued_at, capacity)
    candidates = candidates_of(request, cards)
    target = snapshot.frame[snapshot.target]
    if is_constant(target):
        candidates, warnings = (CONSTANT,), ()  # the quality report says so already
    else:
        shortest = history_at(snapshot, known_steps(snapshot) - spec.windows * spec.window_steps, spec.window_steps, spec)
        candidates, left_out = _valid(_distinct(candidates), cards, shortest, spec)
        warnings += left_out + _blends_left_out(request, candidates)
    return QueueWork(spec=spec, candidates=candidates, blocks=blocks(candidates, cards, spec, known_steps(snapshot))), warnings


def forecast_spec(
    request: JobRequest, snapshot: Snapshot, issued_at: datetime, capacity: Capacity = UNKNOWN
) -> tuple[ForecastSpec, Warnings]:
    """How the queue is backtested and forecast, and what a person should know of it."""
    steps, horizon = known_steps(snapshot), request.horizon_steps(issued_at)
    fold_steps, folds = fold_rule(steps, horizon, request.backtest_windows, request.step_seconds)
    spec = ForecastSpec(
        target=request.target,
        step_seconds=request.step_seconds,
        horizon_steps=horizon,
        window_steps=fold_steps,
        windows=folds,
        interval=request.interval,
        bounds=capacity.physical_range(request.bounds),
        timezone=request.timezone,
        holidays=request.holidays,
        columns=request.columns or (),
        fill=request.fill,
        unit=capacity.unit,
        guaranteed=capacity.guaranteed,
        maximum=capacity.maximum,
    )
    if (fold_steps, folds) == (horizon, request.backtest_windows):
        return spec, ()
    requested, actual = _windows(request.backtest_windows, horizon), _windows(folds, fold_steps)
    untested = "" if fold_steps == horizon else f"; nothing is known of how good it is after step {fold_steps} of {horizon}"
    return spec, (f"the history has only {steps} steps: backtested on {actual} instead of {requested}{untested}",)


def fold_rule(steps: int, horizon: int, requested: int, step_seconds: int) -> tuple[int, int]:
    """Length and number of the folds (users say windows) for a history of `steps` (at least 3).

    A fold is one horizon, but at most a third of the history; one that had to be shortened stays alone. Together they leave at
    least a third of the history, and two days of it, to the first training part:

        steps  horizon  requested
          336       24       3   →  3 folds of 24, the first trained on 264 steps
          336       72       3   →  3 folds of 72, the first trained on 120
          120       72       3   →  1 fold of 40, trained on 80: "5d" and "3d" at one hour
    """
    third = max(1, steps // 3)
    if horizon > third:
        return third, 1
    spare = min(2 * steps // 3, steps - two_days(step_seconds))
    return horizon, max(1, min(requested, spare // horizon))


def two_days(step_seconds: int) -> int:
    """Steps of the shortest history that shows a daily season."""
    return MIN_SEASONS * max(1, round(SECONDS_PER_DAY / step_seconds))


def blocks(candidates: Sequence[Candidate], cards: Sequence[ModelCard], spec: ForecastSpec, steps: int) -> tuple[Block, ...]:
    """Cheap candidates together, about `BLOCK_SECONDS` of CPU time each block and all of like size; heavy ones alone."""
    known = {card.name: card for card in cards}
    lanes = [known[candidate.model].lane for candidate in candidates]
    scale = COST_SECONDS * spec.windows * max(1.0, steps / COST_STEPS)
    prices = [known[candidate.model].cost * scale for candidate in candidates]
    light = sum(price for price, lane in zip(prices, lanes, strict=True) if lane is not Lane.HEAVY)
    share = light / max(1, round(light / BLOCK_SECONDS))
    spent, keys = 0.0, []
    for index, (price, lane) in enumerate(zip(prices, lanes, strict=True)):
        keys.append((lane, index if lane is Lane.HEAVY else int(spent / share)))
        spent += price
    runs = [[index for index, _ in run] for _, run in groupby(enumerate(keys), key=lambda item: item[1])]
    return tuple(Block(first=run[0], last=run[-1], lane=lanes[run[0]]) for run in runs)


def _distinct(candidates: Iterable[Candidate]) -> Collection[Candidate]:
    """Of candidates that are the same model, since it ignores one hyperparameter beside another, only the first."""
    first: dict[tuple[str, Model], Candidate] = {}
    for candidate in candidates:
        first.setdefault((candidate.model, build(candidate)), candidate)
    return first.values()


def _valid(
    candidates: Collection[Candidate], cards: Sequence[ModelCard], shortest: History, spec: ForecastSpec
) -> tuple[tuple[Candidate, ...], Warnings]:
    """The candidates that can run on the shortest training part, and why the others cannot: said once for a whole model."""
    baselines = {card.name for card in cards if card.is_baseline}
    only_baselines = shortest.length + spec.windows * spec.window_steps < two_days(spec.step_seconds)
    extent = shortest.extent(spec.window_steps)
    whole = replace(extent, length=extent.length + spec.windows * spec.window_steps, horizon=spec.horizon_steps)  # of the refit
    reasons: dict[str, str] = {}  # label → reason
    for candidate in candidates:
        model = build(candidate)
        reason = model.missing(whole) or model.missing(extent)
        if reason is not None and model.missing(whole) is None:
            reason += f" before the first backtest window, {whole.length} in all"
        if reason is None and only_baselines and candidate.model not in baselines:
            reason = f"the history is shorter than {MIN_SEASONS} days"
        if reason is not None:
            reasons[candidate.label] = reason
    able = tuple(candidate for candidate in candidates if candidate.label not in reasons)
    lost = {candidate.model for candidate in candidates} - {candidate.model for candidate in able}
    names = {candidate.label: candidate.model if candidate.model in lost else candidate.label for candidate in candidates}
    said = {names[label]: reason for label, reason in reversed(reasons.items())}  # of a whole model the first reason
    return able, tuple(f"{name} is left out: {reason}" for name, reason in reversed(said.items()))


def _blends_left_out(request: JobRequest, candidates: Sequence[Candidate]) -> Warnings:
    """The blends that are asked for by name and cannot be made; with "auto" they are a few of many."""
    members = {BLEND_CHEAP: [candidate for candidate in CHEAP if candidate in candidates]}
    counts = {name: len(members.get(name, candidates)) for name in wanted_blends(request) if request.model != "auto"}
    return tuple(
        f"{name} is left out: it needs {MIN_MEMBERS} candidates that can run, found {count}"
        for name, count in counts.items()
        if count < MIN_MEMBERS
    )


def _windows(count: int, steps: int) -> str:
    return f"{count} window{'s' * (count != 1)} of {steps} step{'s' * (steps != 1)}"
