"""deploy/README.md is true: commands and options exist, links lead somewhere, messages are those of the code."""

from __future__ import annotations

import re
import shlex

import pytest
from typer.main import get_command

from shared import errors
from shared.command.root import build_app
from shared.config.settings import PREFIX, Settings
from tests.architecture.house import ROOT, fail_on

TEXT = (ROOT / "deploy/README.md").read_text()
COMMANDS = re.findall(r"`(queuecast [^`]+)`", TEXT) + [
    f"queuecast {rest}" for rest in re.findall(r"run --rm -T api ([^>#\n]+)", TEXT)
]


@pytest.mark.parametrize("command", sorted(set(COMMANDS)))
def test_every_command_exists_with_its_options(command: str) -> None:
    verb = get_command(build_app())
    words = shlex.split(command)[1:]
    while words and words[0] in getattr(verb, "commands", {}):
        verb = verb.commands[words.pop(0)]  # type: ignore[attr-defined]
    assert not hasattr(verb, "commands"), f"no verb of {command}"
    options = {option for parameter in verb.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


def test_every_link_leads_somewhere() -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", TEXT)
    fail_on(target for target in targets if "://" not in target and not (ROOT / "deploy" / target).exists())


def test_every_setting_exists() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    fail_on(name for name in re.findall(r"QUEUECAST_[A-Z_]+[A-Z]", TEXT) if name not in known)


def test_every_message_of_an_error_is_that_of_the_code() -> None:
    headlines = {(kind.__doc__ or "").partition("\n")[0].rstrip(".") for kind in vars(errors).values() if isinstance(kind, type)}
    section = TEXT.partition("## Troubleshoot")[2].partition("\n## ")[0]
    messages = re.findall(r"^\| (?:401 )?`((?:The|No|A) [^`]+)`(?! \(banner)", section, re.MULTILINE)
    assert len(messages) >= 6
    fail_on(message for message in messages if message not in headlines)
