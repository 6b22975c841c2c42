"""Are the locked packages known to be unsafe? `python -m tests.dependencies [LOCK …]`, with pip-audit installed and a network.

pip-audit reports success while it skips packages that it cannot find, as behind a mirror: here a skipped package is a failure.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from deploy import locks

LOCKS = tuple(f"deploy/{name}" for name in locks.LOCKS)


def problems(report: dict[str, Any], locked: int) -> Iterator[str]:
    """What is wrong, in plain words; nothing when all `locked` packages were looked at and none is known to be unsafe.

    Args:
        report: what `pip-audit --format json` prints.
    """
    looked_at = report["dependencies"]
    for each in looked_at:
        if "skip_reason" in each:
            yield f"{each['name']} was skipped: {each['skip_reason']}"
        for known in each.get("vulns", ()):
            fixed = ", ".join(known["fix_versions"]) or "no version yet"
            yield f"{each['name']} {each['version']}: {known['id']}, mended in {fixed}"
    if len(looked_at) < locked:
        yield f"only {len(looked_at)} of {locked} packages were looked at"


def count(lock: Path) -> int:
    """How many packages a lock names for every Python; one with a marker may be none of this one's."""
    return sum("==" in line and ";" not in line and not line.startswith((" ", "#")) for line in lock.read_text().splitlines())


def main(wanted: Sequence[str]) -> int:
    """Look at each lock; returns 1 when anything is wrong."""
    found = []
    for lock in wanted:
        command = ["pip-audit", "--format", "json", "--disable-pip", "--require-hashes", "--requirement", lock]
        said = subprocess.run(command, capture_output=True, text=True, check=False)
        if not said.stdout:
            found.append(f"{lock}: pip-audit said nothing: {said.stderr.strip()[-500:]}")
            continue
        found += [f"{lock}: {problem}" for problem in problems(json.loads(said.stdout), count(Path(lock)))]
    print("\n".join(found) or "every locked package was looked at, and none is known to be unsafe")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or LOCKS))
