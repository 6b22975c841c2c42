"""What Prometheus is asked for, as pure data: selectors of series. Nothing of a request goes in but values, as quoted texts.

A window is asked for by its last millisecond and its length: moments are whole milliseconds there, and a window is (t − d, t] or,
before version 3, [t − d, t].
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from shared.connections.prometheus import METRIC, METRIC_LABEL
from shared.domain.samples import Scalar
from shared.errors import SourceNotFound
from worker.sources._names import joined, splits
from worker.sources.base import Query

_LABEL = re.compile(r"_?[a-zA-Z][a-zA-Z0-9_]*")  # those that begin with __ are Prometheus' own
_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """Series by their labels: label → the texts that it may have there, "" = it is not there."""

    labels: Mapping[str, Sequence[str]]

    @property
    def text(self) -> str:
        """As PromQL has it."""
        return "{" + ",".join(_matcher(label, texts) for label, texts in self.labels.items()) + "}"

    def over(self, milliseconds: int) -> str:
        """Its samples in a window of this length."""
        return f"{self.text}[{milliseconds}ms]"

    def of(self, label: str, texts: Sequence[str]) -> Selector:
        """Those of them that have one of the texts there."""
        return replace(self, labels={**self.labels, label: texts})


def label_of(name: str) -> str:
    """A column's name as a label's; raises SourceNotFound for what is none."""
    if not _LABEL.fullmatch(name):
        raise SourceNotFound(f"{name[:60]!r} is no name of a label; accepted are letters, digits and _, no digit first")
    return name


def selector_of(query: Query, column: str | None, names: Iterable[str] = ()) -> Selector:
    """The series of a column of these queues that `where` keeps; more than theirs, where several labels make up a name.

    Args:
        column: None = every column of the place. names: none = of every queue, and of nobody.
    """
    metric, label = str(query.place.given[METRIC]), query.place.given.get(METRIC_LABEL)
    labels: dict[str, Sequence[str]] = {"__name__": (metric if label or column is None else column,)}
    if label and column is not None:
        labels[label] = (column,)
    for name, wanted in query.where.items():
        texts = tuple(dict.fromkeys(text for value in wanted for text in _texts(value)))
        if name in labels:  # the label of the columns: both must hold
            texts = tuple(text for text in labels[name] if text in texts)
        labels[label_of(name)] = texts
    return Selector(labels=labels | dict(_of_queues(query, list(names))))


def name_in(query: Query, labels: Mapping[str, str]) -> str | None:
    """The queue that a series with these labels is of; None = of none."""
    return joined([labels.get(field) for field in query.queue_fields])


def _of_queues(query: Query, names: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    parts = [dict[str, None]() for _ in query.queue_fields]
    for name in names:
        for way in splits(name, len(parts)) if len(parts) > 1 else [(name,)]:
            for own, part in zip(parts, way, strict=True):
                own[part] = None
    for field, own in zip(query.queue_fields, parts, strict=True):
        label_of(field)
        if own:
            wanted = query.where.get(field)
            kept = [text for value in wanted or () for text in _texts(value)]
            yield field, [text for text in own if wanted is None or text in kept]


def _matcher(label: str, texts: Sequence[str]) -> str:
    if len(texts) == 1:
        return f"{label}={_quoted(texts[0])}"
    if not texts:  # nothing is wanted that there could be
        return f'{label}=~"[^\\\\d\\\\D]"'
    return f"{label}=~{_quoted('|'.join(_SPECIAL.sub(lambda sign: chr(92) + sign[0], text) for text in texts))}"


def _quoted(text: str) -> str:
    return '"' + "".join(_ESCAPES.get(sign, sign) for sign in text) + '"'


def _texts(value: Scalar) -> tuple[str, ...]:
    """A value of `where` as a label has it, where all are texts."""
    if isinstance(value, bool):
        return str(value).lower(), str(value)
    is_whole = isinstance(value, float) and value.is_integer()
    return (f"{value:.0f}" if is_whole else str(value),)
