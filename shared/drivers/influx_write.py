"""Writing lines to InfluxDB: /write for version 1, /api/v2/write for 2 and 3.

204 alone says that everything was written. A partial write is an unknown part written: it is reported and never repeated
unchanged. A body that is too large is halved.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

import urllib3

from shared.drivers.influx import ErrorTypes, InfluxServer, refusal, request, words_of

BATCH_LINES = 5_000  # of 500 lines, the same points took more than twice as long
PRECISION = "s"
WRITTEN, TOO_LARGE, MISSES_POINTS = 204, 413, 400
LOOK_LIMITS = urllib3.Timeout(total=4)
RETRIES = urllib3.Retry(  # three more tries, each as late as the server asks for, but a task has no time for more than 10 s each
    total=3,
    connect=False,
    read=False,
    backoff_factor=0.5,
    status_forcelist=[429, 503],
    allowed_methods=None,
    raise_on_status=False,
    retry_after_max=10,
)


def write_lines(
    server: InfluxServer, database: str, lines: Sequence[str], errors: ErrorTypes, *, policy: str | None = None
) -> None:
    """Write line protocol, times in seconds; repeating it changes nothing.

    Args:
        policy: the retention policy of version 1; None = the database's default one.

    Raises:
        CredentialsRefused, and those of `errors`: it is away, or something is refused for good.
    """
    for first in range(0, len(lines), BATCH_LINES):
        _write_batch(server, _path(server, database, policy), lines[first : first + BATCH_LINES], errors)


def check_writable(server: InfluxServer, database: str, errors: ErrorTypes, *, policy: str | None = None) -> None:
    """Whether the database is there and takes our writes: an empty one, told within 5 s; raises as `write_lines` does.

    Version 1 takes it. Versions 2 and 3 miss the points, but only after they have found organisation, bucket and permission.
    """
    answer = request(server, "POST", _path(server, database, policy), errors, limits=LOOK_LIMITS, accepted={MISSES_POINTS})
    words = words_of(answer)
    found_all = server.version != "1" and answer.status == MISSES_POINTS and "org" not in words.lower()
    if answer.status != WRITTEN and not found_all:
        raise _complaint(answer.status, words, errors)


def _write_batch(server: InfluxServer, path: str, lines: Sequence[str], errors: ErrorTypes) -> None:
    body = "\n".join(lines).encode()
    answer = request(
        server, "POST", path, errors, body=body, headers={"Content-Type": "text/plain"}, retries=RETRIES, accepted={TOO_LARGE}
    )
    if answer.status == TOO_LARGE and len(lines) > 1:
        half = len(lines) // 2
        _write_batch(server, path, lines[:half], errors)
        _write_batch(server, path, lines[half:], errors)
    elif answer.status != WRITTEN:
        raise _complaint(answer.status, words_of(answer), errors)


def _complaint(status: int, words: str, errors: ErrorTypes) -> Exception:
    """A proxy's login page is a success to HTTP, and so are answers that tell of rejected points."""
    if status < 400:
        return errors.refused(f"status {status} does not say that all was written: {words}")
    return refusal(status, words, errors)


def _path(server: InfluxServer, database: str, policy: str | None) -> str:
    if server.version == "1":
        return "/write?" + urlencode({"db": database, "precision": PRECISION} | ({"rp": policy} if policy else {}))
    return "/api/v2/write?" + urlencode({"org": server.org or "", "bucket": database, "precision": PRECISION})
