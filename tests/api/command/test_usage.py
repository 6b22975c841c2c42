"""`queuecast usage` against the real service: a table, one queue in words, JSON, and what is not known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
import structlog
from typer.testing import CliRunner, Result

from api.edge.context import EXTENSION
from shared.command.root import build_app
from shared.config.settings import Settings
from shared.fleet.runstate import RunState
from shared.store import Store
from tests.api.a_cluster import PROD
from tests.api.scene import MakeApp
from tests.api.serving import serving
from tests.api.v1.usage_reports import REPORT, RESTS


@pytest.fixture
def serviced(run_state: RunState, settings: Settings, make_app: MakeApp) -> Iterator[tuple[str, Store]]:
    """Where the service answers, and the store behind it."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # its log must not mix with what a command says
    app = make_app(Settings(**settings.model_dump() | {"connections": {"hadoop": PROD}}))
    with serving(app) as address:
        yield address, app.extensions[EXTENSION].store
    structlog.reset_defaults()


def run(address: str, *arguments: str) -> Result:
    return CliRunner().invoke(build_app(), ["usage", *arguments, "--url", address], env={"COLUMNS": "240"})


def test_a_table_tells_what_each_waited_for_and_could_give(serviced: tuple[str, Store]) -> None:
    address, store = serviced
    store.usages.save([REPORT, RESTS])
    lines = run(address).stdout.splitlines()
    assert lines[0].startswith("prod: 2 queues, reported ")
    assert "GB·h a month" in lines[1]
    assert lines[2].split() == ["root.adhoc", "0.0", "h", "–", "–", "–", "–", "–"]
    for words in (
        "root.etl",
        "12.0 h",
        "its share for application masters is full",
        "maximum-am-resource-percent",
        "20 GB",
        "14,400",
    ):
        assert words in lines[3]
    assert lines[4] == "2 leaves: waited 12.0 h, could give back 20 GB and 0 vcores"
    assert run(address, "--by", "waiting").stdout.splitlines()[2].startswith("root.etl")
    assert run(address, "--by", "reclaimable").stdout.splitlines()[2].startswith("root.etl")


def test_one_queue_is_told_in_words_with_the_property_to_look_at(serviced: tuple[str, Store]) -> None:
    address, store = serviced
    store.usages.save([REPORT, RESTS])
    told = run(address, "root.etl").stdout
    for words in (
        "It waited 12.0 of 160 hours (8 %).",
        "  9.0 h: its share for application masters is full. Application masters had 9.5 GB of the 10 GB that they may have",
        "    see maximum-am-resource-percent",
        "Applications had their first container after 42.0 s on average.",
        "3 containers were taken back from it.",
        "Could give back 20 GB, 14,400 GB·h a month",
        "Its highest demand was 79 GB",
    ):
        assert words in told
    rests = run(address, "root.adhoc")
    assert "Nothing of it waited in 160 hours." in rests.stdout
    assert "no under-use is told: its guarantee is not known" in rests.stderr


def test_json_has_all_and_what_is_missing_is_told(serviced: tuple[str, Store]) -> None:
    address, store = serviced
    empty = run(address)
    assert "queuecast collect --report" in empty.stderr
    assert empty.exit_code == 0
    store.usages.save([REPORT, replace(RESTS, partition="gpu")])
    assert json.loads(run(address, "--json").stdout)["queues"][0]["waits"]["causes"][0]["cause"] == "masters"
    assert json.loads(run(address, "root.adhoc", "--partition", "gpu", "--json").stdout)["reason"] == "its guarantee is not known"
    missing = run(address, "root.none")
    assert (missing.exit_code, "no report of it" in missing.stderr) == (2, True)
