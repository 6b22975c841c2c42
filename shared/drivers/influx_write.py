"""Writing lines to InfluxDB: /write for version 1, influxdb-client's synchronous API for 2 and 3.

The client's batching API would return normally when data are lost. A partial write is an unknown part written: it is reported and
never repeated unchanged. A body that is too large is halved; 429 and 503 are tried again, as long as the server asks to wait.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import urllib3

from shared.drivers.influx import InfluxServer, Telling, refusal, request

if TYPE_CHECKING:
    from influxdb_client.client.influxdb_client import InfluxDBClient

BATCH_LINES = 5_000  # of 500 lines, the same points took more than twice as long
PRECISION = "s"
TIMEOUT_MILLISECONDS = (3_000, 30_000)  # to connect, to be answered


def retries() -> urllib3.Retry:
    """Three tries, as far apart as the server asks for; a Retry counts down, so everybody needs one of his own."""
    return urllib3.Retry(total=3, connect=0, read=0, backoff_factor=0.5, status_forcelist=[429, 503], allowed_methods=None)


def write_lines(server: InfluxServer, database: str, lines: Sequence[str], telling: Telling) -> None:
    """Write line protocol, times in seconds; repeating it changes nothing.

    Raises:
        CredentialsRefused, and the two of `telling`: it is away, or the server refused something for good.
    """
    for first in range(0, len(lines), BATCH_LINES):
        _write_batch(server, database, lines[first : first + BATCH_LINES], telling)


def check_writable(server: InfluxServer, database: str, telling: Telling) -> None:
    """Whether the database is there and takes our writes: an empty one; raises as `write_lines` does."""
    if server.version == "1":
        _write_v1(server, database, b"", telling)
        return
    status, message = _write_v2(server, database, "", telling)
    if status not in {204, 400}:  # 400: it misses the points, so it has found everything else
        raise refusal(status, message, telling)


def _write_batch(server: InfluxServer, database: str, lines: Sequence[str], telling: Telling) -> None:
    body = "\n".join(lines)
    if server.version == "1":
        status, message = _write_v1(server, database, body.encode(), telling)
    else:
        status, message = _write_v2(server, database, body, telling)
    if status == 413 and len(lines) > 1:
        half = len(lines) // 2
        _write_batch(server, database, lines[:half], telling)
        _write_batch(server, database, lines[half:], telling)
    elif status >= 400:
        raise refusal(status, message, telling)


def _write_v1(server: InfluxServer, database: str, body: bytes, telling: Telling) -> tuple[int, str]:
    path = "/write?" + urlencode({"db": database, "precision": PRECISION})
    answer = request(server, "POST", path, telling, body=body, headers=server.headers, retries=retries(), accepted={413})
    return answer.status, "the body is too large"


def _write_v2(server: InfluxServer, database: str, body: str, telling: Telling) -> tuple[int, str]:
    from influxdb_client.client.write_api import SYNCHRONOUS
    from influxdb_client.domain.write_precision import WritePrecision
    from influxdb_client.rest import ApiException

    try:
        api = _client(server, os.getpid()).write_api(write_options=SYNCHRONOUS)
        api.write(bucket=database, org=server.org or "", record=body, write_precision=WritePrecision.S)
    except ApiException as error:
        return int(error.status or 500), str(error.message or error.reason)
    except urllib3.exceptions.HTTPError as error:  # the client lets them through as they are
        raise telling.away(type(error).__name__) from error
    return 204, ""


@lru_cache(maxsize=8)
def _client(server: InfluxServer, _process: int) -> InfluxDBClient:
    """One per process: sockets must not cross a fork."""
    from influxdb_client.client.influxdb_client import InfluxDBClient

    told = {"url": server.url, "token": server.token or "", "org": server.org or ""}
    client = InfluxDBClient(**told, timeout=TIMEOUT_MILLISECONDS, retries=retries())
    atexit.register(client.close)  # left to the interpreter's end, it complains on stderr
    return client
