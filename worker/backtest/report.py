"""What `queuecast backtest` is asked, shows and writes, around the replay."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from shared.command.progress import counting
from shared.command.tables import print_table
from shared.command.terminal import notice, print_json, say
from shared.config.connection import Connection
from shared.connections.files import FilesConnection
from shared.domain.aliases import Alias
from shared.domain.durations import Duration
from shared.domain.identifiers import listed
from shared.domain.jobs import QUEUE_FIELD, DataPlaces, JobRequest
from shared.domain.outgoing import cell
from shared.domain.places import Place
from shared.domain.samples import NO_LIMIT_IN_PANEL
from shared.domain.wording import counted
from shared.errors import UsageError
from worker.backtest import decisions
from worker.backtest.decision_options import DecisionsAsked
from worker.backtest.decisions import decided
from worker.backtest.export import replacing
from worker.backtest.replay import QueueReplay, columns_of, replay, rows
from worker.backtest.summary import Summary, overall_summary, queue_summary
from worker.prepare.calendar import holidays_between
from worker.prepare.wall_clock import wall_clock
from worker.sources.files.listing import SUFFIXES

COLUMNS_SHOWN = ("mape", "mape_shown", "wape", "wape_ratio", "crps_ratio", "smape", "mase", "skill", "coverage", "seconds")
TITLES = ("MAPE %", "shown %", "WAPE %", "÷ naive", "CRPS ÷", "sMAPE", "MASE", "skill", "covered %", "CPU s")
SPARE = ("CPU s", "sMAPE", "CRPS ÷", "MASE", "÷ naive", "shown %", "models")  # columns, in a narrow terminal
NOTE = (
    "MAPE, WAPE, sMAPE: how far forecasts were off, in per cent; MASE 1 = as far as a naive one; skill: the part of the naive "
    "one's error that is gone; covered: steps within the interval; CPU s: what computing took; models: chosen, most often first. "
    "{queues}, {forecasts}. Overall: medians over queues; of ÷ naive (WAPE by that of the seasonal naive) and CRPS ÷ (the loss "
    "of the quantiles by that naive's) geometric means, of covered the share of all steps, of CPU s the sum. Shown: the MAPE "
    "that the backtests had promised.\n"
)
_SOME_DAY = pd.DatetimeIndex(["2026-01-01"], tz="UTC")
ENDINGS = (".parquet", ".csv")


def replay_request(
    paths: Sequence[Path], durations: tuple[str, str, str], model: Literal["auto"] | tuple[str, ...], **fields: Any
) -> tuple[JobRequest, dict[str, Connection]]:
    """The request of a job on these files and folders, and the connections of its places.

    Args:
        paths: the first has the target, the others add covariates.
        durations: step, history and horizon.
        model: "auto", or names.
        fields: further ones of the request, by their names there.

    Raises:
        UsageError: two paths of one name, no duration, a step without fixed length, an unknown time zone or country; with
            what is accepted.
    """
    step, history, horizon = map(_duration, ("step", "history", "horizon"), durations)
    if not step.is_fixed:
        raise UsageError(f"--step {step}: a step has a fixed length, months have not")
    request = JobRequest(
        job_name="backtest",
        data=DataPlaces(source=_places(paths), destination=Place(name="files")),
        aggregation_time_period=step,
        data_ingestion_time_period=history,
        future_prediction_time_period=horizon,
        model=model,
        **fields,
    )
    _refuse(request)
    return request, _connections(request, paths)


def _connections(request: JobRequest, paths: Sequence[Path]) -> dict[str, Connection]:
    """Those of the request's places by their names; that of a file of events is where it lies."""
    folders = {path.stem: (path.parent if path.is_file() else path).resolve() for path in paths}
    folders |= {file.name: Path(file.name) for file in request.event_files}
    return {name: FilesConnection(path=folder) for name, folder in folders.items()}


def _refuse(request: JobRequest) -> None:
    """Raises UsageError for what each cutoff would say of itself."""
    if refusal := request.fill.refusal(request.step_seconds):
        raise UsageError(f"--fill: {refusal}")
    _refuse_fields(request)
    some_day = wall_clock(_SOME_DAY, request.timezone, request.step_seconds)
    holidays_between(some_day.times, request.holidays)


def _refuse_fields(request: JobRequest) -> None:
    """Raises UsageError for columns that cannot be what they are named for."""
    if request.queues_from_columns and request.queue_field != QUEUE_FIELD:
        raise UsageError("--queues-from-columns: each column but the time is a queue then; accepted is that or --queue-field")
    for column in request.limits.columns if request.limits else ():
        if request.queues_from_columns:
            raise UsageError(f"--guaranteed or --maximum: {column!r} {NO_LIMIT_IN_PANEL}")
        if column in {request.target, request.time_field, *request.queue_fields}:
            raise UsageError(f"--guaranteed or --maximum: {column!r} is read as something else; accepted are other columns")


