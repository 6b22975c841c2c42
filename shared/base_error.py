"""What every error of Queuecast is: a message from its docstring, what was found, and where."""

from __future__ import annotations

import inspect


class QueuecastError(Exception):
    """Something went wrong in Queuecast."""

    def __init__(self, detail: str = "", /, **ids: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.ids = ids

    @property
    def headline(self) -> str:
        """The default message: the first line of the class's docstring, without its full stop."""
        return (inspect.getdoc(type(self)) or "").partition("\n")[0].rstrip(".")

    def __str__(self) -> str:
        where = ", ".join(f"{name} {value}" for name, value in self.ids.items())
        parts = [f"{self.headline} ({where})" if where else self.headline, self.detail]
        return ": ".join(part for part in parts if part)

    def __reduce__(self) -> tuple[object, ...]:
        """Errors cross process borders whole; the default would drop the ids."""
        return _rebuild, (type(self), self.detail, self.ids)


def _rebuild(kind: type[QueuecastError], detail: str, ids: dict[str, object]) -> QueuecastError:
    return kind(detail, **ids)
