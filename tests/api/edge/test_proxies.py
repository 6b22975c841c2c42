"""Forwarded headers count where a proxy of ours has sent them, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask, jsonify, request
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from api.edge.proxies import behind_proxies
from shared.config.settings import Settings
from tests.api.scene import MakeApp
from tests.api.server.sockets import ask
from tests.api.serving import listening

CLAIMS = {
    "X-Forwarded-For": "192.0.2.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "444",
    "X-Forwarded-Prefix": "/evil",
    "X-Script-Name": "/evil",
    "Script-Name": "/evil",
    "X-Real-Ip": "192.0.2.7",
    "Forwarded": "for=192.0.2.7;proto=https;host=evil.example",
}


def seen_by(settings: Settings, **environ: str) -> dict[str, object]:
    """What the application sees of a request that claims everything."""
    return client(settings).get("/", headers=CLAIMS, environ_overrides=environ).get_json()  # type: ignore[no-any-return]


def client(settings: Settings) -> FlaskClient:
    app = Flask("seen")
    app.wsgi_app = behind_proxies(app.wsgi_app, settings)  # type: ignore[method-assign]

    @app.get("/")
    def show() -> object:
        claims = [name for name in request.headers.keys() if name in CLAIMS]  # noqa: SIM118 - of headers, not a dictionary
        return jsonify(address=request.remote_addr, url=request.url, root=request.root_path, claims=claims)

    return app.test_client()


@pytest.fixture
def behind(settings: Settings) -> Settings:
    return Settings(data_dir=settings.data_dir, trusted_proxies=1, proxy_addresses=["127.0.0.1", "10.1.0.0/16", "2001:db8::/64"])


def test_without_trusted_proxies_nobodys_claims_arrive(settings: Settings) -> None:
    assert seen_by(settings) == {"address": "127.0.0.1", "url": "http://localhost/", "root": "", "claims": []}


@pytest.mark.parametrize("peer", ["10.1.2.3", "127.0.0.1", "2001:db8::5", "::ffff:10.1.2.3"])
def test_of_a_proxy_client_and_scheme_are_believed_host_and_prefix_are_not(behind: Settings, peer: str) -> None:
    seen = seen_by(behind, REMOTE_ADDR=peer)
    assert (seen["address"], seen["url"], seen["root"]) == ("192.0.2.7", "https://localhost/", "")


@pytest.mark.parametrize("peer", ["10.2.0.1", "192.0.2.1", "2001:db8:0:1::5", "unknown", ""])
def test_who_reaches_the_service_beside_the_proxy_cannot_claim_anything(behind: Settings, peer: str) -> None:
    with capture_logs() as lines:
        seen = seen_by(behind, REMOTE_ADDR=peer)
    assert (seen["address"] or "", seen["url"], seen["claims"]) == (peer, "http://localhost/", [])
    assert [line["address"] for line in lines] == [peer]


def test_only_loopback_is_a_proxy_unless_others_are_named() -> None:
    behind = Settings(trusted_proxies=1)
    assert seen_by(behind, REMOTE_ADDR="127.0.0.1")["address"] == seen_by(behind, REMOTE_ADDR="::1")["address"] == "192.0.2.7"
    assert seen_by(behind, REMOTE_ADDR="10.1.2.3")["address"] == "10.1.2.3"


@pytest.mark.parametrize(
    ("named", "address"),
    [
        ("evil, 192.0.2.9", "192.0.2.9"),
        ("192.0.2.7, 192.0.2.9", "192.0.2.9"),
        ("192.0.2.9:4711", "192.0.2.9"),
        ("[2001:db8::9]:4711", "2001:db8::9"),
        ("2001:db8::9", "2001:db8::9"),
        ("unknown", "127.0.0.1"),
        ("x" * 9_000, "127.0.0.1"),
        ("", "127.0.0.1"),
    ],
)
def test_the_nearest_address_counts_if_it_is_one(behind: Settings, named: str, address: str) -> None:
    assert client(behind).get("/", headers={"X-Forwarded-For": named}).get_json()["address"] == address


@pytest.mark.parametrize("proxies", [0, 1])
@pytest.mark.parametrize(
    "header",
    ["Script_Name: /evil", "SCRIPT_NAME: /evil", "X_Forwarded_For: 192.0.2.7", "X_FORWARDED_PROTO: https", "Path-Info: /x"],
)
def test_no_header_becomes_a_variable_of_the_server(settings: Settings, make_app: MakeApp, header: str, proxies: int) -> None:
    seen: dict[str, object] = {}

    def show(environ: dict[str, object], start_response: Callable[..., object]) -> list[bytes]:
        seen.update(environ)
        start_response("200 OK", [("Content-Length", "0")])
        return [b""]

    behind = settings.model_copy(update={"trusted_proxies": proxies})
    with listening(behind_proxies(show, behind), behind) as server:
        sent = f"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{header}\r\n\r\n"
        assert ask(server, sent.encode()).statuses == [200]
    assert (seen["SCRIPT_NAME"], seen["PATH_INFO"], seen["REMOTE_ADDR"], seen["wsgi.url_scheme"]) == (
        "",
        "/a",
        "127.0.0.1",
        "http",
    )
    assert not [value for name, value in seen.items() if name.startswith("HTTP_X_FORWARDED")]
