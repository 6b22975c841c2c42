"""Where settings are read from beside the environment, and where data lie when no setting says so."""

from __future__ import annotations

import os
from pathlib import Path

from shared.errors import InvalidSettings

CONFIG_FILE = "QUEUECAST_CONFIG_FILE"  # where the TOML file lies; read before the settings themselves
SECRETS_DIR = "QUEUECAST_SECRETS_DIR"  # a folder with one file per secret setting, as container platforms mount them


def config_file() -> Path:
    """The TOML file, which need not be there."""
    return Path(os.environ.get(CONFIG_FILE) or "queuecast.toml")


def foreign_file() -> list[str]:
    """A file that only happens to lie where a command is run counts when its user wrote it: in /tmp anybody could have."""
    file = config_file()
    if os.environ.get(CONFIG_FILE) or not file.is_file() or file.stat().st_uid in {os.geteuid(), 0}:
        return []
    return [f"{file.absolute()} belongs to another user; set {CONFIG_FILE} to it to read it all the same"]


def default_data_dir() -> Path:
    """The platform's folder for application data."""
    try:
        return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "queuecast"
    except RuntimeError as error:
        raise InvalidSettings("this user has no home folder; set QUEUECAST_DATA_DIR") from error
