"""The verbs of the API side, against the real service; `serve` as an operator starts it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
import urllib3
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner, Result
from werkzeug.wrappers import Request, Response

from api.command.client import Client
from api.command.service import follow
from api.edge.bind_address import OPEN
from api.edge.context import EXTENSION
from shared.command.root import build_app
from shared.config.settings import Settings
from shared.domain.calibration import Calibration
from shared.domain.components import Components
from shared.domain.forecasts import Candidate, Failure, Measures, Score
from shared.domain.jobs import JobState, Progress, QueueState, Tally
from shared.domain.lanes import Lane
from shared.domain.model_cards import HyperparameterCard, ModelCard
from shared.domain.reports import QualityReport, QueueReport
from shared.domain.runs import Run
from shared.domain.timegrid import TimeGrid
from shared.domain.tokens import Scope, make_token
from shared.fleet.runstate import RunState
from shared.store import Store, open_store
from shared.telemetry.metrics import counted
from tests.api.bodies import a_body
from tests.api.families import keep, keep_cluster
from tests.api.scene import QUEUECAST, MakeApp
from tests.api.serving import serving
from tests.factories import MONDAY, a_forecast, a_job, a_request, a_schedule, an_outlook_score, with_distribution
from tests.polling import eventually
from tests.scraping import shown

NAIVE = Candidate(model="seasonal_naive", hyperparameters={"days": 1})
MEASURES = Measures(mape=7.5, wape=6.25, smape=7.0, mase=0.9, rmse=3.0, skill=0.0, steps=72, skipped_steps=0, crps=4.75)
LEADERBOARD = (
    Score(candidate=NAIVE, measures=MEASURES, windows=(), seconds=0.01),
    Failure(candidate=Candidate(model="prophet"), error="BadForecast", reason="it is not finite"),
)


@pytest.fixture
def url(run_state: RunState, settings: Settings, make_app: MakeApp) -> Iterator[str]:
    """Where the service answers; the tests' store is behind it. Its log must not mix with what a command says."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with serving(make_app(settings)) as address:
        yield address
    structlog.reset_defaults()


@pytest.fixture
def store(settings: Settings, make_app: MakeApp) -> Store:
    """The store behind the service."""
    found: Store = make_app(settings).extensions[EXTENSION].store
    return found


@pytest.fixture
def ended(store: Store) -> Store:
    """The store with job-1, which gave root.etl a forecast and root.adhoc none."""
    reason = "1 of 2 queues has no forecast: root.adhoc: empty"
    store.jobs.add(a_job(state=JobState.PARTIAL, reason=reason, warnings=("thin history",), ended_at=MONDAY))
    quality = QualityReport(warnings=("2 steps were filled",))
    store.reports.save(
        QueueReport(
            job_id="job-1",
            queue="root.etl",
            state=QueueState.SUCCEEDED,
            quality=quality,
            outcomes=LEADERBOARD,
            winner=NAIVE,
            explanation="seasonal_naive has the lowest MAPE",
        )
    )
    store.reports.save(QueueReport(job_id="job-1", queue="root.adhoc", state=QueueState.FAILED, reason="empty"))
    store.forecasts.save(a_forecast())
    return store


def run(*arguments: str, stdin: str = "") -> Result:
    """`queuecast` with these arguments."""
    return CliRunner().invoke(build_app(), arguments, input=stdin)


def lines(result: Result) -> list[list[str]]:
    """The words of every line on stdout."""
    return [line.split() for line in result.stdout.splitlines()]


