"""How many branches of the code the tests take: `python3 deploy/dev.py test --coverage`. Processes that they start count, too.

It takes about twice as long as without. Line by line it is in test-results/coverage/index.html.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

FOLDER = Path("test-results/coverage")
MIN_PERCENT = {"shared": 95, "worker/pipeline": 95, "api": 0, "worker": 0, "deploy": 0}  # per cent of the branches below a folder


def main(arguments: Sequence[str]) -> int:
    """Run pytest with these arguments; returns its exit code, or 1 where a folder has less than it must."""
    data = FOLDER / "coverage.json"
    options = ("--cov", "--cov-report=", f"--cov-report=html:{FOLDER}", f"--cov-report=json:{data}")
    code = subprocess.run([sys.executable, "-m", "pytest", *options, *arguments], check=False).returncode
    found = dict(shares(json.loads(data.read_text())))
    for folder, share in found.items():
        print(f"{folder}: {share:.1f} % of the branches (at least {MIN_PERCENT[folder]} %)")
    return code or int(any(share < MIN_PERCENT[folder] for folder, share in found.items()))


def shares(report: dict[str, Any]) -> Iterable[tuple[str, float]]:
    """Folder → per cent of its branches that were taken.

    Args:
        report: what `coverage json` writes.
    """
    for folder in MIN_PERCENT:
        files = [file["summary"] for name, file in report["files"].items() if name.startswith(f"{folder}/")]
        possible, taken = (sum(file[key] for file in files) for key in ("num_branches", "covered_branches"))
        yield folder, 100 * taken / possible if possible else 100.0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
