"""The write endpoint of version 2, as a gateway of ours in front of the real influxd 1.6.7: no server of version 2 runs here."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlencode, urlsplit

import urllib3

from tests.parrot import answering


@contextmanager
def v2_gateway(backend: str) -> Iterator[str]:
    """Where the gateway to the influxd at `backend` listens; `Token user:password` becomes Basic."""

    def pass_on(request: BaseHTTPRequestHandler, body: bytes) -> None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}
        token = request.headers.get("Authorization", "").removeprefix("Token").strip()
        headers = {"Authorization": f"Basic {b64encode(token.encode()).decode()}"} if token else {}
        target = f"{backend}/write?" + urlencode({"db": asked["bucket"], "precision": asked.get("precision", "ns")})
        answer = urllib3.request("POST", target, body=body, headers=headers, retries=False)
        told = b"" if answer.status == 204 else json.dumps({"message": json.loads(answer.data)["error"]}).encode()
        request.send_response(answer.status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(told)))
        request.end_headers()
        request.wfile.write(told)

    with answering(pass_on) as url:
        yield url
