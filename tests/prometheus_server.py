"""A real Prometheus that reads one process's metrics every second, and a real Alertmanager; both on free ports."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlencode

import urllib3

from tests.architecture.house import ROOT
from tests.fetching import TEMPLATES
from tests.servers import Server, free_port, is_answered, missing

CONFIGURATION = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs: [{{job_name: queuecast, static_configs: [{{targets: ["127.0.0.1:{scraped}"]}}]}}]
"""


def binary(name: str, folder: str) -> str:
    """A program of Prometheus, unpacked from Debian's packages or installed."""
    unpacked = ROOT / ".dev" / folder / "usr/bin" / name
    found = str(unpacked) if unpacked.exists() else shutil.which(name)
    if not found:
        missing(name)
    return str(found)


@contextmanager
def answering(answer: Callable[[bytes], str]) -> Iterator[int]:
    """The port of an HTTP server that answers whatever it is sent with what `answer` makes of the body."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = answer(self.rfile.read(int(self.headers.get("Content-Length", 0)))).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_GET  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@dataclass
class Prometheus(Server):
    """A Prometheus with these rules that reads the metrics at this port."""

    rules: Path = field(kw_only=True)
    scraped: int = field(kw_only=True)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        configuration = self.folder / "prometheus.yml"
        configuration.write_text(CONFIGURATION.format(rules=self.rules, scraped=self.scraped))
        listen = [f"--config.file={configuration}", f"--web.listen-address=127.0.0.1:{self.port}"]
        command = [binary("prometheus", "prometheus"), *listen, f"--storage.tsdb.path={self.folder / 'data'}"]
        self.run(command, lambda: is_answered(f"http://127.0.0.1:{self.port}/-/ready"), os.environ | {"GOMAXPROCS": "1"})

    def query(self, expression: str) -> list[dict[str, Any]]:
        """What it answers at this moment: samples with their labels. Fails with its words for a query that is no query."""
        answer = self._get(f"query?{urlencode({'query': expression})}")
        assert answer["status"] == "success", f"{expression}: {answer}"
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    def rules_now(self) -> list[dict[str, Any]]:
        """The rules, how they are, and what they raise."""
        groups = self._get("rules")["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def _get(self, path: str) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}"
        answer: dict[str, Any] = urllib3.request("GET", url, retries=False, timeout=10).json()
        return answer


@dataclass
class Alertmanager(Server):
    """An Alertmanager with a configuration of its own."""

    configuration: str = field(kw_only=True)
    rpc_port: int = field(default_factory=free_port)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        if not TEMPLATES.exists():
            missing("Alertmanager's templates")
        path = self.folder / "alertmanager.yml"
        path.write_text(self.configuration)
        options = [f"--config.file={path}", f"--storage.path={self.folder}", f"--web.listen-address=127.0.0.1:{self.port}"]
        command = [binary("prometheus-alertmanager", "alertmanager"), *options, "--cluster.listen-address="]
        self.run(command, lambda: is_answered(f"http://127.0.0.1:{self.port}/-/ready"), os.environ | {"GOMAXPROCS": "1"})

    def raise_alerts(self, *labels: Mapping[str, str]) -> None:
        """Tell it of alerts, as Prometheus does."""
        body = json.dumps([{"labels": dict(each)} for each in labels])
        url, kind = f"http://127.0.0.1:{self.port}/api/v2/alerts", {"Content-Type": "application/json"}
        answer = urllib3.request("POST", url, body=body, headers=kind, retries=False, timeout=10)
        assert answer.status == 200, answer.data
