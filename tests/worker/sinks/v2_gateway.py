"""The write endpoint of version 2, as a gateway of ours in front of the real influxd 1.6.7: no server of version 2 runs here."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import urllib3


@contextmanager
def v2_gateway(backend: str) -> Iterator[str]:
    """Where the gateway to the influxd at `backend` listens; `Token user:password` becomes Basic."""

    class Gateway(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            target = f"{backend}/write?" + urlencode({"db": asked["bucket"], "precision": asked.get("precision", "ns")})
            answer = urllib3.request("POST", target, body=body, headers=self._credentials(), retries=False)
            self.send_response(answer.status)
            told = b"" if answer.status == 204 else json.dumps({"message": json.loads(answer.data)["error"]}).encode()
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def _credentials(self) -> dict[str, str]:
            token = self.headers.get("Authorization", "").removeprefix("Token").strip()
            return {"Authorization": f"Basic {b64encode(token.encode()).decode()}"} if token else {}

        def log_message(self, *_: object) -> None:
            """Nothing: pytest shows what matters."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
