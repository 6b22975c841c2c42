"""What the fleet costs: `python -m tests.bench.fleet [--only a,b,c] [--repeat 3] [--json]`.

    a  efficiency    candidate CPU of the same work in a bare process ÷ (wall × worker processes)
    b  overhead      our CPU on top of a candidate task, and of a candidate in a block
    c  fairness      a small job behind a big one
    d  memory        the broker's, for jobs of three sizes
    e  submitting    requests/s against a bare Flask route that does the same two writes
    f  callback      from the last candidate's record to the callback

Real processes on this machine: embedded broker, worker, reaper, API. Ratios and CPU seconds are to be trusted, seconds only
where nothing else runs.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys

from tests.bench import models
from tests.bench.fleet import callback, efficiency, fairness, memory, overhead, submitting
from tests.bench.fleet.figures import Figure, circumstances

__all__ = ["models"]  # registered

PARTS = {
    "a": efficiency.measure,
    "b": overhead.measure,
    "c": fairness.measure,
    "d": memory.measure,
    "e": submitting.measure,
    "f": callback.measure,
}


def main() -> None:
    """Measure what is asked for, and print each figure as soon as it is known; as JSON all at the end."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.fleet", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas; default: all")
    parser.add_argument("--repeat", type=int, default=3, help="how often what can be repeated is")
    parser.add_argument("--json", action="store_true", help="one JSON document at the end")
    wanted = parser.parse_args()
    figures: list[Figure] = []

    def say(figure: Figure) -> None:
        figures.append(figure)
        if not wanted.json:
            print(figure.line(), flush=True)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is stopped on the way out
    about = circumstances()
    if not wanted.json:
        print(json.dumps(about))
    for part in wanted.only.split(","):
        PARTS[part](say, wanted.repeat)
    if wanted.json:
        print(json.dumps(about | {"figures": [figure.document() for figure in figures]}, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
