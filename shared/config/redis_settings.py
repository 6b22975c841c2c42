"""Settings about the broker's server: URLs that can be used, certificates that are there. Wrong ones are told at start-up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, SecretStr, ValidationInfo

from shared.config.redis_urls import TLS_FILES, RedisPlace
from shared.config.tls_files import check_ca_file, check_key_pair


def _usable_url(given: SecretStr) -> SecretStr:
    """The URL itself; raises ValueError with what is accepted, in words that hold no password."""
    tls = RedisPlace.of(given.get_secret_value()).tls or {}
    files = {name: Path(str(tls[name])) for name in TLS_FILES if name in tls}
    if "ssl_ca_certs" in files:
        check_ca_file(files["ssl_ca_certs"])
    if "ssl_certfile" in files:
        check_key_pair(files["ssl_certfile"], files["ssl_keyfile"])
    return given


def _usable_ca_file(path: Path, info: ValidationInfo) -> Path:
    """The file itself; raises ValueError when it holds no certificate, or no URL asks for TLS."""
    urls = [info.data.get(name) for name in ("broker_url", "result_backend_url")]
    if not any(url and RedisPlace.of(url.get_secret_value()).tls for url in urls):
        raise ValueError("the broker's URL has no TLS: write rediss://, or tls=true in a sentinel:// URL")
    return check_ca_file(path.expanduser().absolute())


RedisUrl = Annotated[SecretStr, AfterValidator(_usable_url)]
BrokerCaFile = Annotated[Path, AfterValidator(_usable_ca_file)]
