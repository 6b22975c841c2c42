"""Every table of the command in a terminal of 80 columns, whole with --wide, as CSV."""

from __future__ import annotations

import ast
import csv
import io
import json
import re
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from importlib import import_module
from inspect import getsource
from pkgutil import walk_packages
from types import ModuleType
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

import api.command
import shared.command
from api.edge.context import EXTENSION, Services
from shared.command.root import build_app
from shared.command.tables import print_table
from shared.config.settings import Settings
from shared.domain.components import Components
from shared.domain.jobs import JobState, QueueState
from shared.domain.reports import QueueReport
from shared.domain.tokens import Scope
from shared.fleet.runstate import RunState
from shared.store import Store
from tests.api.a_cluster import BEGINS, NOW, PROD, a_day, a_tree
from tests.api.decided import keep_proposal
from tests.api.families import keep_cluster
from tests.api.scene import CARDS, MakeApp, a_report
from tests.api.serving import serving
from tests.api.v1.usage_reports import REPORT, RESTS
from tests.factories import a_forecast, a_job, a_request, a_schedule, an_outlook_score, with_distribution

LONG = "root.analytics.marketing.reports"
JOB = "20260105T000012-3f9ac01b22"
REASON = "only 3 of 336 steps have values, and a model needs 48 of them at the least"
Site = tuple[str, int]
PRINTERS = [
    module
    for package in (api.command, shared.command)
    for info in walk_packages(package.__path__, f"{package.__name__}.")
    if hasattr(module := import_module(info.name), "print_table") and info.name != print_table.__module__
]


@pytest.fixture
def services(run_state: RunState, settings: Settings, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """A service at QUEUECAST_URL with something of everything, under names as long as people give them."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # its log must not mix with what a command says
    app = make_app(Settings(**settings.model_dump() | {"connections": {"hadoop": PROD}}))
    found: Services = app.extensions[EXTENSION]
    run_state.members.publish(CARDS)
    fill(found.store)
    monkeypatch.setenv("QUEUECAST_STORE_URL", settings.store_location)
    with serving(app) as address:
        monkeypatch.setenv("QUEUECAST_URL", address)
        yield found
    structlog.reset_defaults()


def fill(store: Store) -> None:
    store.trees.put("prod", a_tree(), NOW)
    store.usages.save([REPORT, RESTS])
    keep_cluster(store, "other")
    reason = f"1 of 2 queues has no forecast: root.adhoc: {REASON}"
    name = "Capacity of the marketing department, hourly"
    ended = {"state": JobState.PARTIAL, "reason": reason, "ended_at": NOW, "created_at": NOW}
    store.jobs.add(a_job(job_id=JOB, request=a_request(job_name=name), **ended))
    store.reports.save(a_report(job_id=JOB, queue=LONG))
    store.reports.save(QueueReport(job_id=JOB, queue="root.adhoc", state=QueueState.FAILED, reason=REASON))
    flat = (90.0,) * 48
    ahead = {"prediction": flat, "lower_bound": flat, "upper_bound": flat, "issued_at": BEGINS, "job_id": JOB}
    made_of = Components(level=50.0, day=(0.0, 8.0) * 24)
    store.forecasts.save(with_distribution(a_forecast(queue=LONG, **ahead, components=made_of)))
    store.forecasts.save(a_day())
    store.schedules.add(a_schedule(refit_cron="30 */6 * * *", name=name))
    keep_proposal(store)
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=2)
    store.calibrations.save([an_outlook_score(day=day)])


def run(*words: str, **environment: str) -> Result:
    return CliRunner().invoke(build_app(), words, env=environment)


class Printed:
    """Each table that is printed, by the line that prints it."""

    def __init__(self) -> None:
        self.sites: set[Site] = set()
        self.faults: list[str] = []

    def __call__(self, columns: Any, rows: Any, **options: Any) -> None:
        names, values = [*columns], [[*row] for row in rows]
        caller = sys._getframe(1)
        self.sites.add((caller.f_globals["__name__"], caller.f_lineno))
        with redirect_stdout(io.StringIO()) as out:
            print_table(names, values, **options)
        sys.stdout.write(out.getvalue())
        lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in out.getvalue().splitlines()]
        if max(map(len, lines)) > 80 or (len(lines) > 1 + len(values) and not options.get("text")):
            self.faults.append("\n".join(lines))
        if values and all(not line.split() for line in lines[1:]):
            self.faults.append("no cell is left")


def sites() -> set[Site]:
    """Every call of `print_table` in a command."""
    return {site for module in PRINTERS for site in _calls(module)}


def _calls(module: ModuleType) -> Iterator[Site]:
    for node in ast.walk(ast.parse(getsource(module))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print_table":
            yield module.__name__, node.lineno


def test_every_table_fits_a_terminal_of_80_columns(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = Printed()
    for module in PRINTERS:
        monkeypatch.setattr(module, "print_table", printed)
    terminal = {"FORCE_COLOR": "1", "NO_COLOR": "1", "COLUMNS": "80"}
    decision = json.loads(run("decisions", "list", "--json").stdout)["decisions"][0]["decision_id"]
    run("policies", "set", "root", "--rule", "root.etl:floor=20", "--rule", "root.etl:queue_class=critical")
    run("queues", "alias", "root.etl.daily", "root.etl.nightly", "--cluster", "other")
    run("jobs", "hide", a_request().job_name, "--project", a_request().project)
    made = run("token", "create", "--name", "the dashboards of the marketing department", "--scope", Scope.ADMIN.value)
    monkeypatch.setenv("QUEUECAST_TOKEN", made.stdout.strip())
    commands = f"""jobs list|jobs show {JOB}|jobs show {JOB} --queue {LONG}|queues list|queues show {LONG}|queues aliases
        queues accuracy|queues accuracy {LONG}|models|schedules list|decisions list|decisions show {decision}|policies list
        policies show root|tree|usage|token list|config show|doctor|upgrade --check
        whatif {LONG} --capacity 1.2x|whatif root.etl.hourly --parent root.bi --capacity 30%|jobs hidden"""
    for words in re.split(r"\n\s*|\|", commands):
        result = run(*words.split(), **terminal)
        assert result.exit_code in {0, 1, 3, 6}, (words, result.output)
    assert not printed.faults, "\n\n".join(printed.faults)
    assert printed.sites == sites()


def test_wide_and_csv_have_every_column(services: Services) -> None:
    narrow = {"FORCE_COLOR": "1", "NO_COLOR": "1", "COLUMNS": "80"}
    result = run("queues", "list", **narrow)
    assert "model" not in result.stdout.splitlines()[0]
    assert re.search("no room for metric, .*by job: --wide, --csv, --json", " ".join(result.stderr.split()))
    wide = run("queues", "list", "--wide", **narrow)
    assert ("by job" in wide.stdout, "no room" in wide.stderr) == (True, False)
    [first, *_] = csv.DictReader(io.StringIO(run("queues", "list", "--csv", **narrow).stdout))
    assert (first["queue"], first["risk"], first["beyond its share"]) == (LONG, "possible", "")
    services.store.forecasts.save(a_day(queue="=1+1"))
    assert "'=1+1" in run("queues", "list", "--csv").stdout
    tree = run("tree", "--csv")
    assert "root.users.ada" in [row["queue"] for row in csv.DictReader(io.StringIO(tree.stdout))]
    assert "capacity scheduler" in tree.stderr
    refused = run("jobs", "list", "--csv", "--json")
    assert (refused.exit_code, "one of --wide, --csv and --json" in refused.stderr) == (2, True)
