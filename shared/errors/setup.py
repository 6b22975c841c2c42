"""Errors of how Queuecast is set up: whoever runs it must act."""

from __future__ import annotations

from shared.errors.base import QueuecastError


class SetupError(QueuecastError):
    """Queuecast is not set up correctly."""


class InvalidSettings(SetupError):
    """The settings are not valid."""

    def __init__(self, *problems: str, **ids: object) -> None:
        super().__init__("; ".join(problems), **ids)
        self.args = self.problems = problems


class FleetDiffers(SetupError):
    """This process differs from its fleet."""


class ExtraMissing(SetupError):
    """This part of Queuecast is not installed whole."""


class CredentialsRefused(SetupError):
    """The credentials were refused: authentication or authorisation."""

    tells_detail = False
