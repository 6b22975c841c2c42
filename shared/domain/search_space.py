"""What a request asks of the models, checked against what the workers say of them: request + cards → candidates.

Both sides do this alike: the API before it takes a job, a worker when it plans one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from math import inf, isfinite, prod

from shared.domain.choice import Effort
from shared.domain.forecasts import Candidate
from shared.domain.jobs import Grid, Hyperparameter, JobRequest
from shared.domain.lanes import Lane
from shared.domain.model_cards import HyperparameterCard, ModelCard
from shared.domain.wording import counted, meant
from shared.errors import InvalidRequest, TooManyCandidates, UnknownHyperparameter, UnknownModel

REFERENCE_MODEL = "seasonal_naive"
REFERENCE = Candidate(model=REFERENCE_MODEL, hyperparameters={"days": 1})  # same hour of the day before: what skill compares with


def candidates_of(request: JobRequest, cards: Sequence[ModelCard]) -> tuple[Candidate, ...]:
    """Every candidate for one queue, without repetition: light ones first, cheap before dear, then by name and grid.

    Baselines are among them unless the request leaves them out, and with them the reference forecast, whatever grid the request
    gives. A blend is none of them: it is made of their forecasts when the winner is chosen.

    Raises:
        UnknownModel, UnknownHyperparameter, InvalidRequest: with what is accepted.
        TooManyCandidates: counted before they are made.
    """
    grids = _grids_of(request, cards)
    check_count(request, candidates=_count(grids))
    candidates = [candidate for name, grid in grids.items() for candidate in _grid_points(name, grid)]
    if request.baselines and _lacks_reference(grids):
        candidates.insert([candidate.model for candidate in candidates].index(REFERENCE_MODEL), REFERENCE)
    return tuple(candidates)


def count_candidates(request: JobRequest, cards: Sequence[ModelCard]) -> int:
    """How many `candidates_of` would make, of which there may be very many; raises likewise."""
    grids = _grids_of(request, cards)
    check_count(request, candidates=_count(grids))
    return _count(grids) + (request.baselines and _lacks_reference(grids))


def check_count(request: JobRequest, *, candidates: int, queues: int = 1) -> None:
    """Refuse rather than flood: raises TooManyCandidates above the request's `max_candidates`."""
    total = queues * candidates
    if total > request.max_candidates:
        raise TooManyCandidates(
            f"{counted(queues, 'queue')} with {counted(candidates, 'candidate')} each are {total:,}, accepted are "
            f"{request.max_candidates:,}; "
            "name fewer queues, models or hyperparameters, or raise max_candidates"
        )


def grid_of(card: ModelCard, given: Grid) -> dict[str, tuple[Hyperparameter, ...]]:
    """The grid of a model: the given values where there are some, else its own, else its default.

    Raises:
        UnknownHyperparameter: with the names that the model knows.
        InvalidRequest: with the values that are accepted.
    """
    known = {hyperparameter.name: hyperparameter for hyperparameter in card.hyperparameters}
    for name in given:
        if name not in known:
            accepted = ", ".join(known) or "none"
            raise UnknownHyperparameter(f"found {name!r}, known are {accepted}", model=card.name)
    return {name: _values(card.name, known[name], given.get(name)) for name in known}


def _grids_of(request: JobRequest, cards: Sequence[ModelCard]) -> dict[str, dict[str, tuple[Hyperparameter, ...]]]:
    """The grid of each model that is computed, in the order of candidates."""
    chosen = sorted(_chosen(request, cards), key=lambda card: (card.lane is Lane.HEAVY, card.cost, card.name))
    return {card.name: grid_of(card, request.hyperparameters.get(card.name, {})) for card in chosen}


def _count(grids: Mapping[str, Grid]) -> int:
    return sum(prod(map(len, grid.values())) for grid in grids.values())


def _lacks_reference(grids: Mapping[str, Grid]) -> bool:
    """Whether the model of the reference forecast is computed, but not as such."""
    grid = grids.get(REFERENCE_MODEL)
    return grid is not None and not all(value in grid.get(name, ()) for name, value in REFERENCE.hyperparameters.items())


