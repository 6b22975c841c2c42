"""Reading a real Prometheus: `python -m tests.bench.prometheus [--queues 20]`, each with 28 days of samples 30 s apart.

Whole steps of hours made in the server, alone and several queues in one answer, against every sample; what both give is compared.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import psutil

from shared.domain.places import Place
from tests.metrics_server import MetricsServer, Sample
from tests.worker.sources.queries import START, a_query
from worker.sources.base import Query, Reading
from worker.sources.prometheus.place import place_of
from worker.sources.prometheus.samples import read_samples
from worker.sources.prometheus_source import PrometheusSource

DAYS, SECONDS = 28, 30


def samples(names: list[str]) -> Iterator[Sample]:
    """A daily wave with noise, scraped a little late."""
    rng, count = np.random.default_rng(1), DAYS * 86_400 // SECONDS
    wave = 1e5 * (1 + np.sin(np.arange(count) * 2 * np.pi * SECONDS / 86_400))
    for number, name in enumerate(names):
        at = START.timestamp() + np.arange(count) * SECONDS + rng.uniform(0, 0.05, count) + 0.37 * number
        for moment, value in zip(at.tolist(), (wave + rng.gamma(3, 1e3, count)).round().tolist(), strict=True):
            yield {"queue": name, "instance": "rm1:9100"}, round(moment, 3), value


def by_samples(source: PrometheusSource, query: Query, names: list[str]) -> dict[str, Reading]:
    """Each queue by its samples, one by one."""
    place = replace(place_of(source._connection, source._metrics, query), query=query)
    return {name: read_samples(place, replace(query, queue=name)) for name in names}


def together(source: PrometheusSource, query: Query, names: list[str]) -> dict[str, Reading]:
    """All queues by whole steps."""
    return {name: found for name, found in source.scan(query, names) if isinstance(found, Reading)}


def main() -> None:
    """Print what each way costs for a queue."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--queues", type=int, default=20)
    names = [f"root.q{number:02}" for number in range(parser.parse_args().queues)]
    with tempfile.TemporaryDirectory() as folder:
        server = MetricsServer(Path(folder))
        server.start()
        metric = server.store(samples(names))
        assert server._process is not None
        process, readings = psutil.Process(server._process.pid), dict[str, Mapping[str, Reading]]()
        source = PrometheusSource(server.connection())
        query = a_query(Place(name="bench", others={"metric": metric}), target=metric, end=START + timedelta(days=DAYS), queue="")
        together(source, query, names)  # whatever is loaded once is loaded
        ways = {
            "whole steps, together": (together, names),
            "whole steps, one": (together, names[:1]),
            "samples": (by_samples, names),
        }
        for way, (read, some) in ways.items():
            before, began, wall = sum(process.cpu_times()[:2]), time.process_time(), time.perf_counter()
            readings[way] = read(source, query, some)
            spent = [time.process_time() - began, sum(process.cpu_times()[:2]) - before, time.perf_counter() - wall]
            ours, theirs, lasted = (1e3 * seconds / len(some) for seconds in spent)
            print(f"{way:24} a queue: {ours:6.1f} ms CPU of ours, {theirs:6.1f} ms of the server's, {lasted:6.1f} ms")
        server.stop()
    for name, found in readings["samples"].items():
        pd.testing.assert_frame_equal(readings["whole steps, together"][name].frame, found.frame, check_freq=False, rtol=1e-12)


if __name__ == "__main__":
    main()
