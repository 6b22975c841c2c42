"""What Prometheus' driver sends, follows and takes: to a real server, and to some that answer otherwise."""

from __future__ import annotations

import gzip
import json
import time
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from shared.connections.prometheus import PrometheusConnection
from shared.drivers import prometheus
from shared.drivers.prometheus import MAX_MIB, ask, names, reach, series_in
from shared.errors import CredentialsRefused, SourceAway, SourceNotFound, UnreadableData
from tests.certificates import Certificates
from tests.gateway import gateway
from tests.metrics_server import MetricsServer
from tests.parrot import answering

HASHED = "$2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay"  # of "test", as Prometheus' documentation has it
USERS = f"basic_auth_users: {{alice: '{HASHED}'}}\n"
TLS = "tls_server_config: {{cert_file: {server}, key_file: {key}}}\n"


def told(**document: Any) -> bytes:
    return json.dumps({"status": "success", "data": [], **document}).encode()


def to(url: str, **fields: Any) -> PrometheusConnection:
    return PrometheusConnection.model_validate({"url": url, **fields})


def test_only_who_is_known_over_a_certificate_that_is_vouched_for_is_answered(tmp_path: Path, certificates: Certificates) -> None:
    web = tmp_path / "web.yml"
    web.write_text(USERS + TLS.format(server=certificates.server, key=certificates.key))
    server = MetricsServer(tmp_path, options=(f"--web.config.file={web}",), scheme="https")
    server.start()
    try:
        alice, trusted = {"username": "alice", "password": "test"}, {"ca_file": str(certificates.authority)}
        assert reach(server.connection(**alice, **trusted).server()) is False
        for who in ({}, {**alice, "password": "wrong"}, {"token": "wrong"}):
            with pytest.raises(CredentialsRefused, match="authentication failed"):
                reach(server.connection(**who, **trusted).server())
        with pytest.raises(SourceAway, match=r"SSLCertVerificationError at 127\.0\.0\.1"):
            reach(server.connection(**alice).server())
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({}, None),
        ({"token": "abc.def-1"}, "Bearer abc.def-1"),
        ({"username": "al", "password": "pä:ss"}, f"Basic {b64encode('al:pä:ss'.encode()).decode()}"),
    ],
)
def test_who_we_are_is_said_as_the_connection_has_it_and_shown_nowhere(fields: Mapping[str, str], sent: str | None) -> None:
    with gateway(lambda *_: (200, {}, told(data=["a"]))) as seen:
        server = to(f"{seen.url}/prometheus/", **fields).server()
        assert names(server, "queue", {"match[]": ['{a="b"}']}) == ["a"]
    [(method, path, headers)] = seen.asked
    assert (method, path.partition("?")[0], headers.get("Authorization")) == (
        "GET",
        "/prometheus/api/v1/label/queue/values",
        sent,
    )
    assert not sent or sent not in repr(server)


ANSWERS: dict[str, tuple[int, Mapping[str, str], bytes, type[Exception], str]] = {
    "a redirect": (302, {"Location": "/elsewhere"}, b"", SourceNotFound, "sends to another address, which is not followed"),
    "a login page": (200, {}, b"<html>Sign in</html>", SourceNotFound, "is no Prometheus: <html>Sign in"),
    "another API": (404, {}, b"404 page not found", SourceNotFound, "no API of Prometheus at .*404"),
    "no right": (403, {}, b"forbidden", CredentialsRefused, "is not allowed"),
    "a fault": (503, {}, told(status="error", errorType="timeout", error="query timed out"), SourceAway, "query timed out"),
    "too much": (422, {}, told(status="error", errorType="execution", error="too many samples"), UnreadableData, "too many"),
    "a part": (200, {}, told(warnings=["store a is away"]), SourceAway, "a part of the answer is missing: store a is away"),
    "another part": (200, {}, told(isPartial=True), SourceAway, "a part of the answer is missing"),
    "deep": (200, {}, b"[" * 100_000, SourceNotFound, "is no Prometheus"),
    "too large": (
        200,
        {"Content-Encoding": "gzip"},
        gzip.compress(b" " * ((MAX_MIB << 20) + 1)),
        UnreadableData,
        f"larger than the accepted {MAX_MIB} MiB",
    ),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_what_is_no_whole_answer_of_a_prometheus_is_told_by_its_family(answer: str) -> None:
    *given, error, words = ANSWERS[answer]
    with gateway(lambda *_: tuple(given)) as seen:  # type: ignore[arg-type, return-value]
        with pytest.raises(error, match=words):
            ask(to(seen.url).server(), "query", {"query": "1"})
        assert len(seen.asked) == 1


@pytest.mark.parametrize(
    "data",
    [
        *(None, [], {}, {"result": None}, {"result": [1]}, {"result": [{}]}, {"result": [{"metric": {}}]}),
        *({"result": [{"metric": {}, "values": [[1, value]]}]} for value in ("x", None, [])),
        {"result": [{"metric": {}, "values": [], "histograms": []}]},
    ],
)
def test_an_answer_of_another_form_is_no_fault_of_ours(data: object) -> None:
    with pytest.raises(UnreadableData, match=r"none of Prometheus|native histograms"):
        series_in(data)


def test_what_is_said_of_a_query_is_no_part_that_is_missing() -> None:
    with gateway(lambda *_: (200, {}, told(warnings=["PromQL warning: quantile value should be between 0 and 1"]))) as seen:
        assert ask(to(seen.url).server(), "query", {"query": "1"}) == []


def test_a_server_that_is_gone_or_frozen_is_away_within_seconds(metrics_server: MetricsServer) -> None:
    with pytest.raises(SourceAway, match=r"at 127\.0\.0\.1:1"):
        reach(to("http://127.0.0.1:1").server())
    metrics_server.freeze()
    try:
        with pytest.raises(SourceAway, match="Timeout"):
            reach(metrics_server.connection().server())
    finally:
        metrics_server.thaw()


@pytest.mark.parametrize("begins", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Slow: "])
def test_who_answers_bit_by_bit_is_away_when_the_time_is_over(begins: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus, "REACHED_SECONDS", 0.5)

    def answer(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        with suppress(OSError):
            handler.wfile.write(begins)
            while True:
                handler.wfile.write(b" ")
                time.sleep(0.05)  # the slow server itself, no wait of the test

    with answering(answer) as url:
        began = time.monotonic()
        with pytest.raises(SourceAway, match=r"TimeoutError at 127\.0\.0\.1:\d+: its answer was not complete after 0\.5 s"):
            reach(to(url).server())
    assert time.monotonic() - began < 10


def test_an_address_with_signs_in_its_path_is_asked_as_http_has_them() -> None:
    with gateway(lambda *_: (200, {}, told(data=["a"]))) as seen:
        assert names(to(f"{seen.url}/a b/ö/%20c").server(), "queue") == ["a"]
    assert seen.asked[0][1].startswith("/a%20b/%C3%B6/%20c/api/v1/label/queue/values?")
