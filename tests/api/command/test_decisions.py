"""`queuecast decisions`, `policies` and `audit` against the real service."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from fcntl import ioctl
from pathlib import Path
from struct import pack
from termios import TIOCSWINSZ

import pytest
import structlog
from flask import Flask
from typer.testing import CliRunner, Result

from api.edge.context import EXTENSION, Services
from shared.command.root import build_app
from shared.config.settings import Settings
from shared.domain.capacities import Mode
from shared.domain.proposal_states import ProposalState
from shared.fleet.runstate import RunState
from shared.store import Store
from shared.store.proposals import FILES
from tests.api.a_cluster import NOW, PROD, a_tree
from tests.api.decided import id_of, keep_proposal
from tests.api.scene import QUEUECAST, MakeApp, token_for
from tests.api.serving import serving
from tests.decisions import a_proposed_change


@pytest.fixture
def app(run_state: RunState, settings: Settings, make_app: MakeApp) -> Flask:
    made = make_app(Settings(**settings.model_dump() | {"connections": {"hadoop": PROD}}))
    made.extensions[EXTENSION].store.trees.put("prod", a_tree(), NOW)
    return made


@pytest.fixture
def store(app: Flask) -> Store:
    found: Services = app.extensions[EXTENSION]
    return found.store


@pytest.fixture(autouse=True)
def url(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # its log must not mix with what a command says
    with serving(app) as address:
        monkeypatch.setenv("QUEUECAST_URL", address)
        yield address
    structlog.reset_defaults()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(build_app(), list(arguments))


def test_a_decision_is_listed_shown_approved_exported_and_rejected(store: Store, tmp_path: Path) -> None:
    made = keep_proposal(store)
    listed = run("decisions", "list", "--state", "open").stdout
    assert (made.decision_id in listed, "prod" in listed) == (True, True)
    assert made.decision_id not in run("decisions", "list", "--project", "web").stdout
    shown = run("decisions", "show", made.decision_id)
    assert shown.stdout.splitlines()[0] == made.sentence
    assert "cost: 4,020 GB·h as it is, 2,310 GB·h with the plan" in shown.stdout
    assert "you may now: approve, reject" in shown.stderr
    refused = run("decisions", "export", made.decision_id, "--to", str(tmp_path / "early"))
    assert (refused.exit_code, (tmp_path / "early").exists()) == (2, False)
    assert "exported follows on approved" in refused.stderr
    assert "approved by local: as agreed" in run("decisions", "approve", made.decision_id, "--reason", "as agreed").stdout
    folder = tmp_path / "change"
    exported = run("decisions", "export", made.decision_id, "--to", str(folder))
    assert (exported.exit_code, "README.txt says how" in exported.stderr) == (0, True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "sched-conf.xml": b"<sched-conf/>",
        "README.txt": b"read me",
    }
    again = run("decisions", "export", made.decision_id, "--to", str(folder))
    assert (again.exit_code, "nothing is overwritten" in again.stderr) == (2, True)
    assert run("decisions", "reject", made.decision_id).exit_code == 2
    assert run("decisions", "reject", made.decision_id, "--reason", "month's end").exit_code == 0
    assert store.proposals.get(made.decision_id).state is ProposalState.REJECTED
    assert json.loads(run("decisions", "show", made.decision_id, "--json").stdout)["steps"][-1]["reason"] == "month's end"


def test_a_decision_that_counts_on_another_one_says_so(store: Store) -> None:
    above = keep_proposal(store)
    made = keep_proposal(store, parent="root.etl", follows=above.decision_id)
    words = f"counts on {above.decision_id}, which has to be in force first"
    assert words in run("decisions", "show", made.decision_id).stdout
    assert "counts on" not in run("decisions", "show", above.decision_id).stdout


def test_what_is_shown_has_the_units_notes_and_doubts_of_the_page(store: Store) -> None:
    change = a_proposed_change("root.etl", 40_960.0, 47_104.0)
    told = replace(change.memory, notes=("its policy gives it 46 GB at most",), doubts=("its forecast is old",))
    made = keep_proposal(
        store, changes=(replace(change, mode=Mode.ABSOLUTE, memory=told, maximum_before="60", maximum_after="70"),)
    )
    shown = " ".join(run("decisions", "show", made.decision_id).stdout.split())
    assert "40 GB 46 GB" in shown
    assert "its policy gives it 46 GB at most" in shown
    assert "root.etl: not sure: its forecast is old" in shown
    assert "its maximum goes from 60 to 70" in shown


def test_a_folder_that_is_not_empty_is_left_alone_before_anything_is_exported(store: Store, tmp_path: Path) -> None:
    made = keep_proposal(store)
    run("decisions", "approve", made.decision_id)
    (tmp_path / "mine.txt").write_text("mine")
    for place in (tmp_path, tmp_path / "mine.txt"):
        assert run("decisions", "export", made.decision_id, "--to", str(place)).exit_code == 2
    assert store.proposals.get(made.decision_id).state is ProposalState.APPROVED
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("name", ["../../evil", ".bashrc", "-rf", "a\x1b[31m"])
def test_a_file_that_would_lie_elsewhere_or_came_otherwise_is_not_written(store: Store, tmp_path: Path, name: str) -> None:
    made = keep_proposal(store)
    run("decisions", "approve", made.decision_id)
    [file, *_] = store.proposals.files(made.decision_id)
    store.proposals.records.put_many(FILES, [type(file)(**{**_values(file), "name": name})])
    refused = run("decisions", "export", made.decision_id, "--to", str(tmp_path / "to"))
    assert (refused.exit_code, list(tmp_path.iterdir())) == (3, [])


def test_a_file_that_has_changed_on_its_way_is_not_written(store: Store, tmp_path: Path) -> None:
    made = keep_proposal(store)
    run("decisions", "approve", made.decision_id)
    [file, *_] = store.proposals.files(made.decision_id)
    store.proposals.records.put_many(FILES, [type(file)(**{**_values(file), "sha256": "0" * 64})])
    refused = run("decisions", "export", made.decision_id, "--to", str(tmp_path / "to"))
    assert (refused.exit_code, "its SHA-256 is another one" in refused.stderr, list(tmp_path.iterdir())) == (3, True, [])


def test_one_is_asked_for_and_waited_for_no_longer_than_one_says(store: Store, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = run("decisions", "make", "--parent", "root", "--horizon", "24h")
    assert store.decision_requests.get(made.stdout.strip()).parent == "root"
    monkeypatch.setattr("api.command.decisions.LINE_EVERY_SECONDS", 0.0)
    late = run("decisions", "make", "--parent", "root.users", "--wait", "--timeout", "1s")
    assert (late.exit_code, "is not made within 1 s" in late.stderr, "is being made" in late.stderr) == (4, True, True)
    assert run("decisions", "make", "--parent", "root.nowhere", "--url", url).exit_code == 2
    assert run("decisions", "make", "--timeout", "soon", "--url", url).exit_code == 2


def test_what_is_not_there_is_told_in_words() -> None:
    assert "no decision yet" in run("decisions", "list").output
    missing = run("decisions", "show", "x")
    assert (missing.exit_code, "No decision has this id" in missing.stderr) == (2, True)


def test_a_policy_is_said_by_options_or_a_file_and_shown(store: Store, tmp_path: Path) -> None:
    said = run(
        *("policies", "set", "root", "--set", "max_changes=3", "--rule", "root.etl:floor=20"),
        *("--rule", "root.etl:queue_class=critical", "--rule", "root.etl:is_protected=true"),
        *("--freeze", "2026-12-24T00:00:00Z/2027-01-02T00:00:00Z"),
    )
    assert said.exit_code == 0, said.output
    assert re.search(r"root\.etl +critical +20.00 +20.00 +– +yes", said.stdout)
    assert "nothing is changed 2026-12-24 00:00Z to 2027-01-02 00:00Z" in said.stdout
    assert run("policies", "set", "root", "--rule", "root.etl:floor=").exit_code == 0
    whole = json.loads(run("policies", "show", "root", "--json").stdout)
    assert (whole["version"], whole["max_changes"], whole["queues"][0]["floor"]) == (2, 3, None)
    file = tmp_path / "policy.json"
    file.write_text(json.dumps(whole | {"max_changes": 4}))
    assert run("policies", "set", "root", str(file)).exit_code == 0
    again = json.loads(run("policies", "show", "root", "--json").stdout)
    assert again["queues"] == whole["queues"]
    assert (again["version"], again["max_changes"]) == (3, 4)
    assert "root" in run("policies", "list").stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--set", "max_changes"), "accepted is NAME=VALUE"),
        (("--set", "max_changes=many"), "max_changes"),
        (("--set", "nobody=1"), "no field has this name"),
        (("--rule", "root.etl=20"), "accepted is QUEUE:NAME=VALUE"),
        (("--rule", "root.x:floor=20"), "no child of root"),
        (("--owner", "t1"), "no such token"),
        (("--freeze", "now"), "accepted is START/END"),
        (("/nowhere/policy.json",), "there is no file /nowhere/policy.json"),
    ],
)
def test_what_is_no_policy_is_refused_in_words(options: tuple[str, ...], words: str) -> None:
    refused = run("policies", "set", "root", *options)
    assert (refused.exit_code, words in refused.stderr) == (2, True), refused.output


def test_owners_are_those_of_tokens(app: Flask, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    admin, owner = token_for(app, "admin"), token_for(app, "approve")
    monkeypatch.setenv("QUEUECAST_TOKEN", admin["Authorization"].removeprefix("Bearer "))
    whose = id_of(store, owner)
    assert run("policies", "set", "root", "--owner", whose, "--owner", f"root.etl:{whose}").exit_code == 0
    told = json.loads(run("policies", "show", "root", "--json").stdout)
    assert (told["owners"], told["queues"][0]["owners"], told["owner_names"]) == ([whose], [whose], {whose: "ci"})


def test_the_audit_trail_is_exported_line_by_line(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.v1.audits.MAX_ENTRIES", 2)
    made = keep_proposal(store)
    for action in ("approve", "reject"):
        run("decisions", action, made.decision_id, "--reason", "x")
    told = [json.loads(line)["what"] for line in run("audit", "export").stdout.splitlines()]
    assert told == ["proposed", "approved", "rejected"]
    assert (
        run("audit", "export", "--since", "2999-01-01T00:00:00Z").stdout == run("audit", "export", "--until", "7d").stdout == ""
    )
    assert len(run("audit", "export", "--since", "1h").stdout.splitlines()) == 3


@pytest.mark.parametrize("what", ["list", "show"])
def test_no_line_of_a_table_is_too_long_for_80_columns(store: Store, tmp_path: Path, url: str, what: str) -> None:
    made = keep_proposal(store)
    ours, theirs = pty.openpty()
    ioctl(theirs, TIOCSWINSZ, pack("HHHH", 50, 80, 0, 0))
    place = {"NO_COLOR": "1", "TERM": "xterm", "QUEUECAST_DATA_DIR": str(tmp_path), "QUEUECAST_URL": url}
    environment = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}} | place
    words = ["decisions", what, *([made.decision_id] if what == "show" else [])]
    subprocess.run([*QUEUECAST, *words], stdout=theirs, stderr=subprocess.PIPE, env=environment, check=True)
    os.close(theirs)
    text = os.read(ours, 65_536).decode()
    os.close(ours)
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in text.splitlines()]
    assert max(map(len, lines)) <= 80, text
    if what == "list":
        assert made.decision_id in lines[1]


def _values(file: object) -> dict[str, object]:
    return {name: getattr(file, name) for name in ("decision_id", "name", "created_at", "body", "sha256")}
