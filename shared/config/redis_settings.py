"""Settings about the broker's server: URLs that can be used, files of TLS that are there and what they should be.

Checked at start-up, before a connection fails for a reason that nobody sees.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, SecretStr, ValidationInfo

from shared.config.redis_urls import TLS_FILES, RedisPlace


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
    return _check_ca_file(path.expanduser().absolute())


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


RedisUrl = Annotated[SecretStr, AfterValidator(_usable_url)]
BrokerCaFile = Annotated[Path, AfterValidator(_usable_ca_file)]
