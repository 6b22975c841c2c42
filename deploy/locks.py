"""Renew the locked sets: `python3 deploy/dev.py lock`. Versions that still fit stay as they are; `--upgrade` takes newer ones.

Each lock is resolved once for every Python and machine that we know (markers say what is for whom), so that installing it
resolves nothing: what is published later changes no install.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
OPTIONS = ("--quiet", "--universal", "--generate-hashes", "--no-emit-package=torch", "--python-version=3.11")
OURS = ("deploy/requirements.in", "pyproject.toml")
WITH_TORCH = "deploy/requirements-torch.in"
BOUND = "--constraint=deploy/requirements.lock"

# Lock → what it is compiled from. The whole set comes first: it binds the others, of one image each.
LOCKS: dict[str, tuple[str, ...]] = {
    "requirements.lock": ("--extra=api", "--extra=flower", "--extra=otel", "--extra=test", "--extra=worker", *OURS, WITH_TORCH),
    "requirements-api.lock": ("--extra=api", "--extra=otel", BOUND, *OURS),
    "requirements-worker.lock": ("--extra=flower", "--extra=otel", "--extra=worker", BOUND, *OURS, WITH_TORCH),
    "requirements-uv.lock": ("deploy/requirements-uv.in",),
}


def main(uv: str, arguments: Sequence[str]) -> int:
    """Compile each lock, with further arguments of uv's; returns the exit code of the first that failed, or 0."""
    for name, sources in LOCKS.items():
        output = ("--custom-compile-command=python3 deploy/dev.py lock", f"--output-file=deploy/{name}")
        command = [uv, "pip", "compile", *OPTIONS, *sources, *output, *arguments]
        code = subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
