"""Settings of the broker's TLS: each mistake is named with its setting before anything is started."""

from __future__ import annotations

from pathlib import Path

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


def test_a_ca_file_that_is_not_there_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=rf"QUEUECAST_BROKER_CA_FILE.*{tmp_path}/ca.pem cannot be read: No such file"):
        load_settings(broker_url="rediss://broker", broker_ca_file=tmp_path / "ca.pem")


def test_a_file_without_a_certificate_is_none(certificates: Certificates) -> None:
    with pytest.raises(InvalidSettings, match=r"QUEUECAST_BROKER_CA_FILE.*server\.key holds no certificate"):
        load_settings(broker_url="rediss://broker", broker_ca_file=certificates.key)


def test_certificates_for_a_broker_without_tls_are_a_mistake(certificates: Certificates) -> None:
    with pytest.raises(InvalidSettings, match=r"QUEUECAST_BROKER_CA_FILE.*the broker's URL has no TLS: write rediss://"):
        load_settings(broker_url="redis://broker", broker_ca_file=certificates.authority)


def test_files_in_the_url_are_looked_at_too(certificates: Certificates) -> None:
    with pytest.raises(InvalidSettings, match=r"QUEUECAST_BROKER_URL.*/nowhere cannot be read"):
        load_settings(broker_url="rediss://broker?ssl_ca_certs=/nowhere")
    with pytest.raises(InvalidSettings, match=r"QUEUECAST_BROKER_URL.*no certificate with its key"):
        load_settings(broker_url=f"rediss://broker?ssl_certfile={certificates.server}&ssl_keyfile={certificates.folder}/ca.key")


def test_the_ca_file_serves_broker_and_results_and_the_url_s_own_wins(certificates: Certificates) -> None:
    urls = {"broker_url": "rediss://a", "result_backend_url": f"rediss://b?ssl_ca_certs={certificates.server}"}
    server = redis_server(load_settings(**urls, broker_ca_file=certificates.authority))
    ca_files = [(place.tls or {})["ssl_ca_certs"] for place in (server.broker, server.results, server.run_state)]
    assert ca_files == [str(certificates.authority), str(certificates.server), str(certificates.authority)]
