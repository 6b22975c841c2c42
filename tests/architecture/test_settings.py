"""Every setting is listed for those who start Queuecast, with its default, and nothing else is."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

import pytest
from pydantic.fields import FieldInfo

from shared.config.origins import CONFIG_FILE, SECRETS_DIR
from shared.config.settings import PREFIX, Settings
from tests.architecture.house import ROOT

LISTED = dict(re.findall(r"^# (QUEUECAST_\w+)=(.*)$", (ROOT / "deploy/env.example").read_text(), re.MULTILINE))
EXAMPLE: dict[str, Any] = tomllib.loads((ROOT / "deploy/queuecast.example.toml").read_text())
FIELDS: dict[str, FieldInfo] = {PREFIX + name.upper(): field for name, field in Settings.model_fields.items()}


def test_the_example_environment_lists_exactly_the_settings() -> None:
    assert sorted(LISTED) == sorted([*FIELDS, CONFIG_FILE, SECRETS_DIR])


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if field.default_factory is None])
def test_the_example_environment_shows_the_default(name: str) -> None:
    default = FIELDS[name].default
    shown = json.dumps(default, default=str) if isinstance(default, tuple) else str(default)
    assert LISTED[name] == ("" if default is None else shown)


def test_the_example_file_is_accepted() -> None:
    names = EXAMPLE.keys() - {"connections"}
    assert names <= Settings.model_fields.keys()
    Settings(**EXAMPLE)
