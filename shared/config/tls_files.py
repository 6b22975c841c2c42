"""Files of TLS: is each there, and what it should be? Told at start-up, before a connection fails for a reason nobody sees."""

from __future__ import annotations

import ssl
from pathlib import Path


def check_ca_file(path: Path) -> Path:
    """The path itself; raises ValueError unless the file holds certificates."""
    _check_readable(path)
    try:
        ssl.create_default_context(cafile=path)
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        raise ValueError(f"{path} holds no certificate in PEM form") from None
    return path


def check_key_pair(certificate: Path, key: Path) -> None:
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
