"""Texts from data, made fit for where they go: a spreadsheet, a label of Prometheus, a line that people read."""

from __future__ import annotations

import re

from shared.domain.identifiers import BIDI_CONTROLS

MAX_LABEL = 200
REPLACED = "\ufffd"
_FORMULA = re.compile(r"[=+\-@\t\r]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_TURNS = re.compile(f"[{BIDI_CONTROLS}]")
_PLAIN = re.compile(r"[ -~]*")


def cell(value: object) -> object:
    """A cell of a CSV file: a text that a spreadsheet would take for a formula is quoted; numbers, also negative ones, stay."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def label(text: str) -> str:
    """A label's value: without control characters and line breaks, not without end."""
    return _TURNS.sub(REPLACED, _CONTROL.sub(REPLACED, text))[:MAX_LABEL]


def readable(text: object) -> str:
    """The text without what would turn the direction of the text around it."""
    return _TURNS.sub(REPLACED, str(text))


def isolated(text: object) -> str:
    """The same for where no element can isolate it: an attribute, a title. Plain ASCII needs nothing."""
    plain = readable(text)
    return plain if _PLAIN.fullmatch(plain) else f"\u2068{plain}\u2069"
