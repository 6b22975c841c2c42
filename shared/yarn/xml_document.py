"""An answer in XML as the document that it would be in JSON: an element's name is a field, one that comes again a list.

No entity is expanded and no other file is read: a document type is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from shared.errors import YarnUnreadable

MAX_DEPTH = 300  # elements in one another; a queue takes two
MAX_ELEMENTS = 5_000_000  # a queue takes some 200

Value = object  # a text, or a dictionary or a list of such


@dataclass(slots=True)
class Element:
    """An element that is still open."""

    name: str
    attributes: dict[str, Value]
    fields: dict[str, Value] = field(default_factory=dict)
    text: list[str] = field(default_factory=list)

    @property
    def value(self) -> Value:
        """Its fields, or its text where it has none; attributes such as xsi:type are fields beside others."""
        return {**self.attributes, **self.fields} if self.fields else "".join(self.text).strip()


def document_of(data: bytes) -> Mapping[str, Value]:
    """The document with the outermost element as its one field; raises YarnUnreadable."""
    builder = _Builder()
    try:
        builder.parser.Parse(data, True)
    except expat.ExpatError as error:
        raise YarnUnreadable(f"it is no XML: {error}") from None
    except (LookupError, ValueError) as error:
        raise YarnUnreadable(f"its encoding is not accepted: {error}") from None
    return builder.outermost.fields


class _Builder:
    """What expat tells, event by event."""

    def __init__(self) -> None:
        self.outermost = Element("", {})
        self._open = [self.outermost]
        self._elements = 0
        self.parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._document_type
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text

    def _document_type(self, *_told: object) -> None:
        raise YarnUnreadable("it has a document type, which is not accepted: entities are not expanded")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if len(self._open) > MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise YarnUnreadable(f"it has more than {MAX_DEPTH} elements in one another, or {MAX_ELEMENTS:,} in all")
        plain = {key.rpartition(":")[2]: value for key, value in attributes.items() if not key.startswith("xmlns")}
        self._open.append(Element(name, {**plain}))

    def _text(self, text: str) -> None:
        self._open[-1].text.append(text)

    def _end(self, name: str) -> None:
        value = self._open.pop().value
        fields = self._open[-1].fields
        if name not in fields:
            fields[name] = value
        elif isinstance(before := fields[name], list):
            before.append(value)
        else:
            fields[name] = [before, value]
