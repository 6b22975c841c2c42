"""What is wrong with a setting, in a sentence that names it and shows what would be accepted."""

from __future__ import annotations

import json
import re

from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings

from shared.domain.wording import accepted

LISTS = frozenset({"mark_levels", "proxy_addresses"})
EXAMPLES = {  # of settings whose default is none, or no example
    "data_dir": "/var/lib/queuecast",
    "files_dir": "/srv/queuecast/files",
    "child_memory_mb": 2_048,
    "connections": {"archive": {"kind": "files", "path": "/srv/archive"}},
}
SHOWN = ("such as", "accepted: ", "30min", "://", "true nor false")  # in words that show already what is accepted

Settings = type[BaseSettings]


def problem_of(item: ErrorDetails, settings: Settings) -> str:
    """What is wrong, and where: the name of a variable, or a place in the TOML file."""
    name, *rest = map(str, item["loc"])
    is_whole = name in settings.model_fields and (not rest or name in LISTS)
    where = _variable(name, settings) if is_whole else ".".join([name, *rest])
    if item["type"] == "extra_forbidden":
        return f"{where} is no setting"
    words = accepted(item)
    has_example = not is_whole or any(sign in words for sign in SHOWN)
    return f"{where}: {words}{'' if has_example else such_as(name, settings)}"


def no_json(message: str, settings: Settings) -> str:
    """The same of a variable that should hold JSON, from the message of pydantic-settings, which names its field."""
    name = re.search(r'field "(\w+)"', message)
    return f"{_variable(name[1], settings)} is not the JSON that it should be{such_as(name[1], settings)}" if name else message


def such_as(name: str, settings: Settings) -> str:
    """An example of a setting's value, as a variable has it."""
    field = settings.model_fields[name]
    value = EXAMPLES.get(name, field.default)
    return f", such as {value if isinstance(value, str | int) else json.dumps(value, default=str)}"


def _variable(name: str, settings: Settings) -> str:
    return f"{settings.model_config['env_prefix']}{name.upper()}"
