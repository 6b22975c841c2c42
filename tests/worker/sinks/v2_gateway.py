"""The endpoints of version 2, as a gateway of ours in front of the real influxd 1.6.7: no server of version 2 runs here."""

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
def v2_gateway(backend: str, *, deletes: bool = True) -> Iterator[str]:
    """Where the gateway to the influxd at `backend` listens; `Token user:password` becomes Basic.

    Args:
        deletes: whether it takes DELETE, as version 2 does and version 3 does not.
    """

    def pass_on(request: BaseHTTPRequestHandler, body: bytes) -> None:
        token = request.headers.get("Authorization", "").removeprefix("Token").strip()
        headers = {"Authorization": f"Basic {b64encode(token.encode()).decode()}"} if token else {}
        if urlsplit(request.path).path == "/query":
            statement = parse_qs(body.decode())["q"][0]
            if statement.startswith("DELETE") and not deletes:
                _answer(request, 400, {"error": "DELETE is not supported"})
                return
            headers["Content-Type"] = request.headers["Content-Type"]
            answer = urllib3.request("POST", f"{backend}/query", body=body, headers=headers, retries=False)
            _answer(request, answer.status, json.loads(answer.data))
            return
        asked = {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}
        target = f"{backend}/write?" + urlencode({"db": asked["bucket"], "precision": asked.get("precision", "ns")})
        answer = urllib3.request("POST", target, body=body, headers=headers, retries=False)
        _answer(request, answer.status, None if answer.status == 204 else {"message": json.loads(answer.data)["error"]})

    with answering(pass_on) as url:
        yield url


def _answer(request: BaseHTTPRequestHandler, status: int, told: object) -> None:
    content = b"" if told is None else json.dumps(told).encode()
    request.send_response(status)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    request.wfile.write(content)