def _chosen(request: JobRequest, cards: Sequence[ModelCard]) -> list[ModelCard]:
    """The cards of what is computed: the models that the request names, the members of the blends it names, the baselines."""
    known = {card.name: card for card in cards}
    named = _by_auto(request, cards) if request.model == "auto" else request.model
    for name in (*named, *request.hyperparameters):
        if name not in known:
            raise UnknownModel(f"found {name!r}, known are {_listed(known)}{meant(name, known)}")
    members = _members([known[name] for name in named], known)
    left_out = set() if request.baselines else _unnamed_baselines(request, cards)
    chosen = [card for card in cards if card.members is None and (card.name in members or card.is_baseline)]
    chosen = [card for card in chosen if card.name not in left_out]
    for name in request.hyperparameters:
        _check_has_grid(known[name], named, chosen)
    return chosen


def _by_auto(request: JobRequest, cards: Sequence[ModelCard]) -> tuple[str, ...]:
    """What "auto" ranks beside baselines and blends: all with `thorough`, else what hyperparameters are given for."""
    if request.effort is Effort.THOROUGH:
        return tuple(card.name for card in cards)
    return (*request.hyperparameters, *(card.name for card in cards if not card.are_members_ranked))


def _unnamed_baselines(request: JobRequest, cards: Sequence[ModelCard]) -> set[str]:
    """What `baselines: false` leaves out; raises InvalidRequest for a blend asked for by name that is made of it."""
    asked = set[str]() if request.model == "auto" else set(request.model)
    left_out = {card.name for card in cards if card.is_baseline} - asked
    for card in cards:
        if card.name in asked and card.are_members_ranked and (lost := left_out & set(card.members or ())):
            raise InvalidRequest(
                f"{card.name!r} is made of {_listed(sorted(lost))}, which `baselines: false` leaves out; name them, or leave "
                "`baselines` as it is",
                field="baselines",
            )
    return left_out


def _members(named: Sequence[ModelCard], known: Mapping[str, ModelCard]) -> set[str]:
    """What these stand for: a blend for its members; one of the best for the models beside it, where there is none for all."""
    models = {card.name for card in named if card.members is None}
    named = [card for card in named if card.are_members_ranked]
    if not models and any(card.members == () for card in named):
        return set(known)
    return models.union(*(card.members or () for card in named))


def _check_has_grid(card: ModelCard, named: Sequence[str], chosen: Sequence[ModelCard]) -> None:
    if card.members is not None:
        members = f"those of its members: {_listed(card.members)}" if card.members else "those of the models it may blend"
        raise InvalidRequest(f"{card.name!r} is a blend, which has no hyperparameters of its own; accepted are {members}")
    if card not in chosen:
        raise InvalidRequest(
            f"hyperparameters are given for {card.name!r}, which is not among the models asked for: {_listed(named)}"
        )


def _grid_points(model: str, grid: Grid) -> Iterable[Candidate]:
    for values in product(*grid.values()):
        yield Candidate(model=model, hyperparameters=dict(zip(grid, values, strict=True)))


def _values(model: str, card: HyperparameterCard, given: Sequence[Hyperparameter] | None) -> tuple[Hyperparameter, ...]:
    if given is None:
        return card.grid or (card.default,)
    if not given:
        raise InvalidRequest(f"{model}.{card.name} is given without a value, accepted are {_accepted(card)}")
    return tuple(dict.fromkeys(_checked(model, card, value) for value in given))


def _checked(model: str, card: HyperparameterCard, value: Hyperparameter) -> Hyperparameter:
    """The value as the model wants it; a whole number stands for a float too, but true is no number."""
    if card.type == "float" and type(value) is int:
        value = float(value)
    if type(value).__name__ != card.type or not _is_in_range(card, value):
        raise InvalidRequest(f"{model}.{card.name} is {value!r}, accepted are {_accepted(card)}")
    return value


def _is_in_range(card: HyperparameterCard, value: Hyperparameter) -> bool:
    if card.choices is not None and value not in card.choices:
        return False
    if isinstance(value, str):
        return True
    smallest = -inf if card.minimum is None else card.minimum
    largest = inf if card.maximum is None else card.maximum
    return isfinite(value) and smallest <= value <= largest


def _accepted(card: HyperparameterCard) -> str:
    if card.choices is not None:
        return _listed(card.choices)
    words = {"int": "whole numbers", "float": "numbers", "str": "texts", "bool": "true, false"}[card.type]
    lower = "" if card.minimum is None else f" from {card.minimum:g}"
    upper = "" if card.maximum is None else f" up to {card.maximum:g}"
    return words + lower + upper


def _listed(names: Iterable[Hyperparameter] | Mapping[str, object]) -> str:
    return ", ".join(map(str, names)) or "none"
