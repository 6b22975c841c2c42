"""Certificates for tests of TLS, made by openssl: an authority, a server that it vouches for, and a stranger."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers import missing

NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1"
A_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True)
class Certificates:
    """The files of one authority."""

    folder: Path

    @property
    def authority(self) -> Path:
        """Its own certificate, by which clients know the server."""
        return self.folder / "ca.pem"

    @property
    def server(self) -> Path:
        """The server's certificate, for localhost and 127.0.0.1."""
        return self.folder / "server.pem"

    @property
    def key(self) -> Path:
        """The server's key."""
        return self.folder / "server.key"

    @property
    def both(self) -> Path:
        """Certificate and key of the server in one file, as mongod wants them."""
        return self.folder / "both.pem"


def make_certificates(folder: Path) -> Certificates:
    """An authority and a server's certificate, in a folder of their own."""
    made = Certificates(folder)
    _openssl(folder, "req", "-x509", "-days", "2", "-subj", "/CN=Test CA", *A_KEY, "-keyout", "ca.key", "-out", "ca.pem")
    _openssl(folder, "req", *A_KEY, "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr")
    (folder / "names").write_text(NAMES)
    signed_by = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names")
    _openssl(folder, "x509", "-req", "-days", "2", "-in", "server.csr", *signed_by, "-out", "server.pem")
    made.both.write_bytes(made.server.read_bytes() + made.key.read_bytes())
    return made


def _openssl(folder: Path, *arguments: str) -> None:
    program = shutil.which("openssl")
    if program is None:
        missing("openssl")
    subprocess.run([str(program), *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Those of the servers in this run."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))
