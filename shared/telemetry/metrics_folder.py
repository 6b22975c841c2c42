"""The folder in which the processes of one stack, or of one service, count together; named before any of them counts.

prometheus_client decides at its import whether it counts in files, so nothing here may import it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client's own variable


def metrics_folder(data_dir: Path, name: str) -> Path:
    """Where the processes called `name` count."""
    return data_dir / "metrics" / name


def empty_folder(folder: Path) -> None:
    """Forget what earlier processes have counted there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def count_in(folder: Path) -> None:
    """Let this process and all that it starts count in the folder, emptied, unless the environment names another one.

    That one belongs to whoever named it: it is made when it is not there, and never emptied.
    """
    if given := os.environ.get(FOLDER):
        Path(given).mkdir(parents=True, exist_ok=True)
        return
    empty_folder(folder)
    os.environ[FOLDER] = str(folder)
