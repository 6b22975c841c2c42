"""What every error of Queuecast is: a message from its docstring, what was found, and where."""

from __future__ import annotations

import inspect
from typing import ClassVar, Self

MAX_REASON = 300  # characters
MAX_ID = 200  # likewise: whatever stands in an address is told back
PUBLIC_IDS = frozenset({"connection", "queue"})  # of an error whose detail is not for readers


class QueuecastError(Exception):
    """Something went wrong in Queuecast."""

    tells_detail: ClassVar[bool] = True  # False: its detail is a driver's, with hosts, paths and users

    def __init__(self, detail: str = "", /, **ids: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.ids = ids
        self._told = ""

    @classmethod
    def told(cls, message: str) -> Self:
        """The error that another process tells: its message is said again as it is."""
        error = cls(message)
        error._told = message
        return error

    @property
    def headline(self) -> str:
        """The default message: the first line of the class's docstring, without its full stop."""
        return (inspect.getdoc(type(self)) or "").partition("\n")[0].rstrip(".")

    @property
    def public(self) -> str:
        """The message for readers, who need not know where our services lie and what their drivers say; the log has it whole."""
        if self.tells_detail:
            return str(self)
        return self._message({name: value for name, value in self.ids.items() if name in PUBLIC_IDS}, "")

    def __str__(self) -> str:
        return self._told or self._message(self.ids, self.detail)

    def _message(self, ids: dict[str, object], detail: str) -> str:
        where = ", ".join(f"{name} {_cut(value)}" for name, value in ids.items() if value != "")
        parts = [f"{self.headline} ({where})" if where else self.headline, detail]
        return ": ".join(part for part in parts if part)

    def __reduce__(self) -> tuple[object, ...]:
        """Errors cross process borders whole; the default would drop the ids."""
        return _rebuild, (type(self), self.args, self.ids)


def reason_of(error: Exception) -> str:
    """What readers and the log are told of an error, one of ours or of a library: its message on one line, cut."""
    reason = error.public if isinstance(error, QueuecastError) else f"{type(error).__name__}: {error}"
    return " ".join(reason.split())[:MAX_REASON]


def _cut(value: object) -> str:
    said = str(value)
    return said if len(said) <= MAX_ID else f"{said[:MAX_ID]}…"


def _rebuild(kind: type[QueuecastError], said: tuple[str, ...], ids: dict[str, object]) -> QueuecastError:
    return kind(*said, **ids)
