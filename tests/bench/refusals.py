"""What it costs to refuse a request: `python -m tests.bench.refusals`.

CPU of this process, bytes of the answer and growth of its largest memory for every request of tests/api/hostile.py, each sent
twice, so that the first pays for what is loaded. Sorted by CPU; timings of a shared machine, never a test.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import structlog
from flask.testing import FlaskClient

from api.app import create_app
from shared.config.settings import Settings
from tests.api.hostile import Attack, attacks, sent
from tests.bench.fleet.figures import Figure, circumstances

CPU_MS, ANSWER_KB = 50, 64
REPEATED = 2


def main() -> None:
    """Measure and print."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    print(json.dumps(circumstances()))
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    with tempfile.TemporaryDirectory() as folder:
        client = create_app(Settings(data_dir=Path(folder), store_url=f"sqlite://{folder}/queuecast.db")).test_client()
        found = sorted((_measured(client, attack) for attack in attacks() if wanted in attack.name), reverse=True)
    for seconds, length, grown, status, name in found:
        figure = Figure(part="door", what=f"{name}: {status}", value=1_000 * seconds, unit="ms", hold=("≤", CPU_MS))
        size = Figure(part="door", what=f"{name}: answer", value=length / 1_000, unit="kB", hold=("≤", ANSWER_KB))
        print(figure.line(), f"  {length / 1_000:.1f} kB  +{grown / 1_024:.0f} MB RSS", flush=True)
        if not size.is_held:
            print(size.line(), flush=True)


def _measured(client: FlaskClient, attack: Attack) -> tuple[float, int, int, int, str]:
    """CPU seconds (the least of several), bytes, kB of memory, status, name."""
    spent = []
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(REPEATED):
        started = time.process_time()
        answer = sent(client, attack)
        spent.append(time.process_time() - started)
    return (
        min(spent),
        len(answer.data),
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before,
        answer.status_code,
        f"{attack.name} {attack.path[:30]}",
    )


if __name__ == "__main__":
    main()
