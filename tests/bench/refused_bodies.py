"""What large bodies that are refused leave behind in the API's process: `python -m tests.bench.refused_bodies`.

A real `queuecast serve`. Of each kind 200 bodies, one after the other and then by 16 clients at a time; its memory (RSS) is read
before the first, at its highest, and after the last.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil
import urllib3

from shared.config.settings import Settings
from tests.bench.fleet.figures import Figure, circumstances, meanwhile
from tests.polling import eventually
from tests.servers import free_port, is_answered
from tests.up import QUEUECAST

BODIES, CLIENTS, HOLD = 200, 16, 25.0
MB = 2**20
LIMIT = Settings.model_fields["max_body_bytes"].default
KINDS: dict[str, tuple[bytes, int]] = {
    "no JSON": (b"x" * LIMIT, 400),
    "one wrong field": (b'{"model": "%s"}' % (b"x" * (LIMIT - 20)), 422),
    "many wrong fields": (json.dumps({f"f{number}": number for number in range(60_000)}).encode(), 422),
    "above the limit": (b"x" * (3 * LIMIT), 413),
}


def main() -> None:
    """Print the figures."""
    print(json.dumps(circumstances()))
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as (url, process):
        pool = urllib3.PoolManager(maxsize=CLIENTS)
        for name, (body, status) in KINDS.items():
            for clients in (1, CLIENTS):
                _measure(f"{name}, {clients} at a time", process, clients, lambda: _post(pool, url, body, status))  # noqa: B023


def _post(pool: urllib3.PoolManager, url: str, body: bytes, status: int) -> None:
    answer = pool.request("POST", f"{url}/v1/jobs", body=body, headers={"Content-Type": "application/json"}, retries=False)
    assert answer.status == status, answer.data[:200]


def _measure(name: str, process: psutil.Process, clients: int, post: Callable[[], None]) -> None:
    post()
    before, seen = process.memory_info().rss, [0]
    with meanwhile(lambda: seen.append(process.memory_info().rss), 0.01), ThreadPoolExecutor(clients) as pool:
        for done in [pool.submit(post) for _ in range(BODIES)]:
            done.result()
    stays = (process.memory_info().rss - before) / MB
    for what, value, hold in (("highest", (max(seen) - before) / MB, None), ("stays", stays, ("≤", HOLD))):
        print(Figure(part="bodies", what=f"{name}: {what}", value=value, unit="MB", hold=hold).line(), flush=True)  # type: ignore[arg-type]


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """The API without a broker, and with a store that nothing comes into."""
    port = free_port()
    command = [QUEUECAST, "serve", "--port", str(port), "--data-dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: is_answered(f"{url}/healthz"), what="the API")
        yield url, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


if __name__ == "__main__":
    main()
