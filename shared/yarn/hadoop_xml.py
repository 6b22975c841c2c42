"""Hadoop's configuration files, such as capacity-scheduler.xml: read as YARN reads them, with the place of each value.

    <configuration>
      <property><name>yarn.scheduler.capacity.root.etl.capacity</name><value>45</value></property>
    </configuration>

No entity is expanded and no other file is read: a document type, and an include, are refused, since the file alone would not be
what YARN has. Of a property that is set twice the last one counts, unless an earlier one is final.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from shared.domain.identifiers import shown
from shared.errors import YarnUnreadable

MAX_BYTES = 16 * 1024 * 1024
MAX_PROPERTIES = 200_000
MAX_DEPTH = 20
MAX_SUBSTITUTIONS = 20  # as Hadoop has it
MAX_VALUE = 100_000  # characters, once variables are in

_ENCODING = re.compile(r"utf-8|us-ascii|iso-8859-\d{1,2}|windows-125\d", re.IGNORECASE)  # all of them have ASCII in them
_VARIABLE = re.compile(r"\$\{([^}$\s]+)\}")


@dataclass(slots=True)
class Piece:
    """Text between two marks of a file; `end` is known when the next one comes."""

    start: int
    text: str
    end: int = -1


@dataclass(slots=True)
class Property:
    """A property as it stands in a file, in bytes from the start of the file."""

    line: int
    start: int  # of <property>
    end: int = -1  # behind </property>
    name: str = ""
    value: str = ""
    is_final: bool = False
    pieces: list[Piece] = field(default_factory=list)  # of the value
    value_end: int = -1  # where </value> begins; -1 = there is none to write before


@dataclass(frozen=True, slots=True)
class ConfigurationFile:
    """The properties of a file, in its order."""

    data: bytes
    properties: tuple[Property, ...]

    def named(self, name: str) -> list[Property]:
        """Every property of this name."""
        return [each for each in self.properties if each.name == name]


def read_file(data: bytes) -> ConfigurationFile:
    """A file's properties; raises YarnUnreadable with what is wrong, and where."""
    if len(data) > MAX_BYTES:
        raise YarnUnreadable(f"the file has {len(data):,} bytes; accepted are {MAX_BYTES:,}")
    if b"\0" in data[:4] or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise YarnUnreadable("it is written in UTF-16 or UTF-32; accepted is UTF-8")
    reader = _Reader(data)
    try:
        reader.parser.Parse(data, True)
    except expat.ExpatError as error:
        raise YarnUnreadable(f"it is no XML: {error}") from None
    except (LookupError, ValueError) as error:
        raise YarnUnreadable(f"its encoding is not accepted: {error}") from None
    return ConfigurationFile(data, tuple(reader.properties))


def values_of(file: ConfigurationFile) -> dict[str, str]:
    """Name → value, with `${variables}` that the file itself has; raises YarnUnreadable where one is not known."""
    found: dict[str, Property] = {}
    for each in file.properties:
        if not (each.name in found and found[each.name].is_final):
            found[each.name] = each
    values = {name: each.value for name, each in found.items()}
    return {name: substituted(value, values) for name, value in values.items()}


def substituted(text: str, values: Mapping[str, str]) -> str:
    """A value with its variables replaced, as deep as Hadoop does."""
    for _ in range(MAX_SUBSTITUTIONS):
        if (match := _VARIABLE.search(text)) is None:
            return text
        value = values.get(match[1])
        if value is None or len(text) + len(value) > MAX_VALUE:
            return text  # YARN may know it, from its system's properties
        text = text[: match.start()] + value + text[match.end() :]
    raise YarnUnreadable(f"{shown(text)} has variables in variables, more than {MAX_SUBSTITUTIONS} times")


