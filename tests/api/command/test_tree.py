"""`queuecast tree` against the real service: a tree of columns, a part of it, what is missing, in words."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fcntl import ioctl
from pathlib import Path
from struct import pack
from termios import TIOCSWINSZ

import pytest
import structlog
from typer.testing import CliRunner, Result

from api.edge.context import EXTENSION
from shared.command.root import build_app
from shared.config.settings import Settings
from shared.domain.distribution import Paths
from shared.domain.units import Unit
from shared.fleet.runstate import RunState
from shared.store import Store
from tests.api.a_cluster import NOW, PROD, a_change, a_day, a_tree
from tests.api.scene import QUEUECAST, MakeApp
from tests.api.serving import serving


@pytest.fixture
def serviced(run_state: RunState, settings: Settings, make_app: MakeApp) -> Iterator[tuple[str, Store]]:
    """Where the service answers, and the store behind it."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # its log must not mix with what a command says
    app = make_app(Settings(**settings.model_dump() | {"connections": {"hadoop": PROD}}))
    with serving(app) as address:
        yield address, app.extensions[EXTENSION].store
    structlog.reset_defaults()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(build_app(), ["tree", *arguments])


def test_each_queue_stands_under_its_parent_in_columns(serviced: tuple[str, Store]) -> None:
    url, store = serviced
    store.trees.put("prod", a_tree(), datetime.now(UTC))
    store.forecasts.save(a_day())
    store.changes.save([a_change()])
    result = run("--url", url)
    assert result.exit_code == 0
    first, header, *rows = result.stdout.splitlines()
    assert re.fullmatch(r"prod: 5 queues, capacity scheduler, read \d seconds? ago, amounts in GB", first)
    assert header.split()[:5] == ["queue", "capacity", "guarantee", "ceiling", "used"]
    assert [row[:19].rstrip() for row in rows[:6]] == [
        *("root", "  users", "    ada (dynamic)", "    bob (dynamic)", "    * (all dynamic)", "  etl")
    ]
    assert rows[5].split() == [
        *("etl", "60", "%", "59", "78", "29", "68", "3", "+", "1", "50", "%", "<", "5", "%"),
        "-9.8",
        "-5.9",
    ]
    assert rows[6].endswith("root.etl: capacity 40 → 60")
    assert header.index("guarantee") + len("guarantee") == rows[5].index("59") + 2


def test_amounts_are_told_in_vcores_where_these_are_asked_for(serviced: tuple[str, Store]) -> None:
    url, store = serviced
    store.trees.put("prod", a_tree(), datetime.now(UTC))
    header, *_, etl = run("--vcores", "--url", url).stdout.splitlines()[1:]
    assert header.split()[-2:] == ["headroom", "ahead"]
    assert etl.split() == [*("etl", "60", "%", "10", "20", "1", "3", "3", "+", "1", "–", "–", "7", "–")]
    flat, rows = (9.0,) * 24, [[5.0] * 24, [12.0] * 24] * 32
    own = {"prediction": flat, "lower_bound": flat, "upper_bound": flat, "paths": Paths.of(rows, blocks=14, windows=7)}
    store.forecasts.save(a_day(metric="demand_vcores", unit=Unit.VCORES, **own))
    etl = run("--vcores", "--url", url).stdout.splitlines()[-1]
    assert etl.split()[-7:] == ["50", "%", "<", "5", "%", "7", "1"]


def test_a_part_of_the_tree_is_shown_and_a_wrong_name_is_told_with_those_alike(serviced: tuple[str, Store]) -> None:
    url, store = serviced
    store.trees.put("prod", a_tree(), datetime.now(UTC))
    shown = run("root.users", "--url", url).stdout
    assert [line.split("  ")[0] or line.strip().split()[0] for line in shown.splitlines()[2:]] == [
        "root.users",
        "ada",
        "bob",
        "*",
    ]
    told = json.loads(run("root.users", "root.etl", "--json", "--url", url).stdout)
    assert [queue["queue"] for queue in told["queues"]][-1] == "root.etl"
    for asked, words in (("root.ETL", "the tree has root.etl"), ("root.x", "6 queues, and none of this name")):
        wrong = run(asked, "--url", url)
        assert (wrong.exit_code, wrong.stdout) == (2, "")
        assert words in wrong.stderr


def test_how_it_was_and_what_is_old_are_told(serviced: tuple[str, Store]) -> None:
    url, store = serviced
    store.trees.put("prod", a_tree(), NOW - timedelta(hours=3), is_changed=True)
    assert "nothing newer could be read" in run("--url", url).stderr
    then = run("--at", f"{NOW - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}", "--url", url)
    assert "as configured since" in then.stdout
    assert then.stdout.splitlines()[1].split() == ["queue", "capacity", "guarantee", "ceiling"]
    assert "what was used then is not told" in then.stderr


def test_what_is_missing_is_told_in_words(serviced: tuple[str, Store]) -> None:
    url, store = serviced
    unread = run("--url", url)
    assert (unread.exit_code, unread.stdout) == (2, "")
    assert "Nothing is known of the cluster's queues (cluster prod)" in unread.stderr
    store.trees.put("prod", replace(a_tree()), NOW)
    for option, words in (
        (("--cluster", "x"), "No such cluster"),
        (("--partition", "x"), "default, gpu"),
        (("--at", "x"), "ISO 8601"),
    ):
        refused = run(*option, "--url", url)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert words in refused.stderr


@pytest.mark.parametrize(("wide", "columns"), [(40, 2), (80, 4), (100, 9), (160, 10)])
def test_a_narrow_terminal_gets_fewer_columns_and_no_line_is_too_long(
    serviced: tuple[str, Store], tmp_path: Path, wide: int, columns: int
) -> None:
    url, store = serviced
    store.trees.put("prod", a_tree(), datetime.now(UTC))
    ours, theirs = pty.openpty()
    ioctl(theirs, TIOCSWINSZ, pack("HHHH", 50, wide, 0, 0))
    place = {"NO_COLOR": "1", "TERM": "xterm", "QUEUECAST_DATA_DIR": str(tmp_path)}
    environment = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}} | place
    subprocess.run([*QUEUECAST, "tree", "--url", url], stdout=theirs, stderr=subprocess.PIPE, env=environment, check=True)
    os.close(theirs)
    text = os.read(ours, 65_536).decode()
    os.close(ours)
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in text.splitlines()]
    assert len(lines[1].replace("24h", "").split()) == columns + 1
    assert max(map(len, lines[1:])) <= wide


def test_it_says_whose_forecasts_there_are_where_several_are(serviced: tuple[str, Store]) -> None:
    url, store = serviced
    store.trees.put("prod", a_tree(), NOW)
    store.forecasts.save(a_day(project="red"))
    store.forecasts.save(a_day(project="blue", queue="root.users", job_id="4" * 32))
    told = run("--url", url)
    assert "forecasts are of" in told.output
    assert "red (1)" in told.output
    assert "forecasts are of" not in run("--project", "red", "--url", url).output
