"""A real Prometheus that scrapes nothing and holds the samples that tests give it, with the times that they say."""

from __future__ import annotations

import math
import os
import socket
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

import pandas as pd
import pytest

from shared.connections.prometheus import PrometheusConnection
from tests.prometheus_server import binary
from tests.servers import Server, is_answered

Sample = tuple[Mapping[str, str], float, float]  # labels, seconds since 1970, value


@dataclass
class MetricsServer(Server):
    """A Prometheus; each `store` is a metric of its own, which it has after a restart."""

    options: tuple[str, ...] = ()
    scheme: str = "http"
    numbers: Iterator[int] = field(default_factory=count)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def connection(self, **fields: object) -> PrometheusConnection:
        """To it."""
        return PrometheusConnection.model_validate({"url": self.url, **fields})

    def start(self) -> None:
        """Start it, and wait until it answers."""
        configuration = self.folder / "prometheus.yml"
        configuration.write_text("scrape_configs: []\n")
        listen = [f"--config.file={configuration}", f"--web.listen-address=127.0.0.1:{self.port}"]
        kept = [f"--storage.tsdb.path={self.folder / 'data'}", "--storage.tsdb.retention.time=50y"]
        command = [binary("prometheus", "prometheus"), *listen, *kept, *self.options]
        self.run(command, self._is_there, os.environ | {"GOMAXPROCS": "1"})

    def _is_there(self) -> bool:
        """Whether it is ready; one with users or a certificate of ours says so to nobody, and answers."""
        if not self.options:
            return is_answered(f"{self.url}/-/ready")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def store(self, samples: Iterable[Sample], metric: str | None = None) -> str:
        """Give it samples; returns the name of their metric."""
        name = metric or f"usage_{next(self.numbers)}"
        series: dict[str, list[str]] = {}
        for labels, at, value in samples:
            own = ",".join(f"{label}={_quoted(text)}" for label, text in labels.items() if text)
            series.setdefault(own, []).append(f"{name}{{{own}}} {_number(float(value))} {at:.3f}")
        text = self.folder / "samples.txt"
        text.write_text("\n".join([line for lines in series.values() for line in lines] + ["# EOF", ""]))
        tool = [binary("promtool", "prometheus"), "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=20000h"]
        subprocess.run([*tool, str(text), str(self.folder / "data")], check=True, capture_output=True, timeout=120)
        self.stop()
        self.start()
        return name


def samples_of(rows: pd.DataFrame, label: str | None = None) -> Iterator[Sample]:
    """Rows of queues as samples: those of each column are series of their own, told by this label."""
    texts = [name for name in rows.columns if name != "timestamp" and not pd.api.types.is_numeric_dtype(rows[name])]
    numbers = [name for name in rows.columns if name not in {*texts, "timestamp"}]
    seconds = [moment.timestamp() for moment in rows["timestamp"]]
    labels = rows[texts].to_dict("records")
    for name in numbers:
        own = {} if label is None else {label: name}
        for at, named, value in zip(seconds, labels, rows[name], strict=True):
            yield {str(key): str(text) for key, text in named.items()} | own, at, float(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _number(value: float) -> str:
    return repr(value) if math.isfinite(value) else "NaN" if math.isnan(value) else f"{value:+}".title()


@pytest.fixture(scope="session")
def metrics_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetricsServer]:
    """A Prometheus without users."""
    server = MetricsServer(tmp_path_factory.mktemp("prometheus"))
    server.start()
    yield server
    server.stop()
