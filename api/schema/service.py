"""What is said of the service itself."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.schema.answers import Answer


class Alive(Answer):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Ready(Answer):
    """Every service answers."""

    status: Literal["ok"] = "ok"
    checks: dict[str, str] = Field(description="service → ok")


class Version(Answer):
    """What runs here."""

    name: str
    version: str