class _Reader:
    """What expat tells, event by event; each says where in the file it is."""

    def __init__(self, data: bytes) -> None:
        self.properties: list[Property] = []
        self.parser = parser = expat.ParserCreate()
        self._data = data
        self._open: list[str] = []
        self._current: Property | None = None
        self._texts: dict[str, list[Piece]] = {}
        self._last: Piece | None = None
        self._bare: int | None = None  # where an element begins in which nothing has come yet
        parser.buffer_text = False
        parser.XmlDeclHandler = self._declaration
        parser.StartDoctypeDeclHandler = self._document_type
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.CommentHandler = parser.StartCdataSectionHandler = parser.EndCdataSectionHandler = self._mark
        parser.ProcessingInstructionHandler = self._mark

    def _declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if not _ENCODING.fullmatch(encoding or "UTF-8"):
            raise self._refusal(f"the encoding {shown(encoding or '')}; accepted are UTF-8 and, of 8 bits, ISO 8859 and Windows")

    def _document_type(self, *_told: object) -> None:
        raise self._refusal("a document type, which is not accepted: entities are not expanded")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._mark()
        local = name.rpartition(":")[2]
        if local in ("include", "fallback"):
            raise self._refusal(f"<{name}>: what other files set is not known here")
        self._open.append(local)
        self._bare = self.parser.CurrentByteIndex
        if len(self._open) > MAX_DEPTH or len(self.properties) > MAX_PROPERTIES:
            raise self._refusal(f"more than {MAX_DEPTH} elements in one another, or {MAX_PROPERTIES:,} properties")
        if len(self._open) == 1 and local != "configuration":
            raise self._refusal(f"<{name}> as its outermost element; accepted is <configuration>")
        self._texts[local] = []  # of an element that comes twice the last one counts
        if local == "property":
            self._texts = {}
            self._current = Property(line=self.parser.CurrentLineNumber, start=self.parser.CurrentByteIndex)
            self._current.name, self._current.value = attributes.get("name", ""), attributes.get("value", "")
            self._current.is_final = attributes.get("final") == "true"

    def _text(self, text: str) -> None:
        self._mark()
        if self._current is not None and len(self._open) >= 2 and self._open[-2] == "property":
            self._last = Piece(self.parser.CurrentByteIndex, text)
            self._texts.setdefault(self._open[-1], []).append(self._last)

    def _end(self, _name: str) -> None:
        at, local = self.parser.CurrentByteIndex, self._open.pop()
        has_end_tag = self._bare is None or not self._data[self._bare : at].endswith(b"/>")
        self._mark()
        current = self._current
        if current is None:
            return
        if local == "value" and self._open[-1:] == ["property"]:
            current.value_end = at if has_end_tag else -1
        if local == "property":
            current.end = self._data.index(b">", at) + 1 if has_end_tag else at
            self._close(current)

    def _close(self, current: Property) -> None:
        self._current = None
        for name, pieces in self._texts.items():
            text = "".join(piece.text for piece in pieces)
            if name == "name":
                current.name = text
            elif name == "value":
                current.value, current.pieces = text, pieces
            elif name == "final":
                current.is_final = text.strip() == "true"
        current.name = current.name.strip()
        if current.name:
            self.properties.append(current)

    def _mark(self, *_told: object) -> None:
        """Whatever comes next ends the text before it, and shows that the element around it is none like <value/>."""
        self._bare = None
        if self._last is not None:
            self._last.end, self._last = self.parser.CurrentByteIndex, None

    def _refusal(self, found: str) -> YarnUnreadable:
        return YarnUnreadable(f"line {self.parser.CurrentLineNumber} has {found}")


def spans(pieces: Iterable[Piece]) -> list[tuple[int, int]]:
    """Where there is text that is not blank, pieces that touch taken as one."""
    found: list[tuple[int, int, str]] = []
    for piece in pieces:
        if found and found[-1][1] == piece.start:
            found[-1] = (found[-1][0], piece.end, found[-1][2] + piece.text)
        else:
            found.append((piece.start, piece.end, piece.text))
    return [(start, end) for start, end, text in found if text.strip()]
