"""The README and that of deploy/ are true: links lead somewhere, commands, calls and settings exist, messages are the code's."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

import deploy.dev
from api.app import create_app
from api.schema.requests import JobBody
from shared import errors
from shared.config.origins import CONFIG_FILE, SECRETS_DIR
from shared.config.settings import PREFIX, Settings
from tests.architecture.house import ROOT, fail_on, mistakes, syntax_of, verbs

README = (ROOT / "README.md").read_text()
MANUAL = (ROOT / "deploy/README.md").read_text()
MAX_LINES = 200  # of the first page
BOTH = f"{README}\n{MANUAL}"
LINKS = [
    (text, folder, target)
    for page, folder in ((README, ROOT), (MANUAL, ROOT / "deploy"))
    for text, target in re.findall(r"\[([^\]]+)\]\(([^)\s]+)\)", page)
]
COMMANDS = re.findall(r"^(queuecast [^#\n]+)", BOTH, re.MULTILINE) + re.findall(r"`(queuecast [^`]+)`", BOTH)
OPERATED = re.findall(r"run --rm -T (api [^>#\n]+)", MANUAL)


def anchors(page: str) -> set[str]:
    """What links to a page's headings end with, as its readers make them: small letters, hyphens, no other marks."""
    prose = re.sub(r"^```.*?^```", "", page, flags=re.DOTALL | re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in re.findall(r"^#+ (.+)$", prose, re.MULTILINE)}


def definitions(path: Path) -> set[str]:
    """Names of every function and class in a file, methods as `Class.method`."""
    tree = syntax_of(path)
    kinds = ast.FunctionDef | ast.ClassDef
    owners = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    methods = {f"{owner.name}.{node.name}" for owner in owners for node in owner.body if isinstance(node, kinds)}
    return methods | {node.name for node in tree.body if isinstance(node, kinds)}


def test_every_link_leads_somewhere() -> None:
    local = [(folder, target) for _, folder, target in LINKS if "://" not in target and not target.startswith("#")]
    fail_on(target for folder, target in local if not (folder / target.partition("#")[0]).exists())


def test_every_link_to_a_part_of_the_manual_leads_to_one_and_its_contents_name_all() -> None:
    linked = {target.removeprefix("deploy/README.md")[1:] for _, _, target in LINKS if re.match(r"(deploy/README\.md)?#", target)}
    fail_on(linked - anchors(MANUAL))
    contents = set(re.findall(r"\]\(#([^)]+)\)", MANUAL.partition("\n## ")[0]))
    fail_on(anchors("\n".join(re.findall(r"^## .+$", MANUAL, re.MULTILINE))) - contents)


def test_the_first_page_is_short_and_its_one_job_is_submitted_and_followed() -> None:
    assert len(README.splitlines()) <= MAX_LINES
    [block] = [each for each in re.findall(r"^```sh\n(.*?)^```$", README, re.DOTALL | re.MULTILINE) if "queuecast" in each]
    assert subprocess.run(["sh", "-n"], input=block, text=True, check=False).returncode == 0
    steps = [line.split()[1] for line in block.splitlines() if line.startswith("queuecast ")]
    assert steps == ["simulate", "up", "submit", "queues"]


def test_every_linked_function_and_class_is_defined_in_the_linked_file() -> None:
    linked = [(text.strip("`").removesuffix("()"), folder / target) for text, folder, target in LINKS if text.startswith("`")]
    fail_on(f"{target} does not define {name}" for name, target in linked if name not in definitions(target))


def test_one_job_can_be_followed_through_its_eight_stations() -> None:
    section = MANUAL.partition("## Follow one job")[2].partition("\n## ")[0]
    stations = re.findall(r"^\d\. \*\*\w+\*\*(.*)$", section, re.MULTILINE)
    assert [bool(re.search(r"\[`[\w.]+\(\)`\]", station)) for station in stations] == [True] * 8


def test_every_command_and_every_option_in_it_exists() -> None:
    assert len(COMMANDS) > 100
    fail_on(mistakes(COMMANDS + OPERATED))


def test_it_names_every_command() -> None:
    fail_on(" ".join(verb) for verb in verbs() if not any(each.startswith(" ".join(("queuecast", *verb))) for each in COMMANDS))


def test_every_verb_of_the_bootstrap_in_it_exists() -> None:
    assert deploy.dev.__doc__ is not None
    fail_on(verb for verb in re.findall(r"deploy/dev\.py (\w+)", BOTH) if f"deploy/dev.py {verb} " not in deploy.dev.__doc__)


def test_every_call_in_it_exists(settings: Settings) -> None:
    served = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in create_app(settings).url_map.iter_rules()
        for method in rule.methods or ()
    }
    fail_on(" ".join(call) for call in re.findall(r"(GET|POST) (/v1/[\w{}/]+)", BOTH) if call not in served)


def test_its_payload_is_accepted() -> None:
    [payload] = re.findall(r"^cat > request\.json <<'END'\n(.*?)^END$", README, re.DOTALL | re.MULTILINE)
    assert JobBody.model_validate(json.loads(payload)).to_request().job_name == "Resource Forecasting"


def test_its_table_of_settings_is_that_of_the_settings() -> None:
    rows = [f"| `{PREFIX}{name.upper()}` | {default(field)} | {prose(field)} |" for name, field in Settings.model_fields.items()]
    table = "\n".join(["| setting | default | meaning |", "| --- | --- | --- |", *rows])
    if table not in MANUAL:
        pytest.fail(f"the table of deploy/README.md should be:\n\n{table}", pytrace=False)


def test_it_says_where_settings_are_read_from_and_operators_read_of_real_ones() -> None:
    assert {CONFIG_FILE, SECRETS_DIR} <= set(re.findall(r"QUEUECAST_\w+", MANUAL))
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {CONFIG_FILE, SECRETS_DIR, "QUEUECAST_URL"}
    fail_on(name for name in re.findall(r"QUEUECAST_[A-Z_]+[A-Z]", BOTH) if name not in known)


def test_every_message_of_an_error_that_operators_read_of_is_that_of_the_code() -> None:
    headlines = {(each.__doc__ or "").partition("\n")[0].rstrip(".") for each in vars(errors).values() if isinstance(each, type)}
    section = MANUAL.partition("## Troubleshoot")[2].partition("\n## ")[0]
    told = re.findall(r"^\| (?:401 )?`((?:The|No|A) [^`]+)`(?! \(banner)", section, re.MULTILINE)
    assert len(told) >= 6
    fail_on(message for message in told if message not in headlines)


def default(field: FieldInfo) -> str:
    """The default for people; of one that is made, what its maker says."""
    if field.default_factory is dict:
        return "none"
    if field.default_factory is not None:
        return (field.default_factory.__doc__ or "").partition("\n")[0].rstrip(".")
    shown = json.dumps(field.default, default=str) if isinstance(field.default, tuple) else field.default
    return "" if shown is None else f"`{shown}`"


def prose(field: FieldInfo) -> str:
    """The description, with addresses as code: `<…>` would be taken for a tag."""
    return re.sub(r"\S*<[^>]+>\S*", lambda match: f"`{match[0]}`", field.description or "")
