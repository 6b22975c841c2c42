"""Kinds of values that settings have, with what is accepted for them.

URLs and files of TLS are looked at when settings are read, before a connection fails for a reason that nobody sees.
"""

from __future__ import annotations

import re
import ssl
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, IPvAnyNetwork, SecretStr, ValidationInfo

from shared.config.redis_urls import TLS_FILES, RedisPlace
from shared.domain.durations import ACCEPTED_FORMS, Duration, instead_of
from shared.domain.wording import matching

LEFT_SECONDS = 10  # for what a task has to say once it is told to stop; a server that is slow may take as long
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


def _most(given: object) -> int | None:
    """A limit, None = none."""
    if given == "off":
        return None
    if re.fullmatch("[1-9][0-9]{0,14}", str(given)) is None:
        raise ValueError("accepted is a whole number of at least 1, such as 1000, or off")
    return int(str(given))


def _task_seconds(given: int, info: ValidationInfo) -> int:
    """The limit itself; raises ValueError when a task would be killed before it could end by itself."""
    least = info.data.get("task_soft_seconds", 0) + LEFT_SECONDS
    if given < least:
        raise ValueError(f"accepted is at least {least}: {LEFT_SECONDS} more than the soft limit, in which a task ends by itself")
    return given


def _kept_for(given: object) -> Duration | None:
    """How long, None = for ever."""
    if given is None or isinstance(given, Duration):
        return given
    try:
        return None if given == "forever" else Duration.parse(str(given))
    except ValueError as error:
        hint = instead_of(str(given)).removeprefix("; ")
        raise ValueError(f"{hint + '; ' if hint else ''}accepted is {ACCEPTED_FORMS}; or forever") from error


def _beginning(*schemes: str, example: str) -> AfterValidator:
    """A check that a URL begins as one of its kind does, in words that hold no password."""

    def check(given: SecretStr) -> SecretStr:
        if not given.get_secret_value().lower().startswith(schemes):
            raise ValueError(f"accepted is a URL that begins with {' or '.join(schemes)}, such as {example}")
        return given

    return AfterValidator(check)


def _usable_url(given: SecretStr) -> SecretStr:
    """The URL itself; raises ValueError with what is accepted, in words that hold no password."""
    tls = RedisPlace.of(given.get_secret_value()).tls or {}
    files = {name: Path(str(tls[name])) for name in TLS_FILES if name in tls}
    if "ssl_ca_certs" in files:
        _check_ca_file(files["ssl_ca_certs"])
    if "ssl_certfile" in files:
        _check_key_pair(files["ssl_certfile"], files["ssl_keyfile"])
    return given


def _usable_ca_file(path: Path, info: ValidationInfo) -> Path:
    """The file itself; raises ValueError when it holds no certificate, or no URL asks for TLS."""
    urls = [info.data.get(name) for name in ("broker_url", "result_backend_url")]
    if not any(url and RedisPlace.of(url.get_secret_value()).tls for url in urls):
        raise ValueError("the broker's URL has no TLS: write rediss://, or tls=true in a sentinel:// URL")
    return _ca_file(path)


def _ca_file(path: Path) -> Path:
    """The file itself, as an absolute path; raises ValueError when it holds no certificate."""
    return _check_ca_file(_folder(path))


def _check_ca_file(path: Path) -> Path:
    """The path itself; raises ValueError unless the file holds certificates."""
    _check_readable(path)
    try:
        ssl.create_default_context(cafile=path)
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        raise ValueError(f"{path} holds no certificate in PEM form") from None
    return path


def _check_key_pair(certificate: Path, key: Path) -> None:
    """Raises ValueError unless the files hold a certificate and the key that belongs to it."""
    for path in (certificate, key):
        _check_readable(path)
    try:
        ssl.create_default_context().load_cert_chain(certificate, key, password=lambda: "")
    except (OSError, ValueError):
        raise ValueError(f"{certificate} and {key} are no certificate with its key, without a password, in PEM form") from None


def _check_readable(path: Path) -> None:
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None


MongodbUrl = Annotated[SecretStr, _beginning("mongodb://", "mongodb+srv://", example="mongodb://host:27017/database")]
InfluxdbUrl = Annotated[SecretStr, _beginning("http://", "https://", example="http://host:8086")]
StoreUrl = Annotated[SecretStr, _beginning("sqlite:", "mongodb://", "mongodb+srv://", example="sqlite:///var/lib/queuecast/x.db")]
Folder = Annotated[Path, AfterValidator(_folder)]
InfluxVersion = Annotated[Literal["1", "2", "3"], BeforeValidator(str)]  # in TOML a number is as good
RateLimit = Annotated[
    str,
    AfterValidator(
        matching(
            r"off|[1-9][0-9]{0,5}/(second|minute|hour|day)",
            "NUMBER/PERIOD such as 300/minute, from 1 to 999999 a second, minute, hour or day; or off",
        )
    ),
]
WebAddress = Annotated[
    str, AfterValidator(matching("https?://.*", "an address that begins with http:// or https://, such as http://127.0.0.1:5555"))
]
TimeZoneName = Annotated[str, AfterValidator(_time_zone)]
Level = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]  # per cent of a limit: more than all of it means nothing
Most = Annotated[int | None, BeforeValidator(_most)]
TaskSeconds = Annotated[int, AfterValidator(_task_seconds)]
KeptFor = Annotated[Duration | None, BeforeValidator(_kept_for)]
Networks = tuple[IPvAnyNetwork, ...]
RedisUrl = Annotated[SecretStr, AfterValidator(_usable_url)]
CaFile = Annotated[Path, AfterValidator(_ca_file)]
BrokerCaFile = Annotated[Path, AfterValidator(_usable_ca_file)]
