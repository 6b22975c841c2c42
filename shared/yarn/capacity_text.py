"""Capacities as a configuration writes them: `45`, `2w`, `[memory=10240,vcores=12]`, `[memory=50%,vcores=2w,yarn.io/gpu=1]`."""

from __future__ import annotations

import re
from decimal import Decimal

from shared.domain.capacities import Capacity, Mode, Part, Resources
from shared.domain.identifiers import shown

ACCEPTED = "a percentage such as 45, a weight such as 2w and resources such as [memory=10240,vcores=12]"
MAX_TEXT = 1_000  # characters
MAX_AMOUNT = 2**63  # YARN's own numbers have 64 bits
MEMORY, VCORES = "memory-mb", "vcores"

_NUMBER = r"-?(?:\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})"
_UNIFORM = re.compile(rf"({_NUMBER})(w?)", re.ASCII)
_VALUE = re.compile(rf"({_NUMBER})([A-Za-z%]*)", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9._/-]{1,100}", re.ASCII)
_MIB = 2**20
_BINARY = {f"{letter}i": 2 ** (10 * power) for power, letter in enumerate("KMGTP", 1)}
_UNITS = _BINARY | {letter: 10 ** (3 * power) for power, letter in enumerate("kMGTP", 1)}
_MODES = {"%": Mode.PERCENTAGE, "w": Mode.WEIGHT, "": Mode.ABSOLUTE}


def capacity_of(text: str) -> Capacity:
    """What a configured value says; raises ValueError with what is accepted."""
    plain = re.sub(r"\s", "", text[: MAX_TEXT + 1])
    if (uniform := _UNIFORM.fullmatch(plain)) and len(text) <= MAX_TEXT:
        amount = _amount(uniform[1], text)
        return Capacity.of_weight(amount) if uniform[2] else Capacity.of_percent(amount)
    if len(text) <= MAX_TEXT and plain.startswith("[") and plain.endswith("]"):
        return _of_resources([entry.partition("=") for entry in plain[1:-1].split(",") if entry], text)
    raise _refusal(text)


def of_vector(text: str) -> Capacity | None:
    """What a ResourceManager says of all resources of its cluster; None = nothing. The same for all is no mixed capacity."""
    if not re.search(r"[^\s\[\]]", text):
        return None
    capacity = capacity_of(text)
    said = {(part.mode, part.amount) for part in capacity.parts}
    if len(said) != 1:
        return capacity
    [(mode, amount)] = said
    return Capacity.of_weight(amount) if mode is Mode.WEIGHT else Capacity.of_percent(amount)


def text_of(capacity: Capacity) -> str:
    """The value as it is written into a configuration."""
    if capacity.mode is Mode.PERCENTAGE:
        return number_text(capacity.percent or 0.0)
    if capacity.mode is Mode.WEIGHT:
        return f"{number_text(capacity.weight or 0.0)}w"
    if capacity.mode is Mode.ABSOLUTE:
        resources = capacity.resources or Resources(memory_mb=0, vcores=0)
        entries = [("memory", str(resources.memory_mb)), (VCORES, str(resources.vcores)), *capacity.further]
    else:
        suffixes = {mode: suffix for suffix, mode in _MODES.items()}
        entries = [(part.resource, f"{number_text(part.amount)}{suffixes[part.mode]}") for part in capacity.parts]
    return f"[{','.join(f'{name}={value}' for name, value in entries)}]"


def number_of(text: str) -> float:
    """A number of a configuration; raises ValueError with what is accepted."""
    if not re.fullmatch(_NUMBER, text.strip(), re.ASCII):
        raise ValueError(f"{shown(text)} is no number")
    return float(text)


def number_text(number: float) -> str:
    """The shortest text that is this number again, without an exponent: 45, 12.5."""
    text = format(Decimal(repr(float(number))), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _of_resources(entries: list[tuple[str, str, str]], text: str) -> Capacity:
    found: dict[str, tuple[Mode, float, str]] = {}
    for name, _, value in entries:
        resource = MEMORY if name in ("memory", MEMORY) else name
        if not _NAME.fullmatch(name) or resource in found:
            raise _refusal(text)
        found[resource] = (*_value(resource, value, text), value)
    if {mode for mode, _, _ in found.values()} - {Mode.ABSOLUTE}:
        return Capacity(
            mode=Mode.MIXED,
            parts=tuple(Part(resource=name, mode=mode, amount=amount) for name, (mode, amount, _) in found.items()),
        )
    memory, vcores = (int(found.pop(name, (None, 0.0, ""))[1]) for name in (MEMORY, VCORES))
    further = tuple((name, value) for name, (_, _, value) in found.items())
    return Capacity.of_resources(Resources(memory_mb=memory, vcores=vcores), further)


def _value(resource: str, value: str, text: str) -> tuple[Mode, float]:
    """What is said of one resource. Units are those of memory; of other resources they are left as they are written."""
    match = _VALUE.fullmatch(value)
    if match is None:
        raise _refusal(text)
    amount, unit = _amount(match[1], text), match[2]
    if unit in _MODES:
        return _MODES[unit], amount
    if unit not in _UNITS or resource == VCORES:
        raise _refusal(text)
    return Mode.ABSOLUTE, amount * _UNITS[unit] / _MIB if resource == MEMORY else amount


def _amount(text: str, whole: str) -> float:
    amount = float(text)
    if abs(amount) >= MAX_AMOUNT:
        raise _refusal(whole)
    return amount


def _refusal(text: str) -> ValueError:
    return ValueError(f"{shown(text) or 'nothing'} is no capacity; accepted are {ACCEPTED}")