def test_a_submitted_job_is_its_id_on_stdout_and_nothing_else(url: str, tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    file.write_text(json.dumps(a_body()))
    result = run("submit", str(file), "--url", url)
    assert result.exit_code == 0
    assert [job["job_id"] for job in json.loads(run("jobs", "list", "--url", url, "--json").stdout)["jobs"]] == [
        result.stdout.strip()
    ]


def test_a_request_is_looked_at_without_starting_a_job(url: str) -> None:
    result = run("validate", "-", "--url", url, stdin=json.dumps(a_body("data.source", {"name": "nobody"})))
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (2, "a job of this request would not run")
    assert "data.source.name: " in result.stdout
    assert json.loads(run("jobs", "list", "--url", url, "--json").stdout)["jobs"] == []


def test_a_request_from_standard_input_has_its_warnings_told_beside_the_answer(url: str) -> None:
    body = a_body("data_ingestion_time_period", "5d") | {"future_prediction_time_period": "3d"}
    result = run("submit", "-", "--url", url, "--json", stdin=json.dumps(body))
    assert json.loads(result.stdout)["state"] == "queued"
    assert result.stderr.startswith("note: ")


@pytest.mark.parametrize(
    ("text", "word"),
    [("{", "not JSON"), (json.dumps(a_body("model", [])), "model"), (json.dumps(a_body("horizon", "1d")), "horizon")],
)
def test_a_request_that_is_refused_is_a_usage_error(url: str, text: str, word: str) -> None:
    result = run("submit", "-", "--url", url, stdin=text)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert word in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("submit", "absent.json"),
        ("submit", "-", "--timeout", "soon"),
        ("submit", "-", "--timeout", "0s"),
        ("submit", "-", "--timeout", "1mo"),
    ],
)
def test_arguments_that_make_no_sense_are_usage_errors(arguments: tuple[str, ...]) -> None:
    result = run(*arguments, "--url", "http://127.0.0.1:1")
    assert (result.exit_code, "Errno" in result.stderr) == (2, False)
    assert result.stderr.startswith("The command does not accept this: ")


@pytest.mark.parametrize(
    "question",
    [
        "submit -",
        "jobs list",
        "jobs show job-1",
        "jobs watch job-1",
        "jobs cancel job-1",
        "jobs retry job-1",
        "queues list",
        "queues show root.etl",
        "models",
    ],
)
def test_without_a_service_every_question_ends_with_3(question: str) -> None:
    result = run(*question.split(), "--url", "http://127.0.0.1:1", stdin=json.dumps(a_body()))
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (3, "", 1)


@pytest.mark.parametrize(("state", "code"), [("succeeded", 0), ("partial", 1), ("failed", 1), ("cancelled", 1)])
def test_watching_ends_as_the_job_ended(url: str, store: Store, state: str, code: int) -> None:
    store.jobs.add(a_job(state=JobState(state), reason=None if state == "succeeded" else "for a reason", ended_at=MONDAY))
    result = run("jobs", "watch", "job-1", "--url", url)
    assert result.exit_code == code
    assert f": {state}" in result.stdout
    assert ("for a reason" in result.stderr) is bool(code)


