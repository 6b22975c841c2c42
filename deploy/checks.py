"""What ruff, mypy, the import contracts and deptry say of the code: `python3 deploy/dev.py check`; `fix` mends what ruff can.

Each tool is told in pyproject.toml which files it looks at, and how strictly.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.environment import ROOT

CHECKS = {
    "lint": ("ruff", "check", "."),
    "format": ("ruff", "format", "--check", "."),
    "types": ("mypy",),
    "imports": ("lint-imports", "--no-logo"),
    "dependencies": ("deptry", "--no-ansi", "."),
}
MENDS = {"lint": ("ruff", "check", "--fix", "."), "format": ("ruff", "format", ".")}


def main(arguments: Sequence[str]) -> int:
    """Run every check, or every mend, and show all that those which fail have said; returns 1 if any did, 2 for wrong usage."""
    if list(arguments) not in (["check"], ["fix"]):
        print("accepted are check and fix, without arguments", file=sys.stderr)
        return 2
    mends = ((name, start(command)) for name, command in MENDS.items())  # begun one after the other, since both write
    checks = [(name, start(command)) for name, command in CHECKS.items()] if "check" in arguments else []
    failures = 0
    for name, process in checks or mends:
        said = complaint(process)
        failures += bool(said)
        print(f"{name}: {said or 'ok'}", flush=True)
    return int(failures > 0)


def start(command: Sequence[str]) -> subprocess.Popen[str]:
    """A tool of this very environment, at work on the whole repository."""
    tool = str(Path(sys.executable).with_name(command[0]))
    return subprocess.Popen([tool, *command[1:]], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def complaint(process: subprocess.Popen[str]) -> str:
    """All that a tool said, once it has ended; empty if it found nothing."""
    said, _ = process.communicate()
    return f"it ended with {process.returncode}:\n{said}" if process.returncode else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