def _places(paths: Sequence[Path]) -> tuple[Place, ...]:
    """Each by a name of its own, which goes before its columns where theirs are taken."""
    for path in paths:
        if not any(file.suffix in SUFFIXES for file in ([path] if path.is_file() else path.rglob("*"))):
            raise UsageError(f"{path} is, or has in it, no file that ends with {' or '.join(SUFFIXES)}")
    places = tuple(Place(name=path.stem, path=path.name if path.is_file() else None) for path in paths)
    if len({place.name for place in places}) < len(places):
        raise UsageError(f"--covariates: found {listed([place.name for place in places])}; accepted are different names")
    return places


def _duration(option: str, text: str) -> Duration:
    try:
        return Duration.parse(text)
    except ValueError as error:
        raise UsageError(f"--{option}: {error}") from error


def run(
    request: JobRequest,
    connections: Mapping[str, Connection],
    *,
    origins: int,
    processes: int,
    out: Path | None,
    summary_file: Path | None,
    aliases: Sequence[Alias] = (),
    asked: DecisionsAsked | None = None,
) -> Summary:
    """Replay, write what was asked for, and give the summary; how far it is goes to stderr, on a terminal as a bar.

    Raises:
        DataError, RequestError: there is nothing to replay, or it could not be written; said before anything is computed.
    """
    _check_files(out, summary_file)
    with counting("queues", lambda done, total: f"{done} of {counted(total, 'queue')} replayed") as on_progress:
        replayed = replay(request, connections, origins=origins, processes=processes, on_progress=on_progress, aliases=aliases)
    summary = summarise(replayed)
    if asked is not None:
        verdicts, reasons = decided(request, replayed, asked)
        summary = replace(summary, decisions=verdicts, undecided=reasons)
        decisions.write(verdicts.values(), asked.out)
    if out is not None:
        _write_rows(replayed, out)
    if summary_file is not None:
        with replacing(summary_file) as stream:
            stream.write(json.dumps(asdict(summary), indent=1, allow_nan=False).encode())
    return summary


def _check_files(out: Path | None, summary_file: Path | None) -> None:
    if out is not None and out.suffix not in ENDINGS:
        raise UsageError(f"--out {out.name!r}: accepted endings are {', '.join(ENDINGS)}")
    for option, file in (("--out", out), ("--summary", summary_file)):
        if file is not None and not file.absolute().parent.is_dir():
            raise UsageError(f"{option} {file}: its folder is not there")


def summarise(replayed: Sequence[QueueReplay]) -> Summary:
    """What came of a replay."""
    queues = {one.queue: queue_summary(one.results) for one in replayed if one.results}
    failures = {one.queue: list(one.reasons) for one in replayed if one.reasons}
    losses = {one.queue: list(one.losses) for one in replayed if one.losses}
    return Summary(queues=queues, overall=overall_summary(queues.values()), failures=failures, losses=losses)


def _write_rows(replayed: Sequence[QueueReplay], out: Path) -> None:
    frame = pd.DataFrame(rows(replayed), columns=columns_of(replayed))
    with replacing(out) as stream:
        if out.suffix == ".csv":
            frame.map(cell).to_csv(stream, index=False)
        else:
            frame.to_parquet(stream, index=False)


def show(summary: Summary, *, as_json: bool) -> bool:
    """Print the summary; whether there is a forecast in it."""
    queues, overall = summary.queues, summary.overall
    if as_json:
        print_json(asdict(summary))
        return bool(queues)
    named = [*((queue, of_queue, ", ".join(of_queue.models)) for queue, of_queue in queues.items()), ("overall", overall, None)]
    lines = [(name, *(getattr(figures, column) for column in COLUMNS_SHOWN), models) for name, figures, models in named]
    print_table(("queue", *TITLES, "models"), lines, spare=SPARE, text=("models",))
    say(NOTE.format(queues=counted(overall.queues, "queue"), forecasts=counted(overall.origins, "forecast")))
    prices = overall.seconds_by_model
    names = dict.fromkeys((*overall.models, *prices))
    print_table(("model", "chosen", "CPU s"), [(name, overall.models.get(name, 0), prices.get(name)) for name in names])
    for texts in (summary.losses, summary.failures):
        for queue, reasons in texts.items():
            notice(f"{queue}: {'; '.join(reasons)}", style="yellow")
    decisions.show(summary.decisions, summary.undecided)
    return bool(queues)
