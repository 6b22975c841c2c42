"""Bodies of requests: strict JSON, and limits that are checked before the JSON is parsed."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from flask import Request
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import RequestEntityTooLarge

from shared.domain.codec import Document
from shared.domain.wording import json_kind
from shared.errors import InvalidRequest, MalformedRequest

MAX_VALUES = 20_000  # the largest valid request has a quarter of it; 400,000 take 0.25 s to parse


class StrictJson(DefaultJSONProvider):
    """JSON by RFC 8259, without NaN, Infinity and duplicate names in an object, which Python's parser would accept silently."""

    def loads(self, s: str | bytes, **kwargs: Any) -> object:
        """The value of a JSON text; raises ValueError."""
        try:
            return json.loads(s, parse_constant=_no_constant, object_pairs_hook=_no_name_twice, **kwargs)
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
        except (json.JSONDecodeError, UnicodeDecodeError, _AmbiguousError):
            raise
        except ValueError:  # the only one left: Python converts at most 4,300 digits
            raise ValueError("a number has too many digits") from None


class StrictRequest(Request):
    """A request whose body is read once, and refused as our own errors are."""

    def body(self) -> bytes:
        """The whole body. Werkzeug cuts a chunked body off at the limit without an error, so that is refused here."""
        body, most = self.get_data(), self.max_content_length
        if self.content_length is None and most is not None and len(body) >= most:
            raise RequestEntityTooLarge
        return body

    def object(self) -> Document:
        """The JSON object that the body is; views get the same one.

        Raises:
            InvalidRequest: it has more values than any request needs.
            MalformedRequest: it is not one JSON object.
        """
        _check_size(self.body())
        document = self.get_json()
        if not isinstance(document, dict):
            raise MalformedRequest(f"the body is {json_kind(document)}, accepted is a JSON object")
        return document

    def on_json_loading_failed(self, e: ValueError | None) -> NoReturn:
        """Say what is wrong with the JSON."""
        raise MalformedRequest(f"the body is not JSON: {e}") from e


class _AmbiguousError(ValueError):
    """JSON that different parsers read differently."""


def _check_size(body: bytes) -> None:
    """Estimate the number of values: each but the first follows a comma, colon or bracket. Those inside texts count too."""
    count = sum(body.count(mark) for mark in (b",", b":", b"[", b"{"))
    if count > MAX_VALUES:
        raise InvalidRequest(f"the body has about {count} names and values, accepted are {MAX_VALUES}")


def _no_constant(name: str) -> None:
    raise _AmbiguousError(f"{name} is no JSON number")


def _no_name_twice(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise _AmbiguousError(f"{twice[:40]!r} is given twice")
    return document
