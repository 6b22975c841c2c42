"""Kinds of values that settings have, with what is accepted for them."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, IPvAnyNetwork, StringConstraints

from shared.domain.durations import Duration

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


def _time_zone(name: str) -> str:
    """A zone that exists."""
    try:
        ZoneInfo(name)
    except (ValueError, KeyError, OSError) as error:  # OSError: the name of a folder of zones
        raise ValueError("no such time zone; accepted are IANA names such as Europe/Berlin") from error
    return name


def _folder(path: Path) -> Path:
    """Absolute, `~` taken for the home."""
    if "\0" in str(path):
        raise ValueError("a folder's name holds no zero character")
    try:
        return path.expanduser().absolute()
    except RuntimeError as error:
        raise ValueError("the home folder that `~` stands for is not known; name an absolute path") from error


Folder = Annotated[Path, AfterValidator(_folder)]
InfluxVersion = Annotated[Literal["1", "2", "3"], BeforeValidator(str)]  # in TOML a number is as good
RateLimit = Annotated[str, StringConstraints(pattern=r"^(off|[1-9][0-9]{0,5}/(second|minute|hour|day))$")]
TimeZoneName = Annotated[str, AfterValidator(_time_zone)]
Level = Annotated[float, Field(gt=0, le=1_000, allow_inf_nan=False)]
Most = Annotated[Annotated[int, Field(ge=1)] | None, BeforeValidator(lambda given: None if given == "off" else given)]
KeptFor = Annotated[Duration | None, BeforeValidator(lambda given: None if given == "forever" else given)]
Networks = tuple[IPvAnyNetwork, ...]
