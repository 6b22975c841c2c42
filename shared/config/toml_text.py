"""TOML as text. Tables of connections in a configuration file are replaced and removed so that all else stays as it stands.

    # queuecast apply, set default: a change made here is undone by the next one
    [connections.archive]
    kind = "files"

Whether nothing else has changed is seen by reading both texts: what is written in a form that this does not know is refused.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from shared.domain.codec import Document
from shared.errors import SetupError

CONNECTIONS = "connections"
_MARK = "# queuecast apply, set {}: a change made here is undone by the next one"
_MARKED = re.compile(r"# queuecast apply, set ([a-z0-9][a-z0-9_-]*):.*")
_HEADER = re.compile(r"""\s*\[\[?\s*[\w."' -]+\s*\]\]?\s*(#.*)?""")
_OWN_HEADER = re.compile(r"""\s*\[\s*connections\s*\.\s*["']?([\w-]+)["']?\s*[.\]].*""")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """The lines of one connection: from its mark, or its header, to its last value."""

    name: str
    first: int
    end: int
    set_name: str = ""


def connections_in(text: str) -> dict[str, Document]:
    """Name → fields of the connections in a configuration file; raises SetupError for what is no TOML."""
    found = _read(text).get(CONNECTIONS, {})
    return found if isinstance(found, dict) else {}


def sets_in(text: str) -> dict[str, str]:
    """Name → set of the connections that `queuecast apply` has written."""
    return {section.name: section.set_name for section in _sections(text.splitlines()) if section.set_name}


def changed(text: str, written: Mapping[str, Document], removed: Sequence[str], set_name: str) -> str:
    """The text with these connections written in their place, or at the end, and those removed; comments within them go.

    Raises:
        SetupError: the file has them in another form than a table `[connections.NAME]` each.
    """
    expected = {name: fields for name, fields in connections_in(text).items() if name not in removed} | dict(written)
    lines = text.splitlines()
    known = [section for section in _sections(lines) if section.name in {*written, *removed}]
    done: set[str] = set()
    for section in reversed(known):  # from the end, so that places stay right; of several parts the last one is written
        is_last = section.name in written and section.name not in done
        lines[section.first : section.end] = _table(section.name, written[section.name], set_name) if is_last else []
        done.add(section.name)
    for name in (each for each in written if each not in done):
        lines += [*([""] if lines and lines[-1] else []), *_table(name, written[name], set_name)]
    new = "\n".join(lines) + "\n" if lines else ""
    _check(text, new, expected)
    return new


def _check(before: str, after: str, expected: Mapping[str, Document]) -> None:
    old = {name: value for name, value in _read(before).items() if name != CONNECTIONS}
    try:
        new = tomllib.loads(after)
    except tomllib.TOMLDecodeError:
        new = {}
    if new.pop(CONNECTIONS, {}) != expected or new != old:
        accepted = "accepted is a table [connections.NAME] for each; change it by hand, then apply again"
        raise SetupError(f"the configuration file has connections in a form that is not written by a program: {accepted}")


def _read(text: str) -> Document:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SetupError(f"the configuration file is no TOML: {error}") from error


def _sections(lines: Sequence[str]) -> Iterator[_Section]:
    headers = [number for number, line in enumerate(lines) if _HEADER.fullmatch(line)]
    for first, following in pairwise([*headers, len(lines)]):
        if match := _OWN_HEADER.fullmatch(lines[first]):
            end = following
            while end > first + 1 and lines[end - 1].strip()[:1] in {"", "#"}:  # what stands above the next header is about that
                end -= 1
            mark = _MARKED.fullmatch(lines[first - 1]) if first else None
            set_name = mark[1] if mark else ""
            yield _Section(name=match[1], first=first - bool(mark), end=end, set_name=set_name)


def _table(name: str, fields: Document, set_name: str) -> list[str]:
    values = (f"{toml_key(field)} = {toml_value(value)}" for field, value in fields.items())
    return [_MARK.format(set_name), f"[connections.{name}]", *values]


def toml_key(name: str) -> str:
    """A name as TOML writes it before a value."""
    return name if re.fullmatch("[A-Za-z0-9_-]+", name) else toml_value(name)


def toml_value(value: object) -> str:
    """As TOML writes it, in one line."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case list():
            return f"[{', '.join(map(toml_value, value))}]"
        case dict():
            return "{" + ", ".join(f"{toml_key(key)} = {toml_value(inner)}" for key, inner in value.items()) + "}"
        case _:  # a number, a time
            return str(value)
