"""Texts from data, made fit for where they go: a spreadsheet, a label of Prometheus, an address, a line that people read."""

from __future__ import annotations

import re
from urllib.parse import quote

from shared.domain.identifiers import BIDI_CONTROLS

MAX_LABEL = 200
REPLACED = "\ufffd"
_FORMULA = re.compile(r"[=+\-@\t\r]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_TURNS = re.compile(f"[{BIDI_CONTROLS}]")
_PLAIN = re.compile(r"[ -~]*")


def in_path(name: str, safe: str = "/") -> str:
    """A name as part of an address: what programs on the way would take for a step in a tree of folders is written otherwise.

    Browsers, proxies and libraries of HTTP drop parts like `..`, `%2E%2E` too, and join slashes; `from_path` reads them back.
    """
    return quote("/".join(map(_plain_segment, name.split("/"))), safe=safe)


def from_path(text: str) -> str:
    """The name that `in_path` has written, once it is percent-decoded; other names stay as they are."""
    return "/".join(map(_segment, text.split("/")))


def _plain_segment(segment: str) -> str:
    """`..` as `%2E%2E`, nothing as `%`; what begins with that sign itself gets one more."""
    if segment in {"", ".", ".."}:
        return segment.replace(".", "%2E") or "%"
    return f"%{segment}" if segment.startswith("%") else segment


def _segment(text: str) -> str:
    if text.startswith("%%"):
        return text[1:]
    return {"%": "", "%2E": ".", "%2E%2E": ".."}.get(text.upper(), text)


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
