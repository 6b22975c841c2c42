"""Settings of the broker's TLS: each mistake is named with its setting before anything is started."""

from __future__ import annotations

import pytest

from shared.config.settings import load_settings
from shared.drivers.redis_server import redis_server
from shared.errors import InvalidSettings
from tests.certificates import Certificates


def test_a_url_that_cannot_be_used_names_the_setting_and_no_password() -> None:
    with pytest.raises(InvalidSettings, match=r"QUEUECAST_BROKER_URL.*accepted is redis://") as caught:
        load_settings(broker_url="amqp://ann:secret@broker//", result_backend_url="redis://h/0?timeout=secret")
    assert "QUEUECAST_RESULT_BACKEND_URL" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "ca_file", "reason"),
    [
        ("rediss://broker", "nowhere.pem", r"CA_FILE.*nowhere\.pem cannot be read: No such file"),
        ("rediss://broker", "server.key", r"CA_FILE.*server\.key holds no certificate"),
        ("redis://broker", "ca.pem", r"CA_FILE.*the broker's URL has no TLS: write rediss://"),
        ("rediss://broker?ssl_ca_certs=/nowhere", None, "URL.*/nowhere cannot be read"),
        (
            "rediss://broker?ssl_certfile={folder}/server.pem&ssl_keyfile={folder}/ca.key",
            None,
            "URL.*no certificate with its key",
        ),
    ],
)
def test_a_mistake_about_tls_names_its_setting(certificates: Certificates, url: str, ca_file: str | None, reason: str) -> None:
    file = certificates.folder / ca_file if ca_file else None
    with pytest.raises(InvalidSettings, match=f"QUEUECAST_BROKER_{reason}"):
        load_settings(broker_url=url.format(folder=certificates.folder), broker_ca_file=file)


def test_the_ca_file_serves_broker_and_results_and_the_url_s_own_wins(certificates: Certificates) -> None:
    urls = {"broker_url": "rediss://a", "result_backend_url": f"rediss://b?ssl_ca_certs={certificates.server}"}
    server = redis_server(load_settings(**urls, broker_ca_file=certificates.authority))
    ca_files = [(place.tls or {})["ssl_ca_certs"] for place in (server.broker, server.results, server.run_state)]
    assert ca_files == [str(certificates.authority), str(certificates.server), str(certificates.authority)]
