"""Somebody's address that is told when jobs end. Requests never name it: an administrator decides who is told of what."""

from __future__ import annotations

from typing import ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from shared.config.connection import Connection, Look, kinds
from shared.domain.notices import NoticeKind

MIN_SECRET = 24  # bytes, as Standard Webhooks has it


@kinds.register("webhook")
class WebhookConnection(Connection):
    """It is neither a source nor a destination."""

    roles: ClassVar = ()

    kind: Literal["webhook"] = "webhook"
    url: SecretStr = Field(description="http or https; may hold a token")
    secret: SecretStr = Field(description=f"signs what is sent; at least {MIN_SECRET} bytes")
    notices: tuple[NoticeKind, ...] = Field(tuple(NoticeKind), description="what it is told of; none given = all")

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: SecretStr) -> SecretStr:
        parts = urlsplit(url.get_secret_value())
        if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
            raise ValueError("accepted is http://host/path or https://host/path, without user and password")
        return url

    @field_validator("secret")
    @classmethod
    def _is_long(cls, secret: SecretStr) -> SecretStr:
        if len(secret.get_secret_value().encode()) < MIN_SECRET:
            raise ValueError(f"it is too short; accepted are at least {MIN_SECRET} bytes")
        return secret

    def look(self, _name: str) -> Look:
        """Nothing is sent: a receiver would take it for news."""
        return Look(detail=f"is told of {', '.join(self.notices)}")
