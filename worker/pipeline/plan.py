"""Request + cards → queues; request + data → how a queue is backtested, its candidates, and the blocks they are scored in."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from fnmatch import translate
from itertools import groupby

from shared.domain.forecasts import Block, Candidate, ForecastSpec, QueueWork
from shared.domain.identifiers import GLOB, alike, first_of, listed, shown, why_no_queue
from shared.domain.jobs import JobRequest
from shared.domain.lanes import Lane
from shared.domain.model_cards import ModelCard
from shared.domain.search_space import candidates_of
from shared.errors import QueueNotFound, UndefinedScore, UnreadableData
from worker.models.base import MIN_SEASONS, History, Model
from worker.pipeline.backtest import known_steps
from worker.pipeline.ensembles.blends import BLENDS, MADE_OF
from worker.pipeline.ensembles.by_lead_time import BY_LEAD_TIME, MIN_FOLDS
from worker.pipeline.ensembles.names import members_of, requested_composites
from worker.pipeline.ensembles.weighted import MIN_MEMBERS
from worker.pipeline.folds import FEW, FoldPlan, planned_folds, two_days
from worker.pipeline.history import build, known_at
from worker.pipeline.limits import UNKNOWN, Capacity
from worker.pipeline.snapshot import Snapshot
from worker.prepare.clean import is_constant

Warnings = tuple[str, ...]  # for people, in plain words; of one queue and without its name

MAX_QUEUES_NAMED = 5
DEAR = 20  # of a model's `cost`, about 60 ms a fit of two weeks of hours: Prophet, MSTL, ETS and LSTM
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
    by_look: dict[str, list[str]] = {}
    for name in names:
        by_look.setdefault(alike(name), []).append(name)
    if twins := [" and ".join(map(ascii, some)) for some in by_look.values() if len(some) > 1]:
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
        RequestError: as `candidates_of` does. UndefinedScore: no candidate can run.
    """
    known, ranked = {card.name: card for card in cards}, candidates_of(request, cards)
    is_cheap = all(known[candidate.model].cost < DEAR for candidate in ranked)
    spec, warnings = forecast_spec(request, snapshot, issued_at, capacity, is_cheap=is_cheap)
    steps = known_steps(snapshot)
    if is_constant(snapshot.frame[snapshot.target]):  # the quality report says so
        return QueueWork(spec=spec, candidates=(CONSTANT,), blocks=blocks((CONSTANT,), cards, spec, steps)), ()
    shortest = known_at(snapshot, steps - spec.held_back_steps, spec.window_steps, spec)
    able, left_out = _valid(_distinct(ranked), cards, shortest.history, spec)
    further = [each for each in members_of(request) if each.model in known and each not in ranked]
    unranked, _ = _valid(further, cards, shortest.history, spec)
    candidates = tuple(sorted((*able, *unranked), key=lambda each: known[each.model].lane is Lane.HEAVY))
    warnings += left_out + _composites_left_out(request, candidates, spec.windows)
    if not candidates:
        raise UndefinedScore(f"no candidate can run, and baselines are left out: {'; '.join(left_out)}")
    placed = blocks(candidates, cards, spec, steps)
    return QueueWork(spec=spec, candidates=candidates, blocks=placed, unranked=unranked), warnings


def forecast_spec(
    request: JobRequest, snapshot: Snapshot, issued_at: datetime, capacity: Capacity = UNKNOWN, *, is_cheap: bool = False
) -> tuple[ForecastSpec, Warnings]:
    """How the queue is backtested and forecast, and what a person should know of it.

    Args:
        is_cheap: whether each candidate costs milliseconds, so that there may be many folds.
    """
    steps, horizon = known_steps(snapshot), request.horizon_steps(issued_at)
    folds = planned_folds(steps, horizon, request.backtest_windows, request.step_seconds, is_cheap=is_cheap)
    spec = ForecastSpec(
        target=request.target,
        step_seconds=request.step_seconds,
        horizon_steps=horizon,
        window_steps=folds.steps,
        windows=folds.number,
        every_steps=folds.every,
        interval=request.interval,
        quantiles=request.quantiles,
        bounds=capacity.physical_range(request.bounds),
        timezone=request.timezone,
        holidays=request.holidays,
        events=request.known_events,
        exclude=request.exclude,
        columns=request.columns or (),
        fill=request.fill,
        **{name: getattr(capacity, name) for name in ("unit", "guaranteed", "maximum")},
    )
    return spec, _about_folds(folds, steps, horizon, request.backtest_windows or FEW)


def _about_folds(folds: FoldPlan, steps: int, horizon: int, wanted: int) -> Warnings:
    """What to say where the history allows less than was wanted."""
    if folds.steps == horizon and folds.number >= wanted:
        return ()
    requested, actual = _windows(wanted, horizon), _windows(folds.number, folds.steps)
    untested = "" if folds.steps == horizon else f"; nothing is known of how good it is after step {folds.steps} of {horizon}"
    return (f"the history has only {steps} steps: backtested on {actual} instead of {requested}{untested}",)


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
    only_baselines = shortest.length + spec.held_back_steps < two_days(spec.step_seconds)
    extent = shortest.extent(spec.window_steps)
    whole = replace(extent, length=extent.length + spec.held_back_steps, horizon=spec.horizon_steps)  # of the refit
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


def _composites_left_out(request: JobRequest, candidates: Sequence[Candidate], folds: int) -> Warnings:
    """What is asked for by name, made of candidates, and cannot be made; with "auto" it is a few of many."""
    if request.model == "auto":
        return ()
    members = {name: [each for each in made_of if each in candidates] for name, made_of in MADE_OF.items()}
    asked = requested_composites(request)
    counts = {name: len(members.get(name, candidates)) for name in asked if name in BLENDS}
    few = [
        f"{name} is left out: it needs {MIN_MEMBERS} candidates that can run, found {count}"
        for name, count in counts.items()
        if count < MIN_MEMBERS
    ]
    if BY_LEAD_TIME in asked and folds < MIN_FOLDS:
        few.append(f"{BY_LEAD_TIME} is left out: it chooses on other windows than it is scored on, and the history has one")
    return tuple(few)


def _windows(count: int, steps: int) -> str:
    return f"{count} window{'s' * (count != 1)} of {steps} step{'s' * (steps != 1)}"