def test_bars_are_drawn_on_a_terminal_only_and_never_on_stdout(url: str, ended: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    piped = run("jobs", "watch", "job-1", "--url", url, "--json")
    monkeypatch.setenv("FORCE_COLOR", "1")  # as rich asks whether it talks to a terminal
    drawn = run("jobs", "watch", "job-1", "--url", url, "--json")
    assert json.loads(drawn.stdout) == json.loads(piped.stdout)
    assert "candidates" in drawn.stderr
    assert piped.stderr == ""


def test_a_job_is_shown_with_the_winner_of_each_queue_or_the_reason(url: str, ended: Store) -> None:
    result = run("jobs", "show", "job-1", "--url", url)
    assert result.exit_code == 0
    assert lines(result)[2:] == [
        ["root.adhoc", "failed", "–", "–", "–", "–", "–", "–", "–", "empty"],
        [
            "root.etl",
            "succeeded",
            "seasonal_naive",
            "7.50",
            "0.20",
            "60.00",
            "%",
            "75.00",
            "%",
            "ended",
            "2026-01-05",
            "03:00Z",
            "–",
            "–",
        ],
    ]
    assert "thin history" in result.stderr


def test_a_mistyped_queue_model_or_field_is_answered_with_the_one_that_was_meant(url: str, ended: Store) -> None:
    assert "did you mean 'root.etl'?" in run("queues", "show", "root.elt", "--url", url).stderr
    assert "did you mean" not in run("queues", "show", "nothing.alike", "--url", url).stderr
    result = run("validate", "-", "--url", url, stdin=json.dumps(a_body() | {"ownr": "x"}))
    assert (result.exit_code, "did you mean 'owner'?" in result.stdout + result.stderr) == (2, True)


def test_no_queue_of_another_project_is_suggested(url: str, ended: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    token, secret = make_token(name="other", scope=Scope.READ, projects=("elsewhere",), created_at=datetime.now(UTC))
    ended.tokens.add(token)
    monkeypatch.setenv("QUEUECAST_TOKEN", secret)
    result = run("queues", "show", "root.elt", "--url", url)
    assert (result.exit_code, "no such forecast" in result.stderr, "root.etl" in result.stderr) == (2, True, False)


@pytest.mark.parametrize(
    ("command", "file"), [("submit", "nowhere.json"), ("validate", "nowhere.json"), ("apply", "nowhere.toml")]
)
def test_a_file_that_is_not_there_is_named(url: str, command: str, file: str) -> None:
    result = run(command, file, "--url", url)
    assert (result.exit_code, result.stderr) == (2, f"The command does not accept this: there is no file {file}\n")


def test_a_job_of_many_queues_is_shown_with_two_questions(url: str, ended: Store) -> None:
    for number in range(40):
        ended.reports.save(QueueReport(job_id="job-1", queue=f"root.q{number:02}", state=QueueState.SUCCEEDED, winner=NAIVE))
        ended.forecasts.save(a_forecast(queue=f"root.q{number:02}"))
    before = answered()
    result = run("jobs", "show", "job-1", "--url", url)
    assert ["root.q39", "succeeded", "seasonal_naive", "7.50"] in [line[:4] for line in lines(result)]
    assert answered() - before == 2


def answered() -> float:
    """Requests that this process has answered."""
    families = text_string_to_metric_families(shown(counted()))
    return sum(sample.value for family in families for sample in family.samples if sample.name == "queuecast_http_requests_total")


def test_a_running_job_says_how_far_it_is(url: str, store: Store) -> None:
    store.jobs.add(a_job())
    store.jobs.add(a_job(job_id="job-2", run=Run.ACTUALS))
    assert "0 of ? candidates done, 0 failed" in run("jobs", "show", "job-1", "--url", url).stdout
    assert "0 of ? queues done, 0 failed" in run("jobs", "show", "job-2", "--url", url).stdout


def test_a_job_of_a_schedule_names_it_also_when_that_is_gone(url: str, store: Store) -> None:
    store.schedules.add(a_schedule(name="nightly"))
    store.jobs.add(a_job(schedule_id="s-1"))
    assert "queued, made by the schedule nightly (s-1)\n" in run("jobs", "show", "job-1", "--url", url).stdout
    store.schedules.remove("s-1")
    assert "queued, made by the schedule s-1, which is gone\n" in run("jobs", "show", "job-1", "--url", url).stdout


def test_the_leaderboard_of_a_queue_is_shown_best_first(url: str, ended: Store) -> None:
    result = run("jobs", "show", "job-1", "--queue", "root.etl", "--url", url)
    assert "seasonal_naive has the lowest MAPE" in result.stdout
    assert lines(result)[-2:] == [
        ["1", "seasonal_naive", "days=1", "7.50", "6.25", "0.90", "4.75", "0.00", "0.01", "–"],
        ["–", "prophet", "–", "–", "–", "–", "–", "0.00", "it", "is", "not", "finite"],
    ]
    assert "2 steps were filled" in result.stderr


def test_jobs_are_listed_newest_first_page_by_page(url: str, store: Store) -> None:
    for number in range(3):
        store.jobs.add(a_job(job_id=f"job-{number}", created_at=MONDAY.replace(hour=number)))
    page = run("jobs", "list", "--limit", "2", "--url", url)
    assert [line[0] for line in lines(page)[1:]] == ["job-2", "job-1"]
    rest = run("jobs", "list", "--cursor", page.stderr.split()[-1], "--url", url)
    assert [line[0] for line in lines(rest)[1:]] == ["job-0"]


def test_a_job_is_printed_as_a_script(url: str, ended: Store) -> None:
    result = run("jobs", "script", "job-1", "--url", url)
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "#!/bin/sh")
    assert f"QUEUECAST_URL={url}\n" in result.stdout
    assert run("jobs", "script", "job-9", "--url", url).exit_code == 2


def test_jobs_are_listed_by_what_they_are(url: str, ended: Store) -> None:
    ended.jobs.add(a_job(job_id="job-2"))
    page = json.loads(run("jobs", "list", "--state", "partial", "--queue", "root.etl", "--url", url, "--json").stdout)
    assert [job["job_id"] for job in page["jobs"]] == ["job-1"]


def test_a_job_is_cancelled_and_shown_as_it_is_then(url: str, store: Store) -> None:
    store.jobs.add(a_job())
    result = run("jobs", "cancel", "job-1", "--url", url)
    assert (result.exit_code, result.stdout) == (0, "job job-1 (Resource Forecasting): cancelled\n")
    assert result.stderr == "cancelled on request\n"
    again = run("jobs", "cancel", "job-1", "--url", url)
    assert (again.exit_code, again.stdout) == (2, "")
    assert "it is cancelled; a job can be cancelled when it is queued or running" in again.stderr


def test_several_jobs_are_cancelled_and_deleted_each_for_itself(url: str, store: Store) -> None:
    for job_id in ("job-1", "job-2"):
        store.jobs.add(a_job(job_id=job_id))
    early = run("jobs", "delete", "job-1", "--url", url)
    assert (early.exit_code, "it is queued; a job can be deleted when it is" in early.stderr) == (2, True)
    cancelled = run("jobs", "cancel", "job-1", "nowhere", "job-2", "--url", url)
    assert (cancelled.exit_code, cancelled.stdout) == (2, "job-1 is cancelled\njob-2 is cancelled\n")
    assert cancelled.stderr.startswith("nowhere: ")
    deleted = run("jobs", "delete", "job-1", "job-2", "--url", url)
    assert (deleted.exit_code, deleted.stdout) == (0, "job-1 is deleted\njob-2 is deleted\n")
    assert store.jobs.of_ids(["job-1", "job-2"]) == []


def test_a_name_of_jobs_is_hidden_and_shown_again(url: str, ended: Store) -> None:
    unknown = run("jobs", "hide", "Resource Forecasts", "--project", "capacity forecasting", "--url", url)
    assert (unknown.exit_code, "did you mean 'Resource Forecasting'?" in unknown.stderr) == (2, True)
    of_project = ("Resource Forecasting", "--project", "capacity forecasting", "--url", url)
    said = run("jobs", "hide", *of_project)
    assert (said.exit_code, lines(said)[1][:2]) == (0, ["Resource", "Forecasting"])
    assert json.loads(run("jobs", "list", "--url", url, "--json").stdout)["jobs"] == []
    assert len(json.loads(run("jobs", "list", "--hidden", "--url", url, "--json").stdout)["jobs"]) == 1
    assert json.loads(run("queues", "list", "--hidden", "--url", url, "--json").stdout)["queues"] != []
    assert run("jobs", "unhide", *of_project).exit_code == 0
    assert "no name of jobs is hidden" in run("jobs", "hidden", "--url", url).stderr


def test_a_job_is_tried_again_and_with_all_also_one_that_succeeded(url: str, ended: Store) -> None:
    retried = json.loads(run("jobs", "retry", "job-1", "--url", url, "--json").stdout)
    assert (retried["state"], [queue["queue"] for queue in retried["queues"]]) == ("queued", ["root.etl"])
    ended.jobs.move("job-1", {JobState.QUEUED}, JobState.SUCCEEDED, None, MONDAY)
    refused = run("jobs", "retry", "job-1", "--url", url)
    assert (refused.exit_code, "`--all`" in refused.stderr) == (2, True)
    both = run("jobs", "retry", "job-1", "--all", "--queue", "root.etl", "--url", url)
    assert (both.exit_code, "do not go together" in both.stderr) == (2, True)
    named = run("jobs", "retry", "job-1", "--queue", "root.elt", "--url", url)
    assert (named.exit_code, "before each of its queues had" in named.stderr) == (2, True)
    result = run("jobs", "retry", "job-1", "--all", "--url", url)
    assert (result.exit_code, lines(result)[0][-1]) == (0, "queued")


@pytest.mark.parametrize("verb", ["show", "cancel", "retry"])
def test_a_job_that_does_not_exist_is_a_usage_error(url: str, verb: str) -> None:
    assert run("jobs", verb, "nowhere", "--url", url).exit_code == 2


def test_queues_are_listed_with_their_peak(url: str, ended: Store) -> None:
    header, row = lines(run("queues", "list", "--url", url))
    assert header[:4] == ["queue", "cluster", "metric", "peak"]
    assert header[-2:] == ["by", "job"]  # rows of one queue differ by it
    told = ["60.00", "%", "45.00", "%", "75.00", "%", "ended", "2026-01-05", "03:00Z", "none", "100.0", "%", "–", "–"]
    assert row[:17] == ["root.etl", "files:", "used_capacity", *told]
    assert json.loads(run("queues", "list", "--url", url, "--json").stdout)["queues"][0]["peak"] == 60.0


def test_without_any_forecast_the_list_says_how_to_make_one(url: str) -> None:
    assert "queuecast submit" in run("queues", "list", "--url", url).stderr


def test_a_queue_is_shown_step_by_step(url: str, ended: Store) -> None:
    result = run("queues", "show", "root.etl", "--url", url)
    assert result.stdout.splitlines()[1:3] == [
        "peak: 60.00 % (45.00 % to 75.00 %) at 2026-01-05 01:00Z",
        "at its limit of 100.0 %: no step, not even with its upper bound",
    ]
    assert lines(result)[4:] == [
        ["2026-01-05", "00:00Z", "50.00", "40.00", "60.00"],
        ["2026-01-05", "01:00Z", "60.00", "45.00", "75.00"],
        ["2026-01-05", "02:00Z", "55.00", "41.00", "70.00"],
    ]


def test_components_and_the_chance_of_a_level_are_told_with_a_forecast(url: str, ended: Store) -> None:
    soon = TimeGrid(3_600).bucket_start(datetime.now(UTC)) + timedelta(hours=1)
    parts = Components(level=50.0, day=(0.0, 8.0, 5.0))
    ended.forecasts.save(with_distribution(a_forecast(issued_at=soon, job_id="job-1", components=parts)))
    for words in (("queues", "show", "root.etl"), ("jobs", "show", "job-1", "--queue", "root.etl")):
        result = run(*words, "--level", "75", "--url", url)
        assert "chance to exceed 75.00 %: 25 %" in result.stdout
        assert ["level", "50", "50", "50"] in lines(result)
        assert ["remainder", "2", "0", "2"] in lines(result)
    assert "chance to exceed 75.00 %" not in run("queues", "show", "root.etl", "--url", url).stdout
    refused = run("jobs", "show", "job-1", "--level", "75", "--url", url)
    assert (refused.exit_code, "accepted with --queue" in refused.stderr) == (2, True)


def test_a_queue_that_may_reach_its_limit_says_when_and_how_sure_that_is(url: str, store: Store) -> None:
    at = TimeGrid(3_600).bucket_start(datetime.now(UTC)) + timedelta(hours=1)
    high = {"prediction": (90.0, 120.0, 80.0), "upper_bound": (99.0, 140.0, 101.0)}
    store.forecasts.save(a_forecast(issued_at=at, maximum=120.0, **high))
    shown = run("queues", "show", "root.etl", "--url", url).stdout
    told = f"likely in 1 step, possible in 1 more step, from {at + timedelta(hours=1):%Y-%m-%d %H:%M}Z on"
    assert f"at its limit of 120.0 %: likely in 1 step, from {at + timedelta(hours=1):%Y-%m-%d %H:%M}Z on\n" in shown
    assert f"beyond its share of 100.0 %: {told}\n" in shown
    assert told in run("queues", "list", "--url", url).stdout


def test_a_limit_that_nobody_knows_is_said_to_be_unknown(url: str, store: Store) -> None:
    store.forecasts.save(a_forecast(unit=None, guaranteed=None))
    assert (
        "limit: not known; `unit` and `limits` in the request say it\n" in run("queues", "show", "root.etl", "--url", url).stdout
    )
    assert "not known" in run("queues", "list", "--url", url).stdout


def test_models_are_listed_with_what_is_tried(url: str, run_state: RunState) -> None:
    assert "no worker" in run("models", "--url", url).stderr
    layers = HyperparameterCard(name="layers", type="int", default=1, grid=(1, 2))
    rate = HyperparameterCard(name="rate", type="float", default=0.01, grid=(0.01,))
    lstm = ModelCard(name="lstm", summary="Learns", lane=Lane.HEAVY, cost=9, is_baseline=False, hyperparameters=(layers, rate))
    run_state.members.publish([lstm, ModelCard(name="last_value", summary="Stays", lane=Lane.SCORE, cost=1, is_baseline=True)])
    assert lines(run("models", "--url", url))[1:] == [
        ["lstm", "heavy", "layers", "int", "1", "1,", "2", "Learns"],
        ["lstm", "heavy", "rate", "float", "0.01", "0.01", "–"],
        ["last_value", "score", "–", "–", "–", "–", "Stays"],
    ]


def test_any_other_address_is_refused_in_one_line() -> None:
    result = run("serve", "--host", "0.0.0.0")  # noqa: S104 - that it is refused is the test
    assert (result.exit_code, result.stderr.count("\n")) == (5, 1)
    assert "no token exists" in result.stderr


def test_a_pipe_is_told_now_and_then_how_far_a_job_is(
    url: str, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store.jobs.add(a_job(state=JobState.RUNNING))
    monkeypatch.setattr("api.command.service.LINE_EVERY_SECONDS", 0.0)
    with pytest.raises(TimeoutError):
        follow(Client(url), "job-1", 0.5)
    assert re.fullmatch(r"running: \d+ of \S+ queues, \d+ of \S+ candidates\n", capsys.readouterr().err)


def test_how_long_a_job_still_takes_is_told_at_its_pace_so_far(
    url: str, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = datetime.now(UTC)
    progress = Progress(queues=Tally(total=50, done=5), candidates=Tally(total=60, done=50))
    begun = {"created_at": now - timedelta(minutes=3), "started_at": now - timedelta(minutes=2)}
    store.jobs.add(a_job(state=JobState.RUNNING, progress=progress, request=a_request(as_of=None), **begun))
    monkeypatch.setattr("api.command.service.LINE_EVERY_SECONDS", 0.0)
    with pytest.raises(TimeoutError):
        follow(Client(url), "job-1", 0.5)
    assert re.search(r"5 of 50 queues, 50 of 60 candidates, about 0:1[89]:\d\d left", capsys.readouterr().err)
    done = Progress(queues=Tally(total=9, done=9), candidates=Tally(total=60, done=60))
    store.jobs.add(a_job(job_id="job-2", state=JobState.RUNNING, progress=done, request=a_request(as_of=None), **begun))
    assert Client(url).get("jobs", "job-2")["seconds_left"] == 0.0


def test_what_is_no_address_is_said_to_be_none() -> None:
    result = run("serve", "--host", "300.1.1.1")
    assert (result.exit_code, "--host 300.1.1.1 is no address" in result.stderr) == (5, True)


@pytest.fixture
def secret(url: str, settings: Settings) -> str:
    """Of a token that reads; since there is one, the service wants it."""
    token, secret = make_token(name="ci", scope=Scope.READ, created_at=datetime.now(UTC))
    with closing(open_store(settings.store_location)) as store:
        store.tokens.add(token)
    eventually(lambda: run("jobs", "list", "--url", url).exit_code == 2, what="the service to close")
    return secret


def test_the_token_of_the_environment_opens_a_service(url: str, secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUECAST_TOKEN", secret)
    monkeypatch.setenv("QUEUECAST_URL", "http://127.0.0.1:1")  # --url goes before it
    assert run("jobs", "list", "--url", url).exit_code == 0
    refused = run("jobs", "cancel", "x", "--url", url)
    assert (refused.exit_code, "needed is write" in refused.stderr) == (2, True)
    assert secret not in run("config", "show").stdout


@pytest.mark.parametrize("is_mounted", [True, False], ids=["a file of its own", "the configuration file"])
def test_a_token_is_found_wherever_settings_stand(
    url: str, secret: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, is_mounted: bool
) -> None:
    if is_mounted:
        (tmp_path / "QUEUECAST_TOKEN").write_text(secret)
        monkeypatch.setenv("QUEUECAST_SECRETS_DIR", str(tmp_path))
    else:
        (tmp_path / "queuecast.toml").write_text(f'token = "{secret}"\n')  # where the tests' environment looks for it
    assert run("jobs", "list", "--url", url).exit_code == 0


def test_a_setting_that_is_none_is_told_of_before_a_service_is_asked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUECAST_TOKN", "x")
    result = run("jobs", "list", "--url", url)
    assert (result.exit_code, "QUEUECAST_TOKN is no setting" in result.stderr) == (5, True)


def test_the_service_answers_logs_in_json_and_ends_with_sigterm(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [*QUEUECAST, "serve", "--port", str(port), "--data-dir", str(settings.data_dir)]
    environment = os.environ | {"QUEUECAST_STORE_URL": settings.store_location, "QUEUECAST_LOG_LEVEL": "DEBUG"}  # probes too
    service = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        answer = eventually(lambda: _asked(port), what="an answer")
    finally:
        service.send_signal(signal.SIGTERM)
    out, err = service.communicate(timeout=120)
    assert (service.returncode, err) == (0, "")
    log = [json.loads(line) for line in out.splitlines()]
    assert OPEN in [line["event"] for line in log]
    [access] = [line for line in log if line.get("request_id") == answer.headers["X-Request-ID"]]
    assert (access["event"], access["path"], access["status"]) == ("request", "/healthz", 200)


def _asked(port: int) -> urllib3.BaseHTTPResponse | None:
    try:
        return urllib3.request("GET", f"http://127.0.0.1:{port}/healthz", retries=False)
    except urllib3.exceptions.HTTPError:
        return None


@pytest.mark.parametrize("queue", ["..", ".", "a/../b", "/a//b/", "%2E%2E", "100%?#ä"])
def test_a_queue_of_any_name_is_reached_by_every_command_and_page(url: str, store: Store, queue: str) -> None:
    store.jobs.add(a_job(state=JobState.SUCCEEDED))
    store.reports.save(QueueReport(job_id="job-1", queue=queue, state=QueueState.SUCCEEDED, outcomes=LEADERBOARD, winner=NAIVE))
    store.forecasts.save(a_forecast(queue=queue))
    for words in (("jobs", "show", "job-1", "--queue", queue), ("queues", "show", queue), ("queues", "accuracy", queue)):
        result = run(*words, "--url", url, "--json")
        assert result.exit_code == 0, result.output
    assert json.loads(run("queues", "show", queue, "--url", url, "--json").stdout)["queue"] == queue
    [shown_queue] = Client(url).get("jobs", "job-1")["queues"]
    page = urllib3.request("GET", f"{url}/jobs/job-1").data.decode()
    addresses = [shown_queue["links"]["self"], *re.findall(r'href="(/queues/[^"?]*)', page)]
    assert len(addresses) == 2
    for address in addresses:  # this client takes steps like `..`, as browsers do
        answer = urllib3.request("GET", url + address, headers={"Accept": "*/*"})
        assert (answer.status, answer.geturl().endswith(address)) == (200, True)


def test_forecasts_that_cannot_be_fetched_cost_no_row_of_the_table(url: str, store: Store) -> None:
    store.jobs.add(a_job(state=JobState.SUCCEEDED))
    store.reports.save(QueueReport(job_id="job-1", queue="root.etl", state=QueueState.SUCCEEDED, winner=NAIVE))
    job = Client(url).get("jobs", "job-1")

    @Request.application
    def half(request: Request) -> Response:
        return Response("no", 500) if request.path.endswith("/queues") else Response(json.dumps(job), mimetype="application/json")

    with serving(half) as address:
        result = run("jobs", "show", "job-1", "--url", address)
    assert result.exit_code == 0
    assert re.search(r"root\.etl +succeeded +seasonal_naive", result.stdout)
    assert "the forecasts of the job cannot be shown" in result.stderr


def test_a_what_if_is_now_and_then_side_by_side_within_80_columns(url: str, store: Store) -> None:
    issued_at = TimeGrid(3_600).bucket_start(datetime.now(UTC)) + timedelta(hours=1)
    flat = (90.0,) * 48
    forecast = with_distribution(a_forecast(prediction=flat, lower_bound=flat, upper_bound=flat, issued_at=issued_at))
    store.forecasts.save(forecast)
    result = run("whatif", "root.etl", "--capacity", "1.3x", "--url", url)
    assert result.exit_code == 0
    assert result.stderr.startswith("note: of what is lent, it is not known how much siblings leave idle: percentages")
    assert ["guaranteed", "100.0", "%", "130.0", "%"] in lines(result)
    assert ["above", "the", "guarantee", "25", "%", "<", "5", "%"] in lines(result)
    table = result.stdout.splitlines()[2:]
    assert max(map(len, table)) <= 80
    assert len([line for line in table if line.startswith(f"{issued_at:%Y-}")]) == 2
    told = json.loads(run("whatif", "root.etl", "--scale", "0.5", "--horizon", "24h", "--json", "--url", url).stdout)
    assert (told["then"]["whole"]["borrowing"]["likelihood"], told["then"]["days"]) == ("< 5 %", [])
    assert "now" in run("whatif", "root.etl", "--url", url).stdout.splitlines()[1].split()
    refused = run("whatif", "root.etl", "--nodes", "3", "--url", url)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "accepted is the share of the cluster's capacity" in refused.stderr
    store.forecasts.save(replace(forecast, paths=None, created_at=forecast.created_at + timedelta(hours=1)))
    untold = run("whatif", "root.etl", "--capacity", "120", "--url", url)
    assert (untold.exit_code, untold.stdout) == (1, "")
    assert "nothing can be told of root.etl: its joint paths are not kept" in untold.stderr


def test_a_move_is_a_table_of_both_parents_and_of_the_siblings_there(url: str, store: Store) -> None:
    keep_cluster(store)
    result = run("whatif", "root.etl.daily", "--parent", "root.bi", "--capacity", "30%", "--url", url)
    assert (result.exit_code, result.stderr.count("taken as amounts")) == (0, 2)
    assert [line.split(":")[0] for line in result.stdout.splitlines() if " lent in all, " in line] == [
        "Of 1.12 GB·h lent in all, now",
        "Of 5.29 GB·h lent in all, then",
    ]
    found = {tuple(line[:3]): line[3:] for line in lines(result) if line[0] in {"children", "root.bi.reports"}}
    assert found["children", "of", "root.bi"][:2] == ["200.0", "MB"]
    assert [line[0] for line in lines(result)].count("root.bi.adhoc") == 1
    keep(store, "root.bi.broken", 1.0, cluster="prod", state=QueueState.FAILED)
    noted = run("whatif", "root.etl.daily", "--parent", "root.bi", "--capacity", "30%", "--url", url)
    assert "root.bi.broken is not in the sum of root.bi" in noted.stderr
    summed = run("whatif", "root.bi", "--url", url)
    assert "root.bi.broken is not in the sum of the children" in summed.stderr
    assert "children" in summed.stdout
    refused = run("whatif", "root.etl.daily", "--parent", "root.etl", "--url", url)
    assert (refused.exit_code, "the parent already" in refused.stderr) == (2, True)


def test_a_former_name_is_said_listed_and_taken_back(url: str, store: Store) -> None:
    keep_cluster(store)
    names = ("root.etl.daily", "root.etl.nightly", "--cluster", "prod")
    result = run("queues", "alias", *names, "--at", "2026-01-05T00:00:00Z", "--url", url)
    assert result.exit_code == 0
    assert ["prod", "root.etl.nightly", "root.etl.daily"] in [line[:3] for line in lines(result)]
    assert json.loads(run("queues", "aliases", "--json", "--url", url).stdout)["aliases"][0]["old"] == "root.etl.daily"
    again = run("queues", "alias", *names, "--url", url)
    assert (again.exit_code, "was root.etl.daily before" in again.stderr) == (2, True)
    assert run("queues", "unalias", "root.etl.nightly", "--cluster", "prod", "--url", url).exit_code == 0
    assert "no queue has a former name" in run("queues", "aliases", "--cluster", "prod", "--url", url).stderr


def test_whether_chances_have_held_is_a_table_beside_the_accuracy(url: str, store: Store) -> None:
    store.forecasts.save(a_forecast())
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=2)
    store.calibrations.save([an_outlook_score(day=day)])
    row = ["limit", "1", "0.25", "1", "0.50", "2.00", "0.56", "–"]
    assert row in lines(run("queues", "accuracy", "root.etl", "--url", url))
    assert "nothing has been scored yet" in run("queues", "accuracy", "--url", url).stderr
    for lost_at, said in (
        (None, "chances hold: off by 0.20"),
        (day, "chances do not hold (off by 0.20 on average, over 120 days of queues)"),
    ):
        store.calibrations.tell(Calibration(checked_at=day, days=120, error=0.2, lost_at=lost_at))
        pooled = run("queues", "accuracy", "--url", url)
        assert row in lines(pooled)
        assert said in pooled.stdout
    assert run("queues", "accuracy", "--cluster", "prod", "--url", url).exit_code == 2
